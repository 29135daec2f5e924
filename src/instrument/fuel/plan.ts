import { readU32 } from "../../wasm/cursor.ts";
import { Opcode } from "../../wasm/opcodes.ts";
import type { OperatorCursor, OperatorVisitor } from "../../wasm/operator-cursor.ts";
import { chargesGrowth, chargesLength, ENTRY_COST, operatorCost } from "./costs.ts";
import { addMark, createMarks, MarkKind, type Marks } from "./marks.ts";

/**
 * Fuel that may be used between two looks at what is left, calls apart, and not counting what the reader passes over at a time
 * ({@link skipComputing}).
 */
export const MAX_UNCHECKED = 256;
/** A function that never uses more than this, its callees included, does not look itself: its callers count it in. */
export const LIGHT = 32;

/** What was found about a body. Its marks are `[first, last)`, the entry's being the first. */
export interface BodyPlan {
  first: number;
  last: number;
  params: number;
  /** Parameters and declared locals. */
  locals: number;
  loops: boolean;
  /** Whether a branch leads to the end of the function. */
  branchesToEnd: boolean;
  /** Whether it works on ranges whose length it has to pay for. */
  paysLengths: boolean;
  /** Whether it calls through a table. */
  callsIndirectly: boolean;
}

/** An open block. Frame 0 is the body itself. */
interface Frame {
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

/** A planner for a module of so many bytes. */
export function createPlanner(moduleBytes: number): Planner {
  const planner: Planner = {
    marks: createMarks(1_024 + Math.ceil(moduleBytes / 4)),
    plans: [],
    frames: [],
    plan: emptyPlan(0, { params: 0, locals: 0 }),
    depth: -1,
    charge: 0,
    reachable: true,
    since: 0,
    deadFrom: 0,
    enter: (cursor) => planEntry(planner, cursor),
    operator: (cursor) => planOperator(planner, cursor),
    computing: (cursor, count) => planComputing(planner, cursor, count),
  };
  return planner;
}

/** Begins the next body; the cursor stands before its first operator. */
function planEntry(planner: Planner, cursor: OperatorCursor): void {
  const { marks } = planner;
  planner.plan = emptyPlan(marks.count, cursor);
  planner.plans.push(planner.plan);
  planner.depth = -1;
  planner.reachable = true;
  planner.since = ENTRY_COST;
  planner.charge = addMark(marks, MarkKind.entry, cursor.at, -1);
  marks.cost[planner.charge] = ENTRY_COST;
  openFrame(planner, Opcode.block);
}

/** Takes the operator that the cursor has read. */
function planOperator(planner: Planner, cursor: OperatorCursor): void {
  const { opcode } = cursor;
  if (planner.reachable) {
    const cost = operatorCost(opcode);
    planner.marks.cost[planner.charge] = (planner.marks.cost[planner.charge] ?? 0) + cost;
    planner.since += cost;
    if (opcode > Opcode.returnCallIndirect) planStraight(planner, cursor);
    else if (opcode >= Opcode.br || opcode === Opcode.unreachable) planTransfer(planner, cursor);
  }
  if (opcode <= Opcode.end && opcode >= Opcode.block) planBlocks(planner, cursor);
}

/** Takes operators that cost 1 each and need nothing written about them. */
function planComputing(planner: Planner, { at }: OperatorCursor, count: number): void {
  if (!planner.reachable) return;
  const { marks } = planner;
  marks.cost[planner.charge] = (marks.cost[planner.charge] ?? 0) + count;
  planner.since += count;
  if (planner.since < MAX_UNCHECKED) return;
  planner.since = 0;
  addMark(marks, MarkKind.check, at, -1);
}

/** An operator that control goes through to the next. */
function planStraight(planner: Planner, { opcode, first, start, at }: OperatorCursor): void {
  const { marks, plan } = planner;
  if (chargesLength(opcode)) {
    plan.paysLengths = true;
    planner.since = 0;
    addMark(marks, MarkKind.length, start, -1);
  } else if (chargesGrowth(opcode)) {
    plan.paysLengths = true;
    planner.since = 0;
    addMark(marks, MarkKind.growth, start, -1);
    addMark(marks, MarkKind.grown, at, -1);
  } else if (planner.since >= MAX_UNCHECKED) {
    planner.since = operatorCost(opcode);
    addMark(marks, MarkKind.check, start, -1);
  }
  if (opcode <= Opcode.localTee && opcode >= Opcode.localGet) {
    if (first === plan.params) addMark(marks, MarkKind.displaced, start, at);
  } else if (opcode === Opcode.refFunc) {
    addMark(marks, MarkKind.reference, start, first);
  }
}

/** An operator that control may leave by. */
function planTransfer(planner: Planner, cursor: OperatorCursor): void {
  const { marks, plan } = planner;
  const { opcode, start, at, first } = cursor;
  switch (opcode) {
    case Opcode.br:
      branch(planner, first);
      die(planner, at);
      return;
    case Opcode.brIf:
      branch(planner, first);
      startCharge(planner, MarkKind.charge, at);
      return;
    case Opcode.brTable:
      branchTable(planner, cursor);
      die(planner, at);
      return;
    case Opcode.call:
    case Opcode.returnCall:
      marks.callee[planner.charge] = first;
      addMark(marks, MarkKind.call, start, first);
      break;
    case Opcode.callIndirect:
    case Opcode.returnCallIndirect:
      plan.callsIndirectly = true;
      addMark(marks, MarkKind.indirectCall, start, -1);
      break;
    case Opcode.return:
      addMark(marks, MarkKind.return, start, -1);
      break;
    case Opcode.unreachable:
      addMark(marks, MarkKind.trap, start, -1);
      break;
  }
  // Even a call may not come back.
  lower(planner, 0);
  if (opcode === Opcode.call || opcode === Opcode.callIndirect) {
    planner.since += LIGHT;
    startCharge(planner, MarkKind.afterCall, at);
  } else {
    die(planner, at);
  }
}

function planBlocks(planner: Planner, cursor: OperatorCursor): void {
  const { opcode, at } = cursor;
  switch (opcode) {
    case Opcode.block:
      openFrame(planner, opcode);
      break;
    case Opcode.loop:
      openFrame(planner, opcode);
      if (!planner.reachable) break;
      planner.plan.loops = true;
      planner.since = 0;
      startCharge(planner, MarkKind.loop, at);
      break;
    case Opcode.if:
      openFrame(planner, opcode);
      if (planner.reachable) startCharge(planner, MarkKind.charge, at);
      break;
    case Opcode.else:
      planElse(planner, cursor);
      break;
    case Opcode.end:
      closeFrame(planner, cursor);
      break;
  }
}

function startCharge(planner: Planner, kind: number, at: number): void {
  planner.charge = addMark(planner.marks, kind, at, -1);
}

/** Nothing leads to the code from here on. It is left out: with a stack of fuel under it, it might not be valid. */
function die(planner: Planner, at: number): void {
  planner.reachable = false;
  planner.deadFrom = at;
}

/** Ends code that nothing leads to, where control may come again. */
function leaveOut({ marks, deadFrom }: Planner, until: number): void {
  if (deadFrom < until) addMark(marks, MarkKind.dead, deadFrom, until);
}

function openFrame(planner: Planner, opcode: number): void {
  planner.depth += 1;
  const { depth, charge, reachable, since } = planner;
  let frame = planner.frames[depth];
  if (frame === undefined) {
    frame = { opcode, charge, low: depth, ends: false, reachable, sinceEntry: since, sinceEnd: 0 };
    planner.frames.push(frame);
    return;
  }
  frame.opcode = opcode;
  frame.charge = charge;
  frame.low = depth;
  frame.ends = false;
  frame.reachable = reachable;
  frame.sinceEntry = since;
  frame.sinceEnd = 0;
}

function planElse(planner: Planner, { start, at }: OperatorCursor): void {
  const frame = frameAt(planner, planner.depth);
  frame.opcode = Opcode.else;
  if (!frame.reachable) return;
  if (planner.reachable) comeToEnd(frame, planner.since);
  else leaveOut(planner, start);
  planner.reachable = true;
  planner.since = frame.sinceEntry;
  startCharge(planner, MarkKind.charge, at);
}

function closeFrame(planner: Planner, { start, at }: OperatorCursor): void {
  const { depth, marks, plan } = planner;
  const frame = frameAt(planner, depth);
  planner.depth = depth - 1;
  if (!frame.reachable) return;
  if (planner.reachable) comeToEnd(frame, planner.since);
  else leaveOut(planner, start);
  if (depth === 0) {
    addMark(marks, MarkKind.return, start, -1);
    plan.last = marks.count;
    return;
  }
  // The branch of an `if` that is not there leads to the end too.
  if (frame.opcode === Opcode.if) comeToEnd(frame, frame.sinceEntry);
  lower(planner, frame.low);
  planner.reachable = frame.ends;
  planner.since = frame.sinceEnd;
  if (!frame.ends) die(planner, at);
  else if (frame.low < depth) startCharge(planner, MarkKind.charge, at);
  else planner.charge = frame.charge;
}

function branch(planner: Planner, label: number): void {
  const target = planner.depth - label;
  const frame = frameAt(planner, target);
  lower(planner, target);
  if (target === 0) planner.plan.branchesToEnd = true;
  if (frame.opcode !== Opcode.loop) comeToEnd(frame, planner.since);
}

/** Control comes to the end of a block. */
function comeToEnd(frame: Frame, since: number): void {
  frame.ends = true;
  if (since > frame.sinceEnd) frame.sinceEnd = since;
}

function branchTable(planner: Planner, cursor: OperatorCursor): void {
  const labels = { bytes: cursor.bytes, at: cursor.labelsAt, end: cursor.end };
  for (let label = 0; label <= cursor.first; label += 1) branch(planner, readU32(labels));
}

function lower(planner: Planner, target: number): void {
  const frame = frameAt(planner, planner.depth);
  if (target < frame.low) frame.low = target;
}

function frameAt({ frames }: Planner, depth: number): Frame {
  const frame = frames[depth];
  if (frame === undefined) throw new RangeError(`no block is open at depth ${depth}`);
  return frame;
}

function emptyPlan(first: number, { params, locals }: { params: number; locals: number }): BodyPlan {
  const found = { loops: false, branchesToEnd: false, paysLengths: false, callsIndirectly: false };
  return { first, last: first, params, locals, ...found };
}
