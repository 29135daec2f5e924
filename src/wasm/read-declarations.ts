import { type Cursor, readByte, readCount, readName, readU32 } from "./cursor.ts";
import { WasmFormatError } from "./format-error.ts";
import type { ExternKind, ImportedItem, Memory, SizeRange, Table } from "./module.ts";
import { quote } from "./quote.ts";
import { readConstant } from "./read-constant.ts";
import type { ReadState } from "./read-state.ts";
import { readReferenceType, readValueType, type ValueType } from "./value-types.ts";

const MAX_PAGES = 65_536;
const MAX_TABLE_ELEMENTS = 0xffff_ffff;

const REFUSED_TYPE_FORMS = new Map<number, string>([
  [0x5f, "struct type (garbage collection)"],
  [0x5e, "array type (garbage collection)"],
  [0x5d, "continuation type (stack switching)"],
  [0x50, "sub type (garbage collection)"],
  [0x4f, "final sub type (garbage collection)"],
  [0x4e, "recursive type group (garbage collection)"],
]);

export function readTypes({ cursor, module, spaces, bounds }: ReadState): void {
  let values = 0;
  for (let left = readCount(cursor, "types", bounds.types); left > 0; left -= 1) {
    const start = cursor.at;
    const form = readByte(cursor);
    if (form !== 0x60) {
      const name = REFUSED_TYPE_FORMS.get(form);
      throw new WasmFormatError(name ? `${name} is not supported` : "a type is not a function type", start);
    }
    const params = readValueTypes(cursor, "parameters", bounds.params);
    const results = readValueTypes(cursor, "results", bounds.results);
    values += params.length + results.length;
    if (values > bounds.typeValues) {
      throw new WasmFormatError(
        `more than ${bounds.typeValues} parameters and results of types together`,
        start,
      );
    }
    module.types.push({ params, results });
    spaces.types += 1;
  }
}

function readValueTypes(cursor: Cursor, what: string, most: number): readonly ValueType[] {
  const values: ValueType[] = [];
  for (let left = readCount(cursor, what, most); left > 0; left -= 1) values.push(readValueType(cursor));
  return values;
}

export function readImports(state: ReadState): void {
  const { cursor, module, bounds } = state;
  for (let left = readCount(cursor, "imports", bounds.imports); left > 0; left -= 1) {
    const offset = cursor.at;
    const from = readName(cursor, bounds.nameBytes);
    const name = readName(cursor, bounds.nameBytes);
    module.imports.push({ module: from, name, offset, ...readImportedItem(state) });
  }
}

function readImportedItem(state: ReadState): ImportedItem {
  const { cursor, spaces } = state;
  const start = cursor.at;
  const kind = readByte(cursor);
  switch (kind) {
    case 0x00:
      spaces.functions += 1;
      return { kind: "function", typeIndex: readTypeIndex(state) };
    case 0x01:
      spaces.tables += 1;
      return { kind: "table", table: readTable(state) };
    case 0x02:
      spaces.memories += 1;
      return { kind: "memory", memory: readMemory(state) };
    case 0x03:
      spaces.globals += 1;
      return { kind: "global", ...readGlobalType(state) };
    case 0x04:
      throw new WasmFormatError("an imported tag (exceptions) is not supported", start);
    default:
      throw new WasmFormatError(`import kind ${kind} does not exist`, start);
  }
}

export function readFunctions(state: ReadState): void {
  const { cursor, module, spaces, bounds } = state;
  for (let left = readCount(cursor, "functions", bounds.functions); left > 0; left -= 1) {
    module.functions.push(readTypeIndex(state));
    spaces.functions += 1;
  }
}

function readTypeIndex({ cursor, spaces }: ReadState): number {
  const start = cursor.at;
  const index = readU32(cursor);
  if (index >= spaces.types)
    throw new WasmFormatError(`type ${index} does not exist: there are ${spaces.types}`, start);
  return index;
}

export function readTables(state: ReadState): void {
  for (let left = readCount(state.cursor, "tables", state.bounds.tables); left > 0; left -= 1) {
    state.module.tables.push(readTable(state));
    state.spaces.tables += 1;
  }
}

