/** Writes modules of 64 kB, four at a time, until it is killed. Argument: the store's directory. */
import { flushCompileCache } from "node:module";
import { openStore } from "../../../src/store/tiered.ts";
import { moduleBytes, sampleKey } from "./modules.ts";

// Otherwise written at the exit, to which it does not come.
flushCompileCache();
const store = openStore({ directory: process.argv[2] ?? "", memoryBytes: 0 });
let next = 0;

async function writeOne(): Promise<void> {
  const key = sampleKey(next++ % 64);
  const module = { bytes: moduleBytes(key, 64_000), diagnostics: [] };
  await store.getOrCompile(key, async () => ({ ok: true, module }));
  await store.set(key, module);
}

async function writeForEver(): Promise<void> {
  for (;;) await writeOne();
}

process.stdout.write("starting\n");
await writeOne();
process.stdout.write("stored\n");
await Promise.all([writeForEver(), writeForEver(), writeForEver(), writeForEver()]);
