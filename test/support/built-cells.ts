import { fileURLToPath } from "node:url";

/**
 * Where the code is built that cells run in the tests: as it is shipped. From the sources a cell takes three times as long to start, and the
 * tests start thousands. One for each run of the tests, by the process that all of it is below.
 */
const CACHE = new URL("../../node_modules/.cache/", import.meta.url);
export const BUILT_CELLS = fileURLToPath(new URL(`scriptcell-cells-${process.pid}/`, CACHE));
/** What stands for src/run/cell-code.ts, which says where that code is. */
export const BUILT_CELL_CODE = `${BUILT_CELLS}dist/run/cell-code.js`;