function readTable({ cursor }: ReadState): Table {
  const offset = cursor.at;
  if (cursor.bytes[offset] === 0x40) {
    throw new WasmFormatError(
      "a table with an initial value (typed function references) is not supported",
      offset,
    );
  }
  const type = readReferenceType(cursor);
  const flagsAt = cursor.at;
  const flags = readU32(cursor);
  if (flags > 1) throw refusedFlags("table", flags, flagsAt);
  return { type, offset, ...readSizeRange(cursor, flags === 1, MAX_TABLE_ELEMENTS, "table elements") };
}

export function readMemories(state: ReadState): void {
  for (let left = readCount(state.cursor, "memories", state.bounds.memories); left > 0; left -= 1) {
    state.module.memories.push(readMemory(state));
    state.spaces.memories += 1;
  }
}

function readMemory({ cursor }: ReadState): Memory {
  const offset = cursor.at;
  const flags = readU32(cursor);
  if (flags > 1) throw refusedFlags("memory", flags, offset);
  return { offset, ...readSizeRange(cursor, flags === 1, MAX_PAGES, "pages of memory") };
}

function refusedFlags(what: string, flags: number, offset: number): WasmFormatError {
  if (flags > 0x0f) return new WasmFormatError(`${what} flags 0x${flags.toString(16)} do not exist`, offset);
  const name =
    flags & 4
      ? `a 64-bit ${what} (memory64)`
      : flags & 2
        ? `a shared ${what} (threads)`
        : `a ${what} with its own page size`;
  return new WasmFormatError(`${name} is not supported`, offset);
}

function readSizeRange(cursor: Cursor, bounded: boolean, most: number, what: string): SizeRange {
  const size = (): number => {
    const start = cursor.at;
    const value = readU32(cursor);
    if (value > most) throw new WasmFormatError(`${value} ${what} are more than ${most}`, start);
    return value;
  };
  const start = cursor.at;
  const minimum = size();
  const maximum = bounded ? size() : undefined;
  if (maximum !== undefined && maximum < minimum) {
    throw new WasmFormatError(`the maximum of ${maximum} ${what} is below the minimum of ${minimum}`, start);
  }
  return { minimum, maximum };
}

export function readGlobals(state: ReadState): void {
  const { cursor, module, spaces, bounds } = state;
  for (let left = readCount(cursor, "globals", bounds.globals); left > 0; left -= 1) {
    module.globals.push({ ...readGlobalType(state), init: readConstant(cursor, spaces, module.addressed) });
    spaces.globals += 1;
  }
}

function readGlobalType({ cursor }: ReadState): { type: ValueType; mutable: boolean } {
  const type = readValueType(cursor);
  const start = cursor.at;
  const flags = readByte(cursor);
  if (flags > 1) {
    throw new WasmFormatError(
      flags < 4
        ? "a shared global (threads) is not supported"
        : `global flags 0x${flags.toString(16)} do not exist`,
      start,
    );
  }
  return { type, mutable: flags === 1 };
}

const EXTERN_KINDS: readonly ExternKind[] = ["function", "table", "memory", "global"];

export function readExports({ cursor, module, spaces, bounds }: ReadState): void {
  const names = new Set<string>();
  const counts = {
    function: spaces.functions,
    table: spaces.tables,
    memory: spaces.memories,
    global: spaces.globals,
  };
  for (let left = readCount(cursor, "exports", bounds.exports); left > 0; left -= 1) {
    const offset = cursor.at;
    const name = readName(cursor, bounds.nameBytes);
    if (names.has(name)) throw new WasmFormatError(`two exports are called ${quote(name)}`, offset);
    names.add(name);
    const kindAt = cursor.at;
    const byte = readByte(cursor);
    const kind = EXTERN_KINDS[byte];
    if (byte === 4) throw new WasmFormatError("an exported tag (exceptions) is not supported", kindAt);
    if (kind === undefined) throw new WasmFormatError(`export kind ${byte} does not exist`, kindAt);
    const indexAt = cursor.at;
    const index = readU32(cursor);
    if (index >= counts[kind])
      throw new WasmFormatError(`${kind} ${index} does not exist: there are ${counts[kind]}`, indexAt);
    if (kind === "function") module.addressed.add(index);
    module.exports.push({ name, kind, index, offset });
  }
}

export function readStart({ cursor, module, spaces }: ReadState): void {
  const offset = cursor.at;
  const functionIndex = readU32(cursor);
  if (functionIndex >= spaces.functions) {
    throw new WasmFormatError(
      `function ${functionIndex} does not exist: there are ${spaces.functions}`,
      offset,
    );
  }
  module.start = { functionIndex, offset };
}
