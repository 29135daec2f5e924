import { readU32 } from "../../wasm/cursor.ts";
import { Opcode } from "../../wasm/opcodes.ts";
import type { OperatorCursor } from "../../wasm/operator-cursor.ts";
import { addMark, MarkKind } from "./marks.ts";
import { die, type Frame, leaveOut, type Planner, startCharge } from "./planner.ts";

/** Takes an operator that opens, parts or closes a block, whether control comes to it or not. */
export function planBlocks(planner: Planner, cursor: OperatorCursor): void {
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

export function openFrame(planner: Planner, opcode: number): void {
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

function closeFrame(planner: Planner, cursor: OperatorCursor): void {
  const { start, at } = cursor;
  const { depth, marks, plan } = planner;
  const frame = frameAt(planner, depth);
  planner.depth = depth - 1;
  if (!frame.reachable) return;
  if (planner.reachable) comeToEnd(frame, planner.since);
  else leaveOut(planner, start);
  if (depth === 0) {
    addMark(marks, MarkKind.return, start, -1);
    plan.last = marks.count;
    plan.lastLocal = cursor.firstLocal.count;
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

/** Control may go to a label. */
export function branch(planner: Planner, label: number): void {
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

/** Control goes to one of the labels of a `br_table`. */
export function branchTable(planner: Planner, cursor: OperatorCursor): void {
  const labels = { bytes: cursor.bytes, at: cursor.labelsAt, end: cursor.end };
  for (let label = 0; label <= cursor.first; label += 1) branch(planner, readU32(labels));
}

/** Control may leave the blocks inside of the one at depth `target`. */
export function lower(planner: Planner, target: number): void {
  const frame = frameAt(planner, planner.depth);
  if (target < frame.low) frame.low = target;
}

function frameAt({ frames }: Planner, depth: number): Frame {
  const frame = frames[depth];
  if (frame === undefined) throw new RangeError(`no block is open at depth ${depth}`);
  return frame;
}
