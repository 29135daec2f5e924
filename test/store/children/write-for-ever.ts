/** Writes modules of a megabyte, four at a time, until it is killed. Argument: the store's directory. */
import { openStore } from "../../../src/store/tiered.ts";
import { moduleBytes, sampleKey } from "./modules.ts";

const store = openStore({ directory: process.argv[2] ?? "", memoryBytes: 0 });
let next = 0;

async function writeForEver(): Promise<void> {
  for (;;) {
    const key = sampleKey(next++ % 64);
    await store.getOrCompile(key, async () => {
      return { ok: true, module: { bytes: moduleBytes(key, 1_000_000), diagnostics: [] } };
    });
    await store.set(key, { bytes: moduleBytes(key, 1_000_000), diagnostics: [] });
  }
}

process.stdout.write("writing\n");
await Promise.all([writeForEver(), writeForEver(), writeForEver(), writeForEver()]);
