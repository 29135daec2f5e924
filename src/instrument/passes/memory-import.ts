import { MEMORY_IMPORT } from "../../wasm/reserved.ts";
import type { Pass } from "../pass.ts";

/**
 * Makes the guest's memory an import, with the sizes it had. The cell then provides it, and can give a guest the memory of
 * the one before, zeroed: a fresh memory costs V8 a reservation of gigabytes and, every few dozen runs, a collection.
 * The memory keeps its index, and whatever the guest exports stays exported.
 */
export const memoryImport: Pass = (module) => {
  for (const memory of module.memories.splice(0)) {
    module.imports.push({ ...MEMORY_IMPORT, kind: "memory", memory, offset: memory.offset });
  }
};
