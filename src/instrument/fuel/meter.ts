import { readByte, readU32 } from "../../wasm/cursor.ts";
import type { Body, FunctionType } from "../../wasm/module.ts";
import { Opcode } from "../../wasm/opcodes.ts";
import { ValueType } from "../../wasm/value-types.ts";
import { type Writer, writeByte, writeOperator, writeRange, writeS32, writeU32 } from "../../wasm/writer.ts";
import { ModuleRefused } from "../refusal.ts";
import { MarkKind, type Marks } from "./marks.ts";
import type { BodyPlan } from "./plan.ts";

const NO_RESULT = 0x40;
/** Shared: there may be a million functions, and hardly any has long operators. */
const NONE: Body["long"] = [];

/** What an operator that grows something gives where it does not. */
const REFUSED_GROWTH = -1;

/** What all bodies of a module share. */
export interface Meter {
  /** Bytes that may be written; thunks have had theirs. */
  room: number;
  /** Index of the global that holds the fuel for everybody outside of the guest's functions. */
  global: number;
  marks: Marks;
  importedFunctions: number;
  /** By function index: what callers pay for the callee's first stretch; 0 where the callee pays itself. */
  entryCosts: Int32Array<ArrayBuffer>;
  /** Imported functions that something refers to, and the functions with fuel that stand for them there. */
  standIns: Map<number, number>;
  /** Index of the type with fuel, by that of the type without. */
  typeWithFuel(typeIndex: number): number;
  /** Index of a type without parameters, for blocks with several results. */
  blockType(results: FunctionType["results"]): number;
}

/** What is written about one function. */
export interface MeteredFunction {
  body: Body;
  plan: BodyPlan;
  /** Its type as the guest knows it. */
  type: FunctionType;
  /** Whether callers pay for the first stretch. */
  paidByCallers: boolean;
  /** Whether it looks for itself whether fuel is left. */
  checksAtEntry: boolean;
}

/** Where the locals of a metered function are. */
interface Locals {
  /** The fuel that is left: the last parameter. */
  fuel: number;
  /** The guest's first local, whose index the fuel has. */
  displaced: number;
  /** A number that is out of the way for a moment. */
  spare: number;
  /** Another, where lengths are paid. */
  result: number;
}

/**
 * Writes the body of a function that gets the fuel as its last parameter and gives back what is left as its last result, so
 * that V8 keeps it in a register. It is stored in the global before calls and before the guest ends itself.
 * Gives the places of its long operators ({@link Body.long}).
 */
export function writeMetered(writer: Writer, meter: Meter, metered: MeteredFunction): Body["long"] {
  const { marks } = meter;
  const { body, plan, type } = metered;
  let long: number[] | undefined;
  const locals = layOut(plan);
  let copied = writeLocals(writer, metered);
  if (plan.branchesToEnd) {
    writeByte(writer, Opcode.block);
    writeResults(writer, meter, type.results);
  }
  for (let mark = plan.first; mark < plan.last; mark += 1) {
    const at = marks.at[mark] ?? 0;
    writeRange(writer, body.bytes, copied, at);
    if (writer.length > meter.room) throw pastRoom();
    copied = writeMark(writer, meter, metered, locals, mark, at);
    const kind = marks.kind[mark];
    if (kind === MarkKind.length || kind === MarkKind.growth) {
      long ??= [];
      long.push(writer.length);
    }
  }
  writeRange(writer, body.bytes, copied, body.end);
  return long ?? NONE;
}

/** The refusal of a module that would grow by more than compiled code does. */
export function pastRoom(): ModuleRefused {
  return new ModuleRefused(
    "it would be several times as large once it is metered",
    "compile it again with a compiler that is known to work",
  );
}

