import type { OperatorCursor, OperatorVisitor } from "../../wasm/operator-cursor.ts";
import type { Places } from "../../wasm/places.ts";
import { addMark, MarkKind, type Marks } from "./marks.ts";

/** What was found about a body. Its marks are `[first, last)`, the entry's being the first. */
export interface BodyPlan {
  first: number;
  last: number;
  params: number;
  /** Parameters and declared locals. */
  locals: number;
  /** Its operators on the first local behind the parameters are `[firstLocal, lastLocal)` of {@link Planner.firstLocal}. */
  firstLocal: number;
  lastLocal: number;
  loops: boolean;
  /** Whether a branch leads to the end of the function. */
  branchesToEnd: boolean;
  /** Whether it works on ranges whose length it has to pay for. */
  paysLengths: boolean;
  /** Whether it calls through a table. */
  callsIndirectly: boolean;
}

/** An open block. Frame 0 is the body itself. */
export interface Frame {
  opcode: number;
  /** The charge that was open when the block was entered. */
  charge: number;
  /** The outermost frame that control may go to from inside without passing the end of this one; 0 where it may not go on at all. */
  low: number;
  /** Whether control comes to its end. */
  ends: boolean;
  reachable: boolean;
  /** The most fuel since the last look, at the entry of the block and where it ends. */
  sinceEntry: number;
  sinceEnd: number;
}

/** Plans bodies one after the other, operator by operator, while the reader walks them. */
export interface Planner extends OperatorVisitor {
  readonly marks: Marks;
  readonly plans: BodyPlan[];
  /** The reader's list of such operators ({@link OperatorCursor.firstLocal}). */
  firstLocal: Places;
  readonly frames: Frame[];
  plan: BodyPlan;
  depth: number;
  /** The open charge. */
  charge: number;
  /** Whether control can come to the next operator. What it cannot come to costs nothing. */
  reachable: boolean;
  since: number;
  /** Where code begins that nothing leads to, while `reachable` is false. */
  deadFrom: number;
}

/** A plan for the body that begins at the cursor. `first` is its first mark. */
export function emptyPlan(
  first: number,
  { params, locals, firstLocal }: Pick<OperatorCursor, "params" | "locals" | "firstLocal">,
): BodyPlan {
  return {
    first,
    last: first,
    params,
    locals,
    firstLocal: firstLocal.count,
    lastLocal: firstLocal.count,
    loops: false,
    branchesToEnd: false,
    paysLengths: false,
    callsIndirectly: false,
  };
}

/** Begins a stretch of code that is paid for as a whole. */
export function startCharge(planner: Planner, kind: number, at: number): void {
  planner.charge = addMark(planner.marks, kind, at, -1);
}

/** Nothing leads to the code from here on. It is left out: with a stack of fuel under it, it might not be valid. */
export function die(planner: Planner, at: number): void {
  planner.reachable = false;
  planner.deadFrom = at;
}

/** Ends code that nothing leads to, where control may come again. */
export function leaveOut({ marks, deadFrom }: Planner, until: number): void {
  if (deadFrom < until) addMark(marks, MarkKind.dead, deadFrom, until);
}
