import { type Cursor, readCount, readU32 } from "./cursor.ts";
import { WasmFormatError } from "./format-error.ts";
import type { Body, IndexSpaces } from "./module.ts";
import { createPlaces, type Places } from "./places.ts";
import type { ReadBounds } from "./read-bounds.ts";
import { readValueType } from "./value-types.ts";

/**
 * Reads operators one after the other into its own fields: one cursor serves all bodies of a module, and nothing is
 * allocated on the way. The fields speak of the operator last read.
 */
export interface OperatorCursor extends Cursor {
  bytes: Uint8Array;
  /** Where the operator begins; `at` is where it ends. */
  start: number;
  opcode: number;
  /**
   * Its first index or number: label, function, type, local, global, table, data or element index, the number of an
   * `i32.const`, the count of labels of a `br_table`, the type index of a block (-1 where it has none).
   */
  first: number;
  /** Its second index: the table of `call_indirect` and `table.init`, the source of `table.copy`. */
  second: number;
  /** Of a `br_table`: the outermost label, and where the labels begin. */
  outermost: number;
  labelsAt: number;
  /** How many operators were passed over before it, which only compute (see {@link skipComputing}). */
  passed: number;
  /** Open blocks, the body itself being one: 0 once its last `end` was read. */
  depth: number;
  /** Parameters of this body. */
  params: number;
  /** Locals of this body, parameters included. */
  locals: number;
  /** Where operators on the first local behind the parameters begin, in all bodies so far. */
  readonly firstLocal: Places;
  readonly spaces: IndexSpaces;
  readonly bounds: ReadBounds;
}

/** Looks on while the bodies of a module are read, so that what it wants to know needs no second walk. */
export interface OperatorVisitor {
  /** A body begins; the cursor stands before its first operator. */
  enter(cursor: OperatorCursor): void;
  /** An operator was read, behind `passed` others. */
  operator(cursor: OperatorCursor): void;
}

export function operatorCursor(spaces: IndexSpaces, bounds: ReadBounds): OperatorCursor {
  const bytes = new Uint8Array();
  const counters = {
    start: 0,
    opcode: 0,
    first: 0,
    second: 0,
    outermost: 0,
    labelsAt: 0,
    passed: 0,
    depth: 0,
    params: 0,
    locals: 0,
  };
  return { bytes, at: 0, end: 0, ...counters, firstLocal: createPlaces(), spaces, bounds };
}

/** Goes to the start of a body, reads its declarations of locals and stops before its first operator. */
export function openBody(cursor: OperatorCursor, body: Body, params: number): void {
  cursor.bytes = body.bytes;
  cursor.at = body.start;
  cursor.end = body.end;
  cursor.depth = 1;
  const { localsPerFunction } = cursor.bounds;
  let locals = 0;
  for (let groups = readCount(cursor, "groups of locals", localsPerFunction); groups > 0; groups -= 1) {
    const start = cursor.at;
    locals += readU32(cursor);
    if (locals > localsPerFunction) {
      throw new WasmFormatError(
        `a function has ${locals} locals, and at most ${localsPerFunction} are accepted`,
        start,
      );
    }
    readValueType(cursor);
  }
  cursor.params = params;
  cursor.locals = params + locals;
}

/** Makes sure that the body ended with its last operator. */
export function closeBody(cursor: OperatorCursor): void {
  if (cursor.at !== cursor.end)
    throw new WasmFormatError("operators follow the end of a function", cursor.at);
}
