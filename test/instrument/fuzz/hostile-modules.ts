import { MODULE_BOUNDS } from "../../../src/instrument/bounds.ts";
import { Opcode } from "../../../src/wasm/opcodes.ts";
import { ValueType } from "../../../src/wasm/value-types.ts";
import { body, leb, name, PREAMBLE, SECTION, section, VOID_TYPE, vector } from "../../wasm/binary.ts";
import { encodeOpcode } from "./encoding.ts";

/** A function's worth of one kind of operator. */
const BODY_BYTES = 1_000_000;

const TWO_RESULTS = [0x60, 0, 2, ValueType.i32, ValueType.i32];
const WIDE = [0x60, ...vector(repeat(999, [ValueType.i32])), 0];
const ZERO = [Opcode.i32Const, 0];
const BLOCK = [Opcode.block, 0x40];
const LOOP = [Opcode.loop, 0x40];
const IF = [...ZERO, Opcode.if, 0x40];
const END = [Opcode.end];
const MANY_LOCALS = [1, ...leb(MODULE_BOUNDS.localsPerFunction), ValueType.i32];
const LAST_LOCAL = leb(MODULE_BOUNDS.localsPerFunction - 1);

/** Modules of about so many bytes that consist of one thing, by what that is. All are valid commands. */
export const HOSTILE_MODULES: Readonly<Record<string, (bytes: number) => Uint8Array<ArrayBuffer>>> = {
  "a call": (bytes) => madeOf(bytes, { operators: [Opcode.call, 0] }),
  "a call through a table": (bytes) => madeOf(bytes, { operators: [...ZERO, Opcode.callIndirect, 0, 0] }),
  "a local": (bytes) =>
    madeOf(bytes, { operators: [Opcode.localGet, ...LAST_LOCAL, Opcode.drop], locals: MANY_LOCALS }),
  "a parameter": (bytes) =>
    madeOf(bytes, { operators: [Opcode.localGet, ...leb(998), Opcode.drop], type: 2 }),
  "a block": (bytes) => madeOf(bytes, { operators: BLOCK, closing: END }),
  "a block in a block": (bytes) => madeOf(bytes, { operators: BLOCK, closing: END, nesting: 50_000 }),
  "a loop": (bytes) => madeOf(bytes, { operators: LOOP, closing: END }),
  "a loop in a loop": (bytes) => madeOf(bytes, { operators: LOOP, closing: END, nesting: 50_000 }),
  "an if in an if": (bytes) => madeOf(bytes, { operators: IF, closing: END, nesting: 50_000 }),
  "an if and an else": (bytes) => madeOf(bytes, { operators: [...IF, Opcode.else], closing: END }),
  "a loop in a function of many locals": (bytes) =>
    madeOf(bytes, { operators: LOOP, closing: END, locals: MANY_LOCALS }),
  "a br_if": (bytes) => madeOf(bytes, { operators: [...ZERO, Opcode.brIf, 0] }),
  "a br_table": (bytes) =>
    madeOf(bytes, { operators: [...BLOCK, ...ZERO, Opcode.brTable, 0, 0], closing: END }),
  "a br_table of many labels": (bytes) =>
    madeOf(bytes, {
      operators: [...BLOCK, ...ZERO, Opcode.brTable, ...leb(65_000), ...new Uint8Array(65_001)],
      closing: END,
    }),
  "a return": (bytes) => madeOf(bytes, { operators: [...IF, Opcode.return], closing: END }),
  "a trap": (bytes) => madeOf(bytes, { operators: [...IF, Opcode.unreachable], closing: END }),
  "dead code": (bytes) => madeOf(bytes, { operators: [Opcode.return] }),
  "memory that grows": (bytes) =>
    madeOf(bytes, {
      operators: [...ZERO, ...repeat(400, [Opcode.memoryGrow, 0]).flat(), Opcode.drop],
      locals: MANY_LOCALS,
    }),
  "memory that is filled": (bytes) =>
    madeOf(bytes, { operators: [...ZERO, ...ZERO, ...ZERO, ...encodeOpcode(Opcode.memoryFill), 0] }),
  "an empty function": () => functions(MODULE_BOUNDS.functions - 1, 0, []),
  "a function that calls another": () =>
    functions(MODULE_BOUNDS.functions - 1, 0, [Opcode.call, ...leb(100_000)]),
  "a function that branches to its end": () =>
    functions(MODULE_BOUNDS.functions - 1, 1, [...ZERO, ...ZERO, Opcode.br, 0]),
  "an exported function of many parameters": () => functions(MODULE_BOUNDS.exports - 2, 2, [], true),
};

function repeat(count: number, item: readonly number[]): number[][] {
  return Array.from({ length: count }, () => [...item]);
}

interface Contents {
  operators: readonly number[];
  /** What closes the blocks that the operators open, and how many may be open at a time. */
  closing?: readonly number[];
  nesting?: number;
  locals?: readonly number[];
  type?: number;
}

/** Functions of the same operators over and over, until the module has about so many bytes. */
function madeOf(bytes: number, { operators, closing = [], nesting = 1, locals = [0], type = 0 }: Contents) {
  const size = Math.min(bytes, BODY_BYTES);
  const times = Math.max(1, Math.floor(size / (operators.length + closing.length)));
  const code: number[] = [];
  for (let done = 0; done < times; done += nesting) {
    const open = Math.min(nesting, times - done);
    for (let turn = 0; turn < open; turn += 1) code.push(...operators);
    for (let turn = 0; turn < open; turn += 1) code.push(...closing);
  }
  const encoded = [...locals, ...code, Opcode.end];
  const one = Uint8Array.from([...leb(encoded.length), ...encoded]);
  return command(one, Math.max(1, Math.floor(bytes / one.length)), type);
}

/** So many small functions of that type. */
function functions(count: number, type: number, operators: readonly number[], exported = false) {
  return command(Uint8Array.from(body(operators)), count, type, exported);
}

/** A command whose `_start` is empty, with so many functions more. */
function command(one: Uint8Array, count: number, type: number, exported = false): Uint8Array<ArrayBuffer> {
  const others = exported
    ? Array.from({ length: count }, (_, index) => [...name(`f${index}`), 0, ...leb(index + 1)])
    : [];
  const head = [
    ...PREAMBLE,
    ...section(SECTION.type, vector([VOID_TYPE, TWO_RESULTS, WIDE])),
    ...section(SECTION.function, vector([[0], ...repeat(count, [type])])),
    ...section(SECTION.table, vector([[ValueType.funcref, 0, 1]])),
    ...section(SECTION.memory, vector([[0, 1]])),
    ...section(SECTION.export, vector([[...name("memory"), 2, 0], [...name("_start"), 0, 0], ...others])),
  ];
  const first = [...leb(count + 1), ...body([])];
  const start = [...head, SECTION.code, ...leb(first.length + count * one.length), ...first];
  const bytes = new Uint8Array(start.length + count * one.length);
  bytes.set(start);
  for (let index = 0; index < count; index += 1) bytes.set(one, start.length + index * one.length);
  return bytes;
}
