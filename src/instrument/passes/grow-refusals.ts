import { appendExport, appendFunction, appendGlobal, internType } from "../../wasm/append.ts";
import { indexSpaces } from "../../wasm/indices.ts";
import type { Body, WasmModule } from "../../wasm/module.ts";
import { Opcode } from "../../wasm/opcodes.ts";
import { type OperatorCursor, openBody, operatorCursor } from "../../wasm/operator-cursor.ts";
import { nextOperator } from "../../wasm/operators.ts";
import { GROW_REFUSALS_EXPORT } from "../../wasm/reserved.ts";
import { ValueType } from "../../wasm/value-types.ts";
import {
  createWriter,
  type Writer,
  writeByte,
  writeRange,
  writeS32,
  writeU32,
  writtenBytes,
} from "../../wasm/writer.ts";
import { MODULE_BOUNDS } from "../bounds.ts";
import type { Pass } from "../pass.ts";

/** Where the counter stays, so that it cannot wrap to an innocent zero. */
const MOST_REFUSALS = 0x7fff_ffff;

/**
 * Counts the `memory.grow` calls that were refused in a global that only the host can see. A Rust program that gets no
 * memory ends with a plain `unreachable`, like a bug would: the counter tells the two apart without reading its stderr.
 */
export const growRefusals: Pass = (module) => {
  const counter = appendGlobal(module, { type: ValueType.i32, mutable: true, init: zero() });
  appendExport(module, { name: GROW_REFUSALS_EXPORT, kind: "global", index: counter });
  const operators = operatorCursor(indexSpaces(module), MODULE_BOUNDS);
  const guestBodies = module.bodies.length;
  const type = internType(module, { params: [ValueType.i32], results: [ValueType.i32] });
  const grow = appendFunction(module, type, countingGrow(counter));
  for (let index = 0; index < guestBodies; index += 1) {
    const body = module.bodies[index];
    if (body === undefined || !mayGrow(body)) continue;
    module.bodies[index] = replaceGrow(operators, body, paramsOf(module, index), grow);
  }
};

/** `memory.grow` as a function: the same parameter, the same result. */
function countingGrow(counter: number): Body {
  const writer = createWriter(64);
  const operator = (opcode: number): void => writeByte(writer, opcode);
  writeU32(writer, 0); // no locals
  operator(Opcode.localGet);
  writeU32(writer, 0);
  operator(Opcode.memoryGrow);
  writeByte(writer, 0);
  operator(Opcode.localTee);
  writeU32(writer, 0);
  operator(Opcode.i32Const);
  writeS32(writer, -1);
  operator(Opcode.i32Eq);
  operator(Opcode.if);
  writeByte(writer, 0x40);
  operator(Opcode.globalGet);
  writeU32(writer, counter);
  operator(Opcode.globalGet);
  writeU32(writer, counter);
  operator(Opcode.i32Const);
  writeS32(writer, MOST_REFUSALS);
  operator(Opcode.i32Ne);
  operator(Opcode.i32Add);
  operator(Opcode.globalSet);
  writeU32(writer, counter);
  operator(Opcode.end);
  operator(Opcode.localGet);
  writeU32(writer, 0);
  operator(Opcode.end);
  return wholeBody(writer);
}

/** Whether the bytes of a `memory.grow` occur at all; reading the operators is only worth it where they do. */
function mayGrow({ bytes, start, end }: Body): boolean {
  for (let at = start; at < end - 1; at += 1) {
    if (bytes[at] === Opcode.memoryGrow && bytes[at + 1] === 0) return true;
  }
  return false;
}

function replaceGrow(operators: OperatorCursor, body: Body, params: number, grow: number): Body {
  let writer: Writer | undefined;
  let copied = body.start;
  openBody(operators, body, params);
  while (operators.depth > 0) {
    nextOperator(operators);
    if (operators.opcode !== Opcode.memoryGrow) continue;
    writer ??= createWriter(body.end - body.start + 16);
    writeRange(writer, body.bytes, copied, operators.start);
    writeByte(writer, Opcode.call);
    writeU32(writer, grow);
    copied = operators.at;
  }
  if (writer === undefined) return body;
  writeRange(writer, body.bytes, copied, body.end);
  return wholeBody(writer);
}

function wholeBody(writer: Writer): Body {
  const bytes = writtenBytes(writer);
  return { bytes, start: 0, end: bytes.length };
}

function paramsOf({ types, functions }: WasmModule, index: number): number {
  return types[functions[index] ?? -1]?.params.length ?? 0;
}

function zero(): Uint8Array {
  return new Uint8Array([Opcode.i32Const, 0, Opcode.end]);
}
