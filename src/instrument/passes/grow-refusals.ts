import { appendExport, appendFunction, appendGlobal, internType } from "../../wasm/append.ts";
import type { Body } from "../../wasm/module.ts";
import { Opcode } from "../../wasm/opcodes.ts";
import { GROW_REFUSALS_EXPORT } from "../../wasm/reserved.ts";
import { ValueType } from "../../wasm/value-types.ts";
import { createWriter, writeByte, writeS32, writeU32 } from "../../wasm/writer.ts";
import type { Pass } from "../pass.ts";
import { rewriteOperators, wholeBody } from "../rewrite.ts";

/** Where the counter stays, so that it cannot wrap to an innocent zero. */
const MOST_REFUSALS = 0x7fff_ffff;

/**
 * Counts the `memory.grow` calls that were refused in a global that only the host can see. A Rust program that gets no
 * memory ends with a plain `unreachable`, like a bug would: the counter tells the two apart without reading its stderr.
 */
export const growRefusals: Pass = (module) => {
  const counter = appendGlobal(module, { type: ValueType.i32, mutable: true, init: zero() });
  appendExport(module, { name: GROW_REFUSALS_EXPORT, kind: "global", index: counter });
  const type = internType(module, { params: [ValueType.i32], results: [ValueType.i32] });
  const grow = appendFunction(module, type, countingGrow(counter));
  rewriteOperators(module, {
    matches: (opcode) => opcode === Opcode.memoryGrow,
    place: "instead",
    write(writer) {
      writeByte(writer, Opcode.call);
      writeU32(writer, grow);
    },
  });
};

/** `memory.grow` as a function: the same parameter, the same result. Its own operator stays as it is. */
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

function zero(): Uint8Array {
  return new Uint8Array([Opcode.i32Const, 0, Opcode.end]);
}
