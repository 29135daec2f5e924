/**
 * Asks for many modules at once and says for each where it came from. Arguments: the store's directory, how many, and a
 * file that gets a line for every compile.
 */
import { appendFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { openStore } from "../../../src/store/tiered.ts";
import { moduleBytes, sampleKey } from "./modules.ts";

const [directory = "", count = "0", log = ""] = process.argv.slice(2);
const store = openStore({ directory });

const origins = await Promise.all(
  Array.from({ length: Number(count) }, async (_, n) => {
    const key = sampleKey(n);
    const found = await store.getOrCompile(key, async () => {
      await appendFile(log, `${n}\n`);
      await sleep(50);
      return { ok: true, module: { bytes: moduleBytes(key, 5_000), diagnostics: [] } };
    });
    if (!found.ok) throw new Error("not found");
    if (Buffer.compare(found.module.bytes, moduleBytes(key, 5_000)) !== 0) throw new Error("not the module");
    return found.from;
  }),
);
await store.close();
process.stdout.write(JSON.stringify(origins));
