import { readByte, readU32 } from "../../wasm/cursor.ts";
import type { Body, FunctionType } from "../../wasm/module.ts";
import { Opcode } from "../../wasm/opcodes.ts";
import { ValueType } from "../../wasm/value-types.ts";
import { type Writer, writeByte, writeOperator, writeS32, writeU32 } from "../../wasm/writer.ts";
import { ModuleRefused } from "../refusal.ts";
import { type CodeCopier, copyCode, openCopy } from "./copy-code.ts";
import { MarkKind, type Marks } from "./marks.ts";
import {
  charge,
  chargeAndCheck,
  type Fuel,
  NO_RESULT,
  payLength,
  showFuel,
  stopBelowZero,
  subtract,
  writeConstant,
} from "./payment.ts";
import type { BodyPlan } from "./planner.ts";

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
  copier: CodeCopier;
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

/** Where a metered function has its fuel, which is its last parameter, and more: behind the guest's locals and the displaced one. */
interface Locals extends Fuel {
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
  const { marks, copier, global } = meter;
  const { body, plan, type } = metered;
  let long: number[] | undefined;
  const locals = { local: plan.params, global, spare: plan.locals + 1, result: plan.locals + 2 };
  openCopy(copier, body, plan);
  let copied = writeLocals(writer, metered);
  if (plan.branchesToEnd) {
    writeByte(writer, Opcode.block);
    writeResults(writer, meter, type.results);
  }
  for (let mark = plan.first; mark < plan.last; mark += 1) {
    const at = marks.at[mark] ?? 0;
    copyCode(writer, copier, copied, at);
    if (writer.length > meter.room) throw pastRoom();
    const kind = marks.kind[mark];
    if (kind === MarkKind.charge) {
      // More than half of all marks.
      charge(writer, locals, costOf(meter, mark));
      copied = at;
      continue;
    }
    copied = writeMark(writer, meter, metered, locals, mark, at);
    if (kind === MarkKind.length || kind === MarkKind.growth) {
      long ??= [];
      long.push(writer.length);
    }
  }
  copyCode(writer, copier, copied, body.end);
  return long ?? NONE;
}

/** The refusal of a module that would grow by more than compiled code does. */
export function pastRoom(): ModuleRefused {
  return new ModuleRefused(
    "it would be several times as large once it is metered",
    "compile it again with a compiler that is known to work",
  );
}

/** Writes what a mark stands for that is no plain charge, and gives the place from where the body goes on as it was. */
function writeMark(
  writer: Writer,
  meter: Meter,
  { body, plan, paidByCallers, checksAtEntry }: MeteredFunction,
  locals: Locals,
  mark: number,
  at: number,
): number {
  const { marks } = meter;
  const { local, spare, result } = locals;
  switch (marks.kind[mark]) {
    case MarkKind.entry: {
      const cost = paidByCallers ? calleeCost(meter, mark) : costOf(meter, mark);
      if (checksAtEntry) chargeAndCheck(writer, locals, cost);
      else charge(writer, locals, cost);
      return at;
    }
    case MarkKind.loop:
      chargeAndCheck(writer, locals, costOf(meter, mark));
      return at;
    case MarkKind.afterCall:
      if (callsImport(meter, mark - 1)) {
        charge(writer, locals, costOf(meter, mark));
      } else {
        subtract(writer, costOf(meter, mark));
        writeOperator(writer, Opcode.localSet, local);
      }
      return at;
    case MarkKind.call:
      showFuel(writer, locals);
      if (callsImport(meter, mark)) return writeImportCall(writer, body, local, at);
      writeOperator(writer, Opcode.localGet, local);
      return at;
    case MarkKind.indirectCall: {
      writeOperator(writer, Opcode.localSet, spare);
      showFuel(writer, locals);
      writeOperator(writer, Opcode.localGet, local);
      writeOperator(writer, Opcode.localGet, spare);
      const cursor = { bytes: body.bytes, at, end: body.end };
      writeByte(writer, readByte(cursor));
      writeU32(writer, meter.typeWithFuel(readU32(cursor)));
      return cursor.at;
    }
    case MarkKind.return:
      // The last one stands before the end of the function.
      if (plan.branchesToEnd && mark === plan.last - 1) writeByte(writer, Opcode.end);
      writeOperator(writer, Opcode.localGet, local);
      return at;
    case MarkKind.trap:
      showFuel(writer, locals);
      return at;
    case MarkKind.length:
      writeOperator(writer, Opcode.localSet, spare);
      writeOperator(writer, Opcode.localGet, local);
      writeOperator(writer, Opcode.localGet, spare);
      payLength(writer, locals);
      writeOperator(writer, Opcode.localGet, spare);
      return at;
    case MarkKind.growth:
      writeOperator(writer, Opcode.localTee, spare);
      return at;
    case MarkKind.grown:
      writeOperator(writer, Opcode.localSet, result);
      writeOperator(writer, Opcode.localGet, local);
      writeOperator(writer, Opcode.localGet, spare);
      writeConstant(writer, Opcode.i32Const, 0);
      writeOperator(writer, Opcode.localGet, result);
      writeConstant(writer, Opcode.i32Const, REFUSED_GROWTH);
      writeByte(writer, Opcode.i32Ne);
      writeByte(writer, Opcode.select);
      payLength(writer, locals);
      writeOperator(writer, Opcode.localGet, result);
      return at;
    case MarkKind.check:
      writeOperator(writer, Opcode.localGet, local);
      stopBelowZero(writer, locals);
      return at;
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
 * Writes the declarations of locals, and gives the place of the first operator. The fuel comes after the parameters: of the
 * guest's locals only the first has to make room, and moves behind the others, which keep their indices.
 */
function writeLocals(writer: Writer, { body, plan }: MeteredFunction): number {
  const cursor = { bytes: body.bytes, at: body.start, end: body.end };
  const groups = readU32(cursor);
  const own = plan.paysLengths ? 2 : plan.callsIndirectly ? 1 : 0;
  writeU32(writer, groups + (plan.locals > plan.params ? 1 : 0) + (own > 0 ? 1 : 0));
  let displaced: number | undefined;
  for (let left = groups; left > 0; left -= 1) {
    let count = readU32(cursor);
    const type = readByte(cursor);
    if (displaced === undefined && count > 0) {
      displaced = type;
      count -= 1;
    }
    writeGroup(writer, count, type);
  }
  if (displaced !== undefined) writeGroup(writer, 1, displaced);
  if (own > 0) writeGroup(writer, own, ValueType.i32);
  return cursor.at;
}

function writeGroup(writer: Writer, count: number, type: number): void {
  writeU32(writer, count);
  writeByte(writer, type);
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
