/** Instruments the module in a file, in a process of its own, and says in JSON what came of it and what it took. */
import { readFileSync } from "node:fs";
import { instrument, ModuleRefused } from "../../../../src/instrument/instrument.ts";

const caps = { memoryBytes: 1024 * 1024, tableElements: 200_000 };
const bytes = new Uint8Array(readFileSync(process.argv[2] ?? ""));
const before = process.resourceUsage().maxRSS;
let written = 0;
let refusal: string | undefined;
try {
  written = instrument(bytes, caps).bytes.length;
} catch (error) {
  if (!(error instanceof ModuleRefused)) throw error;
  refusal = error.message;
}
const memoryBytes = (process.resourceUsage().maxRSS - before) * 1024;
console.log(JSON.stringify({ written, refusal, memoryBytes }));
