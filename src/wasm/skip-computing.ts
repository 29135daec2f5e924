import type { IndexSpaces } from "./module.ts";
import type { OperatorCursor } from "./operator-cursor.ts";

/** How an operator is passed over. What is not here, or is encoded otherwise than compilers do, is for `nextOperator`. */
const Skip = { not: 0, alone: 1, local: 2, global: 3, access: 4, i32: 5, i64: 6, f32: 7, f64: 8 } as const;

const SKIPS = new Uint8Array(256);
SKIPS[0x1b] = Skip.alone; // select
SKIPS.fill(Skip.local, 0x20, 0x23);
SKIPS.fill(Skip.global, 0x23, 0x25);
SKIPS.fill(Skip.access, 0x28, 0x3f);
SKIPS[0x41] = Skip.i32;
SKIPS[0x42] = Skip.i64;
SKIPS[0x43] = Skip.f32;
SKIPS[0x44] = Skip.f64;
SKIPS.fill(Skip.alone, 0x45, 0xc5);

/** No operator that is passed over here has more bytes: as long as there are so many, none has to be looked for. */
const MOST_BYTES = 16;
/** How many are passed over at a time, so that whoever counts them hears of them before there are too many. */
const MOST_OPERATORS = 64;

/**
 * Passes over operators that only compute (numbers, locals, globals, loads and stores), most of any code, and gives their number: in one loop, without
 * reading them into the cursor. It stops before any other operator, before one on the local `except`, and before
 * whatever is not encoded as expected, so that it is `nextOperator` alone that has to tell what is wrong.
 */
export function skipComputing(cursor: OperatorCursor, except: number): number {
  const { bytes, locals, spaces } = cursor;
  const safeEnd = cursor.end - MOST_BYTES;
  let at = cursor.at;
  let count = 0;
  while (at <= safeEnd && count < MOST_OPERATORS) {
    const size = sizeAt(bytes, at, locals, except, spaces);
    if (size === 0) break;
    at += size;
    count += 1;
  }
  cursor.at = at;
  return count;
}

/** Bytes of the operator at a place, or 0 where it is not to be passed over. */
function sizeAt(bytes: Uint8Array, at: number, locals: number, except: number, spaces: IndexSpaces): number {
  switch (SKIPS[bytes[at] ?? 0]) {
    case Skip.alone:
      return 1;
    case Skip.local: {
      const index = bytes[at + 1] ?? 0x80;
      return index < 0x80 && index < locals && index !== except ? 2 : 0;
    }
    case Skip.global: {
      const index = bytes[at + 1] ?? 0x80;
      return index < 0x80 && index < spaces.globals ? 2 : 0;
    }
    case Skip.access:
      return spaces.memories > 0 && (bytes[at + 1] ?? 0x80) < 0x20 ? withInteger(bytes, at, 2, 4, 0x0f) : 0;
    case Skip.i32:
      return withInteger(bytes, at, 1, 4, 0x07);
    case Skip.i64:
      return withInteger(bytes, at, 1, 9, 0x00);
    case Skip.f32:
      return 5;
    case Skip.f64:
      return 9;
    default:
      return 0;
  }
}

/**
 * Bytes of an operator whose integer begins at `offset`; 0 where the integer may be none. Its first `free` bytes may be anything; one more,
 * which linkers write where they leave room for any address, is taken up to `last`.
 */
function withInteger(bytes: Uint8Array, at: number, offset: number, free: number, last: number): number {
  const end = offset + free;
  for (let byte = offset; byte < end; byte += 1) if ((bytes[at + byte] ?? 0x80) < 0x80) return byte + 1;
  return (bytes[at + end] ?? 0x80) <= last ? end + 1 : 0;
}