/** Writes what a mark stands for, and gives the place from where the body goes on as it was. */
function writeMark(
  writer: Writer,
  meter: Meter,
  { body, plan, paidByCallers, checksAtEntry }: MeteredFunction,
  { fuel, displaced, spare, result }: Locals,
  mark: number,
  at: number,
): number {
  const { marks, global } = meter;
  switch (marks.kind[mark]) {
    case MarkKind.charge:
      charge(writer, fuel, costOf(meter, mark));
      return at;
    case MarkKind.entry: {
      const cost = paidByCallers ? calleeCost(meter, mark) : costOf(meter, mark);
      if (checksAtEntry) chargeAndCheck(writer, meter, fuel, cost);
      else charge(writer, fuel, cost);
      return at;
    }
    case MarkKind.loop:
      chargeAndCheck(writer, meter, fuel, costOf(meter, mark));
      return at;
    case MarkKind.afterCall:
      if (callsImport(meter, mark - 1)) {
        charge(writer, fuel, costOf(meter, mark));
      } else {
        subtract(writer, costOf(meter, mark));
        writeOperator(writer, Opcode.localSet, fuel);
      }
      return at;
    case MarkKind.call:
      writeOperator(writer, Opcode.localGet, fuel);
      writeOperator(writer, Opcode.globalSet, global);
      if (callsImport(meter, mark)) return writeImportCall(writer, body, fuel, at);
      writeOperator(writer, Opcode.localGet, fuel);
      return at;
    case MarkKind.indirectCall: {
      writeOperator(writer, Opcode.localSet, spare);
      writeOperator(writer, Opcode.localGet, fuel);
      writeOperator(writer, Opcode.globalSet, global);
      writeOperator(writer, Opcode.localGet, fuel);
      writeOperator(writer, Opcode.localGet, spare);
      const cursor = { bytes: body.bytes, at, end: body.end };
      writeByte(writer, readByte(cursor));
      writeU32(writer, meter.typeWithFuel(readU32(cursor)));
      return cursor.at;
    }
    case MarkKind.return:
      // The last one stands before the end of the function.
      if (plan.branchesToEnd && mark === plan.last - 1) writeByte(writer, Opcode.end);
      writeOperator(writer, Opcode.localGet, fuel);
      return at;
    case MarkKind.trap:
      writeOperator(writer, Opcode.localGet, fuel);
      writeOperator(writer, Opcode.globalSet, global);
      return at;
    case MarkKind.length:
      writeOperator(writer, Opcode.localSet, spare);
      writeOperator(writer, Opcode.localGet, fuel);
      writeOperator(writer, Opcode.localGet, spare);
      payLength(writer, meter, fuel);
      writeOperator(writer, Opcode.localGet, spare);
      return at;
    case MarkKind.growth:
      writeOperator(writer, Opcode.localTee, spare);
      return at;
    case MarkKind.grown:
      writeOperator(writer, Opcode.localSet, result);
      writeOperator(writer, Opcode.localGet, fuel);
      writeOperator(writer, Opcode.localGet, spare);
      writeConstant(writer, Opcode.i32Const, 0);
      writeOperator(writer, Opcode.localGet, result);
      writeConstant(writer, Opcode.i32Const, REFUSED_GROWTH);
      writeByte(writer, Opcode.i32Ne);
      writeByte(writer, Opcode.select);
      payLength(writer, meter, fuel);
      writeOperator(writer, Opcode.localGet, result);
      return at;
    case MarkKind.check:
      writeOperator(writer, Opcode.localGet, fuel);
      stopBelowZero(writer, meter, fuel);
      return at;
    case MarkKind.displaced:
      writeOperator(writer, body.bytes[at] ?? 0, displaced);
      return marks.callee[mark] ?? at;
    case MarkKind.reference: {
      const cursor = { bytes: body.bytes, at: at + 1, end: body.end };
      const functionIndex = readU32(cursor);
      writeOperator(writer, Opcode.refFunc, meter.standIns.get(functionIndex) ?? functionIndex);
      return cursor.at;
    }
    case MarkKind.dead:
      writeByte(writer, Opcode.unreachable);
      return marks.callee[mark] ?? at;
    default:
      return at;
  }
}

/** An imported function gives no fuel back: in tail position its caller does that in its stead. */
function writeImportCall(writer: Writer, { bytes, end }: Body, fuel: number, at: number): number {
  if (bytes[at] !== Opcode.returnCall) return at;
  const cursor = { bytes, at: at + 1, end };
  writeOperator(writer, Opcode.call, readU32(cursor));
  writeOperator(writer, Opcode.localGet, fuel);
  writeByte(writer, Opcode.return);
  return cursor.at;
}

