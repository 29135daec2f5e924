import { Opcode } from "../../wasm/opcodes.ts";
import {
  reserve,
  type Writer,
  writeByte,
  writeFour,
  writeOperator,
  writeS32,
  writeThree,
} from "../../wasm/writer.ts";

/** Indices below it take one byte. */
const SHORT_INDEX = 0x80;
/** Numbers from 0 up to it take one byte. */
const SHORT_NUMBER = 0x40;

/** A block without parameters and results. */
export const NO_RESULT = 0x40;

/** Where the fuel is: the local that a function has it in, and the global through which others see it. */
export interface Fuel {
  local: number;
  global: number;
}

/** Takes `cost` from the fuel. */
export function charge(writer: Writer, { local }: Fuel, cost: number): void {
  if (cost === 0) return;
  if (local < SHORT_INDEX && cost < SHORT_NUMBER) {
    reserve(writer, 7);
    const { bytes, length } = writer;
    bytes[length] = Opcode.localGet;
    bytes[length + 1] = local;
    bytes[length + 2] = Opcode.i64Const;
    bytes[length + 3] = cost;
    bytes[length + 4] = Opcode.i64Sub;
    bytes[length + 5] = Opcode.localSet;
    bytes[length + 6] = local;
    writer.length = length + 7;
    return;
  }
  writeOperator(writer, Opcode.localGet, local);
  subtract(writer, cost);
  writeOperator(writer, Opcode.localSet, local);
}

/** Takes `cost` from the fuel, and ends the guest where there was less. */
export function chargeAndCheck(writer: Writer, fuel: Fuel, cost: number): void {
  writeOperator(writer, Opcode.localGet, fuel.local);
  if (cost > 0) {
    subtract(writer, cost);
    writeOperator(writer, Opcode.localTee, fuel.local);
  }
  stopBelowZero(writer, fuel);
}

/** Takes `cost` from what is on the stack. */
export function subtract(writer: Writer, cost: number): void {
  if (cost === 0) return;
  if (cost < SHORT_NUMBER) {
    writeThree(writer, Opcode.i64Const, cost, Opcode.i64Sub);
    return;
  }
  writeConstant(writer, Opcode.i64Const, cost);
  writeByte(writer, Opcode.i64Sub);
}

/** Takes a length, which is on the stack, from the fuel below it. */
export function payLength(writer: Writer, fuel: Fuel): void {
  writeByte(writer, Opcode.i64ExtendI32U);
  writeByte(writer, Opcode.i64Sub);
  writeOperator(writer, Opcode.localTee, fuel.local);
  stopBelowZero(writer, fuel);
}

/** Ends the guest where the fuel on the stack is below zero: the host sees by the global why. */
export function stopBelowZero(writer: Writer, fuel: Fuel): void {
  writeFour(writer, Opcode.i64Const, 0, Opcode.i64LtS, Opcode.if);
  if (fuel.local < SHORT_INDEX && fuel.global < SHORT_INDEX) {
    writeFour(writer, NO_RESULT, Opcode.localGet, fuel.local, Opcode.globalSet);
    writeThree(writer, fuel.global, Opcode.unreachable, Opcode.end);
    return;
  }
  writeByte(writer, NO_RESULT);
  showFuel(writer, fuel);
  writeByte(writer, Opcode.unreachable);
  writeByte(writer, Opcode.end);
}

/** Lets everybody outside of the function see the fuel. */
export function showFuel(writer: Writer, { local, global }: Fuel): void {
  if (local < SHORT_INDEX && global < SHORT_INDEX) {
    writeFour(writer, Opcode.localGet, local, Opcode.globalSet, global);
    return;
  }
  writeOperator(writer, Opcode.localGet, local);
  writeOperator(writer, Opcode.globalSet, global);
}

export function writeConstant(writer: Writer, opcode: number, value: number): void {
  writeByte(writer, opcode);
  writeS32(writer, value);
}
