import type { ExternKind, FunctionType, IndexSpaces, WasmModule } from "./module.ts";

/** How many entities of a kind are imported; indices of defined ones follow them. */
export function countImports(module: WasmModule, kind: ExternKind): number {
  let count = 0;
  for (const item of module.imports) if (item.kind === kind) count += 1;
  return count;
}

/** Type indices of all functions by function index, imported ones first. */
export function typeIndicesOfFunctions(module: WasmModule): Uint32Array {
  const imported: number[] = [];
  for (const item of module.imports) if (item.kind === "function") imported.push(item.typeIndex);
  const indices = new Uint32Array(imported.length + module.functions.length);
  indices.set(imported);
  indices.set(module.functions, imported.length);
  return indices;
}

/** How many entities of each kind the operators of a whole module can refer to. */
export function indexSpaces(module: WasmModule): IndexSpaces {
  return {
    types: module.types.length,
    functions: countImports(module, "function") + module.functions.length,
    tables: countImports(module, "table") + module.tables.length,
    memories: countImports(module, "memory") + module.memories.length,
    globals: countImports(module, "global") + module.globals.length,
    elements: module.elements.length,
    data: module.dataCount ?? 0,
  };
}

export function sameType(one: FunctionType, other: FunctionType): boolean {
  return sameValues(one.params, other.params) && sameValues(one.results, other.results);
}

function sameValues(one: FunctionType["params"], other: FunctionType["params"]): boolean {
  return one.length === other.length && one.every((type, index) => type === other[index]);
}