/**
 * The fuel comes after the parameters. Of the guest's locals only the first has to make room: it moves behind the others,
 * which keep their indices.
 */
function layOut({ params, locals }: BodyPlan): Locals {
  return { fuel: params, displaced: locals, spare: locals + 1, result: locals + 2 };
}

/** Writes the declarations of locals, and gives the place of the first operator. */
function writeLocals(writer: Writer, { body, plan }: MeteredFunction): number {
  const cursor = { bytes: body.bytes, at: body.start, end: body.end };
  const groups: { count: number; type: number }[] = [];
  for (let left = readU32(cursor); left > 0; left -= 1) {
    const count = readU32(cursor);
    const type = readByte(cursor);
    if (count > 0) groups.push({ count, type });
  }
  const [first] = groups;
  if (first !== undefined) {
    first.count -= 1;
    groups.push({ count: 1, type: first.type });
  }
  if (plan.paysLengths || plan.callsIndirectly) {
    groups.push({ count: plan.paysLengths ? 2 : 1, type: ValueType.i32 });
  }
  writeU32(writer, groups.length);
  for (const { count, type } of groups) {
    writeU32(writer, count);
    writeByte(writer, type);
  }
  return cursor.at;
}

function writeResults(writer: Writer, meter: Meter, results: FunctionType["results"]): void {
  const [first] = results;
  if (first === undefined) writeByte(writer, NO_RESULT);
  else if (results.length === 1) writeByte(writer, first);
  else writeS32(writer, meter.blockType(results));
}

function callsImport({ marks, importedFunctions }: Meter, mark: number): boolean {
  return marks.kind[mark] === MarkKind.call && (marks.callee[mark] ?? 0) < importedFunctions;
}

/** What a charge costs, with the entry of the function that is called at its end. */
function costOf(meter: Meter, mark: number): number {
  return (meter.marks.cost[mark] ?? 0) + calleeCost(meter, mark);
}

function calleeCost({ marks, entryCosts }: Meter, mark: number): number {
  return entryCosts[marks.callee[mark] ?? -1] ?? 0;
}

function charge(writer: Writer, fuel: number, cost: number): void {
  if (cost === 0) return;
  writeOperator(writer, Opcode.localGet, fuel);
  subtract(writer, cost);
  writeOperator(writer, Opcode.localSet, fuel);
}

function chargeAndCheck(writer: Writer, meter: Meter, fuel: number, cost: number): void {
  writeOperator(writer, Opcode.localGet, fuel);
  if (cost > 0) {
    subtract(writer, cost);
    writeOperator(writer, Opcode.localTee, fuel);
  }
  stopBelowZero(writer, meter, fuel);
}

/** Takes a length from the fuel below it on the stack. */
function payLength(writer: Writer, meter: Meter, fuel: number): void {
  writeByte(writer, Opcode.i64ExtendI32U);
  writeByte(writer, Opcode.i64Sub);
  writeOperator(writer, Opcode.localTee, fuel);
  stopBelowZero(writer, meter, fuel);
}

/** Ends the guest where the fuel on the stack is below zero: the host sees by the global why. */
function stopBelowZero(writer: Writer, { global }: Meter, fuel: number): void {
  writeConstant(writer, Opcode.i64Const, 0);
  writeByte(writer, Opcode.i64LtS);
  writeByte(writer, Opcode.if);
  writeByte(writer, NO_RESULT);
  writeOperator(writer, Opcode.localGet, fuel);
  writeOperator(writer, Opcode.globalSet, global);
  writeByte(writer, Opcode.unreachable);
  writeByte(writer, Opcode.end);
}

function subtract(writer: Writer, cost: number): void {
  if (cost === 0) return;
  writeConstant(writer, Opcode.i64Const, cost);
  writeByte(writer, Opcode.i64Sub);
}

function writeConstant(writer: Writer, opcode: number, value: number): void {
  writeByte(writer, opcode);
  writeS32(writer, value);
}
