import { Opcode } from "./opcodes.ts";
import type { OperatorCursor } from "./operator-cursor.ts";
import { addPlace } from "./places.ts";

const FIRST_ACCESS = 0x28;
const LAST_ACCESS = 0x3e;
const FIRST_NUMERIC = 0x45;
const LAST_NUMERIC = 0xc4;

/** How many are passed over at a time, so that whoever counts them hears of them before there are too many. */
const MOST_OPERATORS = 64;
/** Indices and sizes from here on take more than a byte. */
const ONE_BYTE = 0x80;
/** A log2 of an alignment, without flags. */
const MOST_ALIGNMENTS = 0x20;

/**
 * Passes over operators that only compute (with integers, locals, globals, loads and stores), most of any code, and gives their number: in one loop, without
 * reading them into the cursor. It stops before any other operator and before whatever is not encoded as compilers do, so that it is
 * `nextOperator` alone that has to tell what is wrong.
 *
 * A chain of comparisons in one piece: a table to look up what to do with an opcode is slower, and so are functions.
 */
export function skipComputing(cursor: OperatorCursor): number {
  const { bytes, end, params, firstLocal } = cursor;
  const { memories } = cursor.spaces;
  const locals = Math.min(cursor.locals, ONE_BYTE);
  const globals = Math.min(cursor.spaces.globals, ONE_BYTE);
  let at = cursor.at;
  let count = 0;
  for (; count < MOST_OPERATORS; count += 1) {
    const opcode = bytes[at] ?? 0;
    let next = at + 1;
    if (opcode >= FIRST_NUMERIC) {
      if (opcode > LAST_NUMERIC) break;
    } else if (opcode < FIRST_ACCESS) {
      if (opcode >= Opcode.localGet && opcode <= Opcode.localTee) {
        const index = bytes[next] ?? ONE_BYTE;
        next += 1;
        if (index >= locals) break;
        if (index === params && next <= end) addPlace(firstLocal, at);
      } else if (opcode === Opcode.globalGet || opcode === Opcode.globalSet) {
        if ((bytes[next] ?? ONE_BYTE) >= globals) break;
        next += 1;
      } else if (opcode !== Opcode.select) break;
    } else {
      let free = 4;
      let last = 0x07;
      if (opcode <= LAST_ACCESS) {
        if (memories === 0 || (bytes[next] ?? ONE_BYTE) >= MOST_ALIGNMENTS) break;
        next += 1;
        last = 0x0f;
      } else if (opcode === Opcode.i64Const) {
        free = 9;
        last = 0x00;
      } else if (opcode !== Opcode.i32Const) break;
      // An integer: these bytes of it may be anything, and one more, which linkers write to leave room for any address, is taken up to `last`.
      const lastAt = next + free;
      while (next < lastAt && (bytes[next] ?? ONE_BYTE) >= ONE_BYTE) next += 1;
      if (next === lastAt && (bytes[next] ?? ONE_BYTE) > last) break;
      next += 1;
    }
    // Past the end of the body there are the bytes of another: a body that does not end with `end` is left to `nextOperator`.
    if (next > end) break;
    at = next;
  }
  cursor.at = at;
  return count;
}
