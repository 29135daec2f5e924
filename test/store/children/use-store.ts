/**
 * Uses a store whose disk may not serve, and says what came of it. Arguments: the store's directory, how many modules, and
 * bytes of each.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { openStore } from "../../../src/store/tiered.ts";
import { moduleBytes, sampleKey } from "./modules.ts";

const [directory = "", count = "0", size = "0"] = process.argv.slice(2);
const warnings: string[] = [];
const causes: unknown[] = [];
const store = openStore({
  directory,
  onWarning: (message, cause) => {
    warnings.push(message);
    causes.push(cause instanceof Error && "code" in cause ? cause.code : cause);
  },
});

const origins: string[] = [];
for (let round = 0; round < 2; round += 1) {
  for (let n = 0; n < Number(count); n += 1) {
    const key = sampleKey(n);
    const found = await store.getOrCompile(key, async () => {
      return { ok: true, module: { bytes: moduleBytes(key, Number(size)), diagnostics: [] } };
    });
    origins.push(found.ok ? found.from : "nowhere");
  }
}
await store.close();
const temporaries = await readdir(join(directory, "v1", "tmp")).catch(() => null);
const listed = (await store.list()).length;
process.stdout.write(JSON.stringify({ origins, warnings, causes, listed, temporaries }));
