import { MODULE_BOUNDS } from "../../../src/instrument/bounds.ts";
import { wholeBody } from "../../../src/instrument/rewrite.ts";
import { appendExport, appendFunction, appendGlobal, internType } from "../../../src/wasm/append.ts";
import { countImports, indexSpaces } from "../../../src/wasm/indices.ts";
import type { Body, WasmModule } from "../../../src/wasm/module.ts";
import { Opcode } from "../../../src/wasm/opcodes.ts";
import { type OperatorCursor, openBody, operatorCursor } from "../../../src/wasm/operator-cursor.ts";
import { nextOperator } from "../../../src/wasm/operators.ts";
import { FUEL_EXPORT } from "../../../src/wasm/reserved.ts";
import { ValueType } from "../../../src/wasm/value-types.ts";
import {
  createWriter,
  type Writer,
  writeByte,
  writeBytes,
  writeRange,
  writeS32,
  writeU32,
} from "../../../src/wasm/writer.ts";

/** `unreachable`, `nop`, `block`, `loop`, `else`, `end`, `return`, `drop`. */
const FREE: ReadonlySet<number> = new Set([0x00, 0x01, 0x02, 0x03, 0x05, 0x0b, 0x0f, 0x1a]);
/** `memory.init`, `.copy`, `.fill`; `table.init`, `.copy`, `.fill`. */
const LONG: ReadonlySet<number> = new Set([0xfc08, 0xfc0a, 0xfc0b, 0xfc0c, 0xfc0e, 0xfc11]);

/** What is put in for the module's own operators. */
interface Counter {
  global: number;
  /** Functions that pay for their argument and give it back, and that grow something and pay for that. */
  payLength: number;
  growMemory: number;
  growTables: number;
}

/**
 * Fuel in the simplest way there is, to hold the quick one to: each operator pays for itself right before it runs, nothing
 * else changes and nothing is ever stopped. Slow, large, and exact wherever a guest ends.
 */
export function countOperators(module: WasmModule): void {
  const init = new Uint8Array([Opcode.i64Const, 0, Opcode.end]);
  const global = appendGlobal(module, { type: ValueType.i64, mutable: true, init });
  appendExport(module, { name: FUEL_EXPORT, kind: "global", index: global });
  const payLength = countImports(module, "function") + module.functions.length;
  const counter = { global, payLength, growMemory: payLength + 1, growTables: payLength + 2 };
  const operators = operatorCursor(indexSpaces(module), MODULE_BOUNDS);
  module.bodies = module.bodies.map((body, index) => {
    openBody(operators, body, module.types[module.functions[index] ?? -1]?.params.length ?? 0);
    return counting(body, operators, counter);
  });
  const results = [ValueType.i32];
  const takesLength = internType(module, { params: [ValueType.i32], results });
  appendFunction(module, takesLength, bodyThatPays(counter));
  appendFunction(module, takesLength, bodyThatGrows(counter, 0, [Opcode.memoryGrow, 0]));
  for (const [table, { type }] of module.tables.entries()) {
    const takesElement = internType(module, { params: [type, ValueType.i32], results });
    const grow = [Opcode.tableGrow >> 8, Opcode.tableGrow & 0xff, table];
    appendFunction(module, takesElement, bodyThatGrows(counter, 1, grow));
  }
}

function counting(body: Body, operators: OperatorCursor, counter: Counter): Body {
  const writer = createWriter(4 * (body.end - body.start) + 64);
  writeRange(writer, body.bytes, body.start, operators.at);
  let copied = operators.at;
  pay(writer, counter); // for the entry
  while (operators.depth > 0) {
    nextOperator(operators);
    const { opcode, start, first } = operators;
    if (FREE.has(opcode)) continue;
    writeRange(writer, body.bytes, copied, start);
    copied = start;
    pay(writer, counter);
    if (LONG.has(opcode)) write(writer, Opcode.call, counter.payLength);
    if (opcode !== Opcode.memoryGrow && opcode !== Opcode.tableGrow) continue;
    write(
      writer,
      Opcode.call,
      opcode === Opcode.memoryGrow ? counter.growMemory : counter.growTables + first,
    );
    copied = operators.at;
  }
  writeRange(writer, body.bytes, copied, body.end);
  return { ...body, bytes: writer.bytes, start: 0, end: writer.length };
}

function pay(writer: Writer, { global }: Counter): void {
  write(writer, Opcode.globalGet, global);
  writeByte(writer, Opcode.i64Const);
  writeS32(writer, 1);
  writeByte(writer, Opcode.i64Sub);
  write(writer, Opcode.globalSet, global);
}

function payArgument(writer: Writer, { global }: Counter, argument: number): void {
  write(writer, Opcode.globalGet, global);
  write(writer, Opcode.localGet, argument);
  writeByte(writer, Opcode.i64ExtendI32U);
  writeByte(writer, Opcode.i64Sub);
  write(writer, Opcode.globalSet, global);
}

function bodyThatPays(counter: Counter): Body {
  const writer = createWriter(32);
  writeU32(writer, 0); // no locals
  payArgument(writer, counter, 0);
  write(writer, Opcode.localGet, 0);
  writeByte(writer, Opcode.end);
  return wholeBody(writer);
}

/** What is refused costs nothing. The length is the last argument, and the result goes to the local behind it. */
function bodyThatGrows(counter: Counter, length: number, grow: readonly number[]): Body {
  const writer = createWriter(64);
  writeBytes(writer, new Uint8Array([1, 1, ValueType.i32]));
  for (let argument = 0; argument <= length; argument += 1) write(writer, Opcode.localGet, argument);
  writeBytes(writer, new Uint8Array(grow));
  write(writer, Opcode.localTee, length + 1);
  writeByte(writer, Opcode.i32Const);
  writeS32(writer, -1);
  writeByte(writer, Opcode.i32Ne);
  writeBytes(writer, new Uint8Array([Opcode.if, 0x40]));
  payArgument(writer, counter, length);
  writeByte(writer, Opcode.end);
  write(writer, Opcode.localGet, length + 1);
  writeByte(writer, Opcode.end);
  return wholeBody(writer);
}

function write(writer: Writer, opcode: number, index: number): void {
  writeByte(writer, opcode);
  writeU32(writer, index);
}
