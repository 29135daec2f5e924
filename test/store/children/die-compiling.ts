/** Is killed in the middle of a compile, with a temporary file open. Arguments: the store's directory, a number for the key. */
import { writeFile } from "node:fs/promises";
import { newOwner } from "../../../src/owner.ts";
import { storeLayout, temporaryPath } from "../../../src/store/layout.ts";
import { openStore } from "../../../src/store/tiered.ts";
import { sampleKey } from "./modules.ts";

const [directory = "", n = "0"] = process.argv.slice(2);
const key = sampleKey(Number(n));
await openStore({ directory }).getOrCompile(key, async () => {
  await writeFile(temporaryPath(storeLayout(directory), key, newOwner()), "half an en");
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => {});
});
