import { Opcode } from "../../wasm/opcodes.ts";
import type { OperatorCursor } from "../../wasm/operator-cursor.ts";
import { createPlaces } from "../../wasm/places.ts";
import { branch, branchTable, lower, openFrame, planBlocks } from "./blocks.ts";
import { chargesGrowth, chargesLength, ENTRY_COST, operatorCost } from "./costs.ts";
import { addMark, createMarks, MarkKind } from "./marks.ts";
import { die, emptyPlan, type Planner, startCharge } from "./planner.ts";

/**
 * Fuel that may be used between two looks at what is left, calls apart, and not counting what the reader passes over at a time
 * ({@link skipComputing}).
 */
export const MAX_UNCHECKED = 256;
/** A function that never uses more than this, its callees included, does not look itself: its callers count it in. */
export const LIGHT = 32;

/** Before the reader has begun. */
const NOWHERE = createPlaces();

/** A planner for a module of so many bytes. */
export function createPlanner(moduleBytes: number): Planner {
  return {
    marks: createMarks(moduleBytes),
    plans: [],
    firstLocal: NOWHERE,
    frames: [],
    plan: emptyPlan(0, { params: 0, locals: 0, firstLocal: NOWHERE }),
    depth: -1,
    charge: 0,
    reachable: true,
    since: 0,
    deadFrom: 0,
    enter(cursor) {
      planEntry(this, cursor);
    },
    operator(cursor) {
      planOperator(this, cursor);
    },
  };
}

/** Begins the next body; the cursor stands before its first operator. */
function planEntry(planner: Planner, cursor: OperatorCursor): void {
  const { marks } = planner;
  planner.plan = emptyPlan(marks.count, cursor);
  planner.plans.push(planner.plan);
  planner.firstLocal = cursor.firstLocal;
  planner.depth = -1;
  planner.reachable = true;
  planner.since = ENTRY_COST;
  planner.charge = addMark(marks, MarkKind.entry, cursor.at, -1);
  marks.cost[planner.charge] = ENTRY_COST;
  openFrame(planner, Opcode.block);
}

/** Takes the operator that the cursor has read, and those that it passed over before: they cost 1 each. */
function planOperator(planner: Planner, cursor: OperatorCursor): void {
  const { opcode, passed } = cursor;
  if (planner.reachable) {
    const { marks } = planner;
    const cost = operatorCost(opcode);
    marks.cost[planner.charge] = (marks.cost[planner.charge] ?? 0) + passed + cost;
    const since = planner.since + passed;
    planner.since = since + cost;
    if (passed > 0 && since >= MAX_UNCHECKED) {
      planner.since = cost;
      addMark(marks, MarkKind.check, cursor.start, -1);
    }
    if (opcode > Opcode.returnCallIndirect) planStraight(planner, cursor);
    else if (opcode === Opcode.brIf) planBranchIf(planner, cursor);
    else if (opcode >= Opcode.br || opcode === Opcode.unreachable) planTransfer(planner, cursor);
  }
  if (opcode <= Opcode.end && opcode >= Opcode.block) planBlocks(planner, cursor);
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
  if (opcode === Opcode.refFunc) addMark(marks, MarkKind.reference, start, first);
}

/** The most frequent operator that control may leave by. */
function planBranchIf(planner: Planner, { first, at }: OperatorCursor): void {
  branch(planner, first);
  startCharge(planner, MarkKind.charge, at);
}

/** Another operator that control may leave by. */
function planTransfer(planner: Planner, cursor: OperatorCursor): void {
  const { marks, plan } = planner;
  const { opcode, start, at, first } = cursor;
  switch (opcode) {
    case Opcode.br:
      branch(planner, first);
      die(planner, at);
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
