import { elementCap } from "../caps.ts";
import type { Pass } from "../pass.ts";

/** Lowers each table's maximum to the cap: `table.grow` beyond it answers -1. */
export const tableCap: Pass = (module, caps) => {
  const cap = elementCap(caps);
  for (const table of module.tables) table.maximum = Math.min(table.maximum ?? cap, cap);
};
