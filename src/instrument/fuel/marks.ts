import { ModuleRefused } from "../refusal.ts";

/** What is to be written at a place in a body. */
export const MarkKind = {
  /** Pays for a stretch of code that is run as a whole or not at all. */
  charge: 0,
  /** The same at the entry of a function. */
  entry: 1,
  /** The same in the header of a loop, where it is also looked whether fuel is left. */
  loop: 2,
  /** The same behind a call, whose result the fuel is then. */
  afterCall: 3,
  /** Before a direct call, in tail position or not. */
  call: 4,
  /** Before a call through a table. */
  indirectCall: 5,
  /** Before a return, and before the end of the function. */
  return: 6,
  /** Before the guest ends itself. */
  trap: 7,
  /** Pays for the length of the range that an operator is about to work on. */
  length: 8,
  /** Looks whether fuel is left. */
  check: 9,
  /** A reference to a function. */
  reference: 10,
  /** Code that nothing leads to. */
  dead: 11,
  /** Keeps by how much a memory or a table is about to grow. */
  growth: 12,
  /** Pays for the growth that was kept, where it was not refused. */
  grown: 13,
} as const;

/** The marks of all bodies of a module, in the order of their places: columns that grow, because there may be millions. */
export interface Marks {
  count: number;
  /** As many as there may be. */
  most: number;
  /** Where: an offset in the bytes of the body. */
  at: Int32Array<ArrayBuffer>;
  kind: Uint8Array<ArrayBuffer>;
  /** Of a charge: fuel. */
  cost: Int32Array<ArrayBuffer>;
  /**
   * Of a charge, the function that is called at the end of the stretch; of a call or a reference, the one it names; -1 where there is
   * none, or none is known. Of dead code, where it ends.
   */
  callee: Int32Array<ArrayBuffer>;
}

/** Of a small module all bytes may be marked. */
const ALWAYS_ACCEPTED = 65_536;

/**
 * Marks for a module of so many bytes. Compiled code has one for every ten to fifteen bytes; the columns grow where there are more. In a module
 * that is made of nothing but calls and loops they would take many times its size, and it is refused.
 */
export function createMarks(moduleBytes: number): Marks {
  const capacity = 1_024 + Math.ceil(moduleBytes / 12);
  return { count: 0, most: Math.max(ALWAYS_ACCEPTED, Math.ceil(moduleBytes / 2)), ...columns(capacity) };
}

function columns(capacity: number): Pick<Marks, "at" | "kind" | "cost" | "callee"> {
  return {
    at: new Int32Array(capacity),
    kind: new Uint8Array(capacity),
    cost: new Int32Array(capacity),
    callee: new Int32Array(capacity),
  };
}

/**
 * Adds a mark and gives its index.
 *
 * @throws {ModuleRefused} where there are too many.
 */
export function addMark(marks: Marks, kind: number, at: number, callee: number): number {
  const index = marks.count;
  if (index === marks.at.length) grow(marks);
  marks.at[index] = at;
  marks.kind[index] = kind;
  marks.callee[index] = callee;
  marks.count = index + 1;
  return index;
}

function grow(marks: Marks): void {
  const { most, at, kind, cost, callee } = marks;
  if (at.length >= most) {
    throw new ModuleRefused(
      "its code has too many calls, branches and loops for its size",
      "compile it again with a compiler that is known to work",
    );
  }
  const larger = columns(Math.min(2 * at.length, most));
  larger.at.set(at);
  larger.kind.set(kind);
  larger.cost.set(cost);
  larger.callee.set(callee);
  Object.assign(marks, larger);
}
