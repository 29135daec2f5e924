import { type Cursor, readByte, readS32, readU32, skipBytes, skipS64 } from "./cursor.ts";
import { WasmFormatError } from "./format-error.ts";
import type { IndexSpaces } from "./module.ts";
import { Opcode } from "./opcodes.ts";
import { readHeapType } from "./value-types.ts";

/**
 * Reads a constant expression up to its `end` and gives its bytes. Extended constants (add, sub, mul) count as constant.
 * Functions that it names are added to `addressed`.
 */
export function readConstant(cursor: Cursor, spaces: IndexSpaces, addressed: Set<number>): Uint8Array {
  const start = cursor.at;
  while (readConstantOperator(cursor, spaces, addressed) !== Opcode.end);
  return cursor.bytes.subarray(start, cursor.at);
}

function readConstantOperator(cursor: Cursor, spaces: IndexSpaces, addressed: Set<number>): number {
  const start = cursor.at;
  const opcode = readByte(cursor);
  switch (opcode) {
    case Opcode.end:
    case Opcode.i32Add:
    case Opcode.i32Sub:
    case Opcode.i32Mul:
    case Opcode.i64Add:
    case Opcode.i64Sub:
    case Opcode.i64Mul:
      return opcode;
    case Opcode.i32Const:
      readS32(cursor);
      return opcode;
    case Opcode.i64Const:
      skipS64(cursor);
      return opcode;
    case Opcode.f32Const:
      skipBytes(cursor, 4);
      return opcode;
    case Opcode.f64Const:
      skipBytes(cursor, 8);
      return opcode;
    case Opcode.v128Const >> 8:
      if (readU32(cursor) !== (Opcode.v128Const & 0xff)) break;
      skipBytes(cursor, 16);
      return opcode;
    case Opcode.refNull:
      readHeapType(cursor);
      return opcode;
    case Opcode.refFunc:
      addressed.add(expectIndex(cursor, "function", spaces.functions));
      return opcode;
    case Opcode.globalGet:
      expectIndex(cursor, "global", spaces.globals);
      return opcode;
  }
  throw new WasmFormatError(
    `operator 0x${opcode.toString(16).padStart(2, "0")} does not belong in a constant expression`,
    start,
  );
}

function expectIndex(cursor: Cursor, what: string, count: number): number {
  const start = cursor.at;
  const index = readU32(cursor);
  if (index >= count) throw new WasmFormatError(`${what} ${index} does not exist: there are ${count}`, start);
  return index;
}
