import { readByte, readCount, readU32 } from "./cursor.ts";
import { WasmFormatError } from "./format-error.ts";
import { proposalOf } from "./opcodes.ts";
import type { OperatorCursor } from "./operator-cursor.ts";
import { asValueType, readValueType, refusedType } from "./value-types.ts";

/** An index into a space of `count` entities. */
export function readIndex(cursor: OperatorCursor, what: string, count: number): number {
  const start = cursor.at;
  // Nearly every index has one byte.
  const byte = cursor.bytes[start] ?? 0x80;
  if (byte < 0x80 && byte < count && start < cursor.end) {
    cursor.at = start + 1;
    return byte;
  }
  const index = readU32(cursor);
  if (index >= count) throw new WasmFormatError(`${what} ${index} does not exist: there are ${count}`, start);
  return index;
}

/** The one byte that names a memory: it could only be another one with several memories. */
export function readMemoryIndex(cursor: OperatorCursor): void {
  const start = cursor.at;
  if (readByte(cursor) !== 0)
    throw new WasmFormatError("a memory other than 0 (multiple memories) is not supported", start);
  expectMemory(cursor, start);
}

/** Alignment and offset. That the alignment is not above the natural one is left to validation. */
export function readMemoryArgument(cursor: OperatorCursor): void {
  const start = cursor.at;
  const alignment = readU32(cursor);
  if (alignment >= 0x40 && alignment < 0x80) {
    throw new WasmFormatError("a memory other than 0 (multiple memories) is not supported", start);
  }
  if (alignment >= 0x20) throw new WasmFormatError(`an alignment of 2^${alignment} is malformed`, start);
  readU32(cursor);
  expectMemory(cursor, start);
}

function expectMemory(cursor: OperatorCursor, offset: number): void {
  if (cursor.spaces.memories === 0) throw new WasmFormatError("memory 0 does not exist: there are 0", offset);
}

/**
 * A block's type: none, one value, or a type index as a signed 33-bit integer (core specification, section 5.4.1), of which
 * only the positive ones are meant; the last byte's sign bit must therefore be clear.
 */
export function readBlockType(cursor: OperatorCursor): void {
  const start = cursor.at;
  const byte = cursor.bytes[start];
  cursor.first = -1;
  if (start < cursor.end && byte !== undefined && byte >= 0x40 && byte < 0x80) {
    cursor.at += 1;
    if (byte !== 0x40 && asValueType(byte) === undefined) throw refusedType(byte, start);
    return;
  }
  const index = readIndex(cursor, "type", cursor.spaces.types);
  const last = cursor.bytes[cursor.at - 1] ?? 0;
  if (cursor.at - start < 5 && last >= 0x40)
    throw new WasmFormatError("a block has a negative type index", start);
  cursor.first = index;
}

/** The labels of a `br_table`, and its default after them. */
export function readLabelTable(cursor: OperatorCursor): void {
  const count = readCount(cursor, "labels of a br_table", cursor.bounds.branchTableLabels);
  cursor.first = count;
  cursor.labelsAt = cursor.at;
  cursor.outermost = 0;
  for (let label = 0; label <= count; label += 1) {
    cursor.outermost = Math.max(cursor.outermost, readIndex(cursor, "label", cursor.depth));
  }
}

/** The types of a `select`: a vector, of which only length one is meant. */
export function readSelectTypes(cursor: OperatorCursor): void {
  const start = cursor.at;
  if (readU32(cursor) !== 1) throw new WasmFormatError("a select has to have exactly one type", start);
  readValueType(cursor);
}

export function readLanes(cursor: OperatorCursor, count: number, lanes: number): void {
  for (let lane = 0; lane < count; lane += 1) {
    const start = cursor.at;
    if (readByte(cursor) >= lanes) throw new WasmFormatError("a vector lane does not exist", start);
  }
}

/** The error for an operator that is not accepted. `number` is the one after a prefix. */
export function refusedOperator(opcode: number, number: number | undefined, offset: number): WasmFormatError {
  const hex = (value: number): string => `0x${value.toString(16).padStart(2, "0")}`;
  const name = number === undefined ? hex(opcode) : `${hex(opcode)} ${number}`;
  const proposal = proposalOf(opcode, number);
  return new WasmFormatError(
    proposal ? `operator ${name} (${proposal}) is not supported` : `operator ${name} does not exist`,
    offset,
  );
}
