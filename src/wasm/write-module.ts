import type { Export, FunctionType, Global, Import, Names, SizeRange, Table, WasmModule } from "./module.ts";
import type { ValueType } from "./value-types.ts";
import {
  createWriter,
  type Writer,
  writeByte,
  writeBytes,
  writeName,
  writeRange,
  writeSized,
  writeU32,
  writtenBytes,
} from "./writer.ts";

/** Encodes a module: its sections in order, sections without contents left out. */
export function writeModule(module: WasmModule): Uint8Array<ArrayBuffer> {
  const writer = createWriter(estimate(module));
  writeBytes(writer, new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]));
  const { start, dataCount } = module;
  writeVector(writer, 1, module.types, writeType);
  writeVector(writer, 2, module.imports, writeImport);
  writeVector(writer, 3, module.functions, writeU32);
  writeVector(writer, 4, module.tables, writeTable);
  writeVector(writer, 5, module.memories, writeSizeRange);
  writeVector(writer, 6, module.globals, writeGlobal);
  writeVector(writer, 7, module.exports, writeExport);
  if (start !== undefined) writeSection(writer, 8, () => writeU32(writer, start.functionIndex));
  writeVector(writer, 9, module.elements, (_, { encoded }) => writeBytes(writer, encoded));
  if (dataCount !== undefined) writeSection(writer, 12, () => writeU32(writer, dataCount));
  writeVector(writer, 10, module.bodies, (_, { bytes, start: from, end }) => {
    writeU32(writer, end - from);
    writeRange(writer, bytes, from, end);
  });
  writeVector(writer, 11, module.data, (_, { encoded }) => writeBytes(writer, encoded));
  if (module.names !== undefined) writeNames(writer, module.names);
  return writtenBytes(writer);
}

/** Large enough for what compilers make: the writer grows where it is not. */
function estimate(module: WasmModule): number {
  const { types, imports, functions, globals, exports, bodies, data, elements, names } = module;
  let bytes = 1024 + 32 * types.length + 64 * (imports.length + exports.length) + 16 * globals.length;
  bytes += 3 * functions.length;
  for (const { start, end } of bodies) bytes += end - start + 5;
  for (const { encoded } of data) bytes += encoded.length;
  for (const { encoded } of elements) bytes += encoded.length;
  return bytes + (names?.functions?.length ?? 0);
}

function writeSection(writer: Writer, id: number, write: () => void): void {
  writeByte(writer, id);
  writeSized(writer, write);
}

function writeVector<Item>(
  writer: Writer,
  id: number,
  items: readonly Item[],
  write: (writer: Writer, item: Item) => void,
): void {
  if (items.length === 0) return;
  writeSection(writer, id, () => {
    writeU32(writer, items.length);
    for (const item of items) write(writer, item);
  });
}

function writeType(writer: Writer, { params, results }: FunctionType): void {
  writeByte(writer, 0x60);
  writeValueTypes(writer, params);
  writeValueTypes(writer, results);
}

function writeValueTypes(writer: Writer, types: readonly ValueType[]): void {
  writeU32(writer, types.length);
  for (const type of types) writeByte(writer, type);
}

function writeImport(writer: Writer, item: Import): void {
  writeName(writer, item.module);
  writeName(writer, item.name);
  switch (item.kind) {
    case "function":
      writeByte(writer, 0x00);
      writeU32(writer, item.typeIndex);
      break;
    case "table":
      writeByte(writer, 0x01);
      writeTable(writer, item.table);
      break;
    case "memory":
      writeByte(writer, 0x02);
      writeSizeRange(writer, item.memory);
      break;
    case "global":
      writeByte(writer, 0x03);
      writeGlobalType(writer, item);
      break;
  }
}

function writeTable(writer: Writer, table: Table): void {
  writeByte(writer, table.type);
  writeSizeRange(writer, table);
}

function writeSizeRange(writer: Writer, { minimum, maximum }: SizeRange): void {
  writeByte(writer, maximum === undefined ? 0 : 1);
  writeU32(writer, minimum);
  if (maximum !== undefined) writeU32(writer, maximum);
}

function writeGlobal(writer: Writer, global: Global): void {
  writeGlobalType(writer, global);
  writeBytes(writer, global.init);
}

function writeGlobalType(writer: Writer, { type, mutable }: Pick<Global, "type" | "mutable">): void {
  writeByte(writer, type);
  writeByte(writer, mutable ? 1 : 0);
}

const EXTERN_KIND_BYTES = { function: 0x00, table: 0x01, memory: 0x02, global: 0x03 } as const;

function writeExport(writer: Writer, { name, kind, index }: Export): void {
  writeName(writer, name);
  writeByte(writer, EXTERN_KIND_BYTES[kind]);
  writeU32(writer, index);
}

function writeNames(writer: Writer, names: Names): void {
  writeSection(writer, 0, () => {
    writeName(writer, "name");
    for (const [id, encoded] of [names.module, names.functions].entries()) {
      if (encoded === undefined) continue;
      writeByte(writer, id);
      writeU32(writer, encoded.length);
      writeBytes(writer, encoded);
    }
  });
}
