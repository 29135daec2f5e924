import { countImports, sameType } from "./indices.ts";
import type { Body, Export, FunctionType, Global, WasmModule } from "./module.ts";

/** Index of a function type with these values: the one that the module has, or a new one at the end. */
export function internType(module: WasmModule, type: FunctionType): number {
  const found = module.types.findIndex((other) => sameType(other, type));
  if (found !== -1) return found;
  module.types.push(type);
  return module.types.length - 1;
}

/** Appends a function and gives its index. */
export function appendFunction(module: WasmModule, typeIndex: number, body: Body): number {
  module.functions.push(typeIndex);
  module.bodies.push(body);
  return countImports(module, "function") + module.functions.length - 1;
}

/** Appends a global and gives its index. */
export function appendGlobal(module: WasmModule, global: Global): number {
  module.globals.push(global);
  return countImports(module, "global") + module.globals.length - 1;
}

/** Appends an export. The name must be free. */
export function appendExport(module: WasmModule, item: Omit<Export, "offset">): void {
  module.exports.push({ ...item, offset: 0 });
}
