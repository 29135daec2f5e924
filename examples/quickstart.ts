/**
 * From nothing to a result: finds or installs a toolchain, compiles a script, and runs it on a real data set that it
 * may read and nothing else. Run it twice: the second time the module comes from disk.
 */

import { readFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import {
  defaultCacheDir,
  findToolchain,
  MiB,
  ScriptcellError,
  ScriptExecutor,
  setupToolchain,
} from "../src/index.ts";

const script = fileURLToPath(new URL("../fixtures/scripts/weather.rs", import.meta.url));
const dataSet = fileURLToPath(new URL("../data/seattle-weather.csv", import.meta.resolve("vega-datasets")));

const toolchain = await findOrInstallToolchain();
console.log(`rustc ${toolchain.version} (${toolchain.origin}) at ${toolchain.rustc}`);

await using executor = new ScriptExecutor();
console.log(`compiling and running ${relative(process.cwd(), script)}`);
const result = await executor.run(readFileSync(script, "utf8"), {
  input: { file: "/data/seattle-weather.csv", hot: 30 },
  capabilities: { mounts: [{ host: dirname(dataSet), guest: "/data", access: "read" }] },
  limits: { wallTimeMs: 2_000, memoryBytes: 32 * MiB },
  outputSchema: z.array(
    z.object({ year: z.int(), rainiestMonth: z.int(), hottestDay: z.string(), hotDays: z.int() }),
  ),
});

if (result.status !== "ok") {
  console.error(result.status === "rejected" ? result.diagnostics.map((d) => d.rendered).join("\n") : result);
  process.exitCode = 1;
} else {
  console.log(JSON.stringify(result.output, null, 2));
  console.log(`module from   ${result.moduleFrom} in ${result.compileMs.toFixed(1)} ms`);
  console.log(`run           ${result.durationMs.toFixed(1)} ms`);
  console.log(`peak memory   ${((result.peakMemoryBytes ?? 0) / MiB).toFixed(1)} MiB`);
  console.log(`isolation     ${result.isolation?.cell} cell, jail: ${result.isolation?.jail}`);
}

async function findOrInstallToolchain() {
  const cacheDir = defaultCacheDir();
  try {
    return await findToolchain({ cacheDir });
  } catch (error) {
    if (!(error instanceof ScriptcellError)) throw error;
    console.log(
      `${error.message}\ninstalling a toolchain into ${cacheDir} (once; nothing else on this system is changed)`,
    );
    return setupToolchain({ cacheDir, onProgress: (event) => console.log(`  ${event.message}`) });
  }
}
