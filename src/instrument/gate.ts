import { sameType, typeIndicesOfFunctions } from "../wasm/indices.ts";
import type { FunctionType, Import, WasmModule } from "../wasm/module.ts";
import { quote } from "../wasm/quote.ts";
import { RESERVED_PREFIX } from "../wasm/reserved.ts";
import { ValueType } from "../wasm/value-types.ts";
import { elementCap, type ModuleCaps, PAGE_BYTES, pageCap } from "./caps.ts";
import { ModuleRefused } from "./refusal.ts";
import { PREVIEW1_FUNCTIONS, PREVIEW1_MODULE } from "./wasi-preview1.ts";

/** Refuses a module that is not a WASI preview 1 command within its caps. The rules, in the order of the sections. */
export function gate(module: WasmModule, caps: ModuleCaps): void {
  expectPreview1Imports(module);
  expectSmallTables(module, caps);
  expectOneSmallMemory(module, caps);
  expectFreeReservedNames(module);
  expectCommandExports(module);
  expectNoStart(module);
}

const FOR_PREVIEW1 =
  "compile it for wasm32-wasip1 (a command with `fn main`), with the target's default features";

function expectPreview1Imports({ imports, types }: WasmModule): void {
  for (const item of imports) {
    const { offset } = item;
    if (item.kind !== "function")
      throw new ModuleRefused(`it imports a ${item.kind}, ${told(item)}`, FOR_PREVIEW1, { offset });
    if (item.module !== PREVIEW1_MODULE) {
      throw new ModuleRefused(
        `it imports ${told(item)}, and only ${PREVIEW1_MODULE} can be had`,
        "remove what asks for it (an `extern` block, or a crate for browsers or for preview 2)",
        { offset },
      );
    }
    const known = PREVIEW1_FUNCTIONS.get(item.name);
    const type = types[item.typeIndex];
    if (known === undefined || type === undefined) {
      throw new ModuleRefused(`WASI preview 1 has no function ${quote(item.name)}`, FOR_PREVIEW1, { offset });
    }
    if (!sameType(known, type)) {
      throw new ModuleRefused(
        `it imports ${item.name} as ${signature(type)}, which is ${signature(known)}`,
        "declare the function with its own parameters and result",
        { offset },
      );
    }
  }
}

function told({ module, name }: Import): string {
  return `${quote(module)} ${quote(name)}`;
}

function expectSmallTables({ tables }: WasmModule, caps: ModuleCaps): void {
  const cap = elementCap(caps);
  for (const { minimum, offset } of tables) {
    if (minimum <= cap) continue;
    throw new ModuleRefused(
      `its table has ${minimum} elements, above the limit of ${cap}`,
      "raise limits.tableElements, or declare fewer",
      { offset },
    );
  }
}

function expectOneSmallMemory({ memories }: WasmModule, caps: ModuleCaps): void {
  const [memory] = memories;
  if (memory === undefined || memories.length !== 1) {
    throw new ModuleRefused(`it defines ${memories.length} memories instead of one`, FOR_PREVIEW1);
  }
  if (memory.minimum <= pageCap(caps)) return;
  throw new ModuleRefused(
    `it starts with ${memory.minimum * PAGE_BYTES} bytes of memory, above the limit of ${caps.memoryBytes}`,
    "raise limits.memoryBytes, or declare smaller statics",
    { offset: memory.offset },
  );
}

function expectFreeReservedNames({ exports }: WasmModule): void {
  for (const { name, offset } of exports) {
    if (!name.startsWith(RESERVED_PREFIX)) continue;
    throw new ModuleRefused(`it exports ${quote(name)}, a reserved name`, "give the export another name", {
      offset,
    });
  }
}

function expectCommandExports(module: WasmModule): void {
  const byName = new Map(module.exports.map((item) => [item.name, item]));
  const memory = byName.get("memory");
  if (memory?.kind !== "memory") {
    throw new ModuleRefused("it does not export its memory as `memory`", FOR_PREVIEW1, at(memory));
  }
  const start = byName.get("_start");
  if (start?.kind !== "function") {
    throw new ModuleRefused("it does not export a function `_start`", FOR_PREVIEW1, at(start));
  }
  const type = module.types[typeIndicesOfFunctions(module)[start.index] ?? -1];
  if (type === undefined || type.params.length > 0 || type.results.length > 0) {
    throw new ModuleRefused(
      `its _start is ${type ? signature(type) : "of no type"} instead of () -> ()`,
      FOR_PREVIEW1,
      at(start),
    );
  }
  const initialize = byName.get("_initialize");
  if (initialize !== undefined) {
    throw new ModuleRefused(
      "it exports _initialize too, so it is both a command and a library",
      FOR_PREVIEW1,
      at(initialize),
    );
  }
}

function expectNoStart({ start }: WasmModule): void {
  if (start === undefined) return;
  throw new ModuleRefused(
    "it has a start function, which would run before the run begins",
    "call that function from `main`",
    { offset: start.offset },
  );
}

function at(place: { offset: number } | undefined): { offset?: number } {
  return place === undefined ? {} : { offset: place.offset };
}

const TYPE_NAMES = new Map<number, string>(Object.entries(ValueType).map(([name, byte]) => [byte, name]));

function signature({ params, results }: FunctionType): string {
  const list = (types: FunctionType["params"]): string => {
    const names = types.slice(0, 10).map((type) => TYPE_NAMES.get(type) ?? "?");
    return `(${names.join(", ")}${types.length > names.length ? ", …" : ""})`;
  };
  return `${list(params)} -> ${list(results)}`;
}
