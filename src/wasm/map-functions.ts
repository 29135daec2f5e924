import { type Cursor, readByte, readU32 } from "./cursor.ts";
import { indexSpaces } from "./indices.ts";
import type { IndexSpaces, Segment, WasmModule } from "./module.ts";
import { Opcode } from "./opcodes.ts";
import { readConstant } from "./read-constant.ts";
import { ElementFlag } from "./read-segments.ts";
import { createWriter, writeByte, writeBytes, writeRange, writeU32, writtenBytes } from "./writer.ts";

type FunctionMap = (functionIndex: number) => number;

/** Puts other functions wherever a constant names one: in element segments and initial values of globals. */
export function mapFunctionsInConstants(module: WasmModule, map: FunctionMap): void {
  const spaces = indexSpaces(module);
  for (const global of module.globals) global.init = mapConstant(global.init, map);
  module.elements = module.elements.map((segment) => mapElements(segment, spaces, map));
}

function mapElements({ encoded }: Segment, spaces: IndexSpaces, map: FunctionMap): Segment {
  const cursor: Cursor = { bytes: encoded, at: 0, end: encoded.length };
  const constant = (): Uint8Array => readConstant(cursor, spaces, new Set());
  const flags = readU32(cursor);
  if (!(flags & ElementFlag.notActive)) {
    if (flags & ElementFlag.explicit) readU32(cursor);
    constant();
  }
  if (flags & (ElementFlag.notActive | ElementFlag.explicit)) readByte(cursor);
  let left = readU32(cursor);
  const writer = createWriter(encoded.length + 64);
  writeRange(writer, encoded, 0, cursor.at);
  for (; left > 0; left -= 1) {
    if (flags & ElementFlag.expressions) writeBytes(writer, mapConstant(constant(), map));
    else writeU32(writer, map(readU32(cursor)));
  }
  return { encoded: writtenBytes(writer) };
}

/** A constant that is a function consists of that alone. */
function mapConstant(encoded: Uint8Array, map: FunctionMap): Uint8Array {
  if (encoded[0] !== Opcode.refFunc) return encoded;
  const writer = createWriter(encoded.length + 5);
  writeByte(writer, Opcode.refFunc);
  writeU32(writer, map(readU32({ bytes: encoded, at: 1, end: encoded.length })));
  writeByte(writer, Opcode.end);
  return writtenBytes(writer);
}
