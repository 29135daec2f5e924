// Runs a set-up in a process of its own, so that a test can kill it. Arguments: the cache directory, the system as JSON.
// Writes each event as a line of JSON, and last the toolchain or the error.
import type { DebianSystem } from "../../src/toolchain/debian/system.ts";
import { setupWith } from "../../src/toolchain/setup.ts";

const [cacheDir = "", system = ""] = process.argv.slice(2);
const print = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
try {
  const toolchain = await setupWith(
    { cacheDir, onProgress: print },
    async () => JSON.parse(system) as DebianSystem,
  );
  print({ toolchain });
} catch (error) {
  print({ error: String(error) });
  process.exitCode = 1;
}
