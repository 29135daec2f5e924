import { expect, test } from "vitest";
import { instrument } from "../../src/instrument/instrument.ts";
import { body, leb, moduleOf, name, SECTION, section, VOID_TYPE, vector } from "../wasm/binary.ts";
import { instantiate } from "./instantiate.ts";

const CAPS = { memoryBytes: 256 * 1024 * 1024, tableElements: 100 };
const ONE_PARAMETER = [0x60, 0x01, 0x7f, 0x01, 0x7f];
const BLOCK = 0x02;
const RESULT = 0x7f;
const END = 0x0b;
const BR = 0x0c;
const GET = 0x20;
const SET = 0x21;
const TEE = 0x22;
const ADD = 0x6a;
const FIRST = 1;

/** `f(x) = 4 * x`, by way of the first local behind the parameter, whose index takes `indexBytes`. */
function moduleWith(locals: number, indexBytes: number): Uint8Array<ArrayBuffer> {
  const first = (opcode: number): number[] => [opcode, ...leb(FIRST, indexBytes)];
  const last = leb(locals);
  const operators = [
    ...first(GET),
    ...[GET, 0, SET, ...last],
    ...[GET, 0],
    ...first(TEE),
    ...[GET, 0, ADD],
    ...first(SET),
    ...[BLOCK, RESULT],
    ...first(GET),
    ...[BR, 0],
    // Nothing leads here.
    ...[...first(GET), ...first(SET), ...first(GET), END],
    ...first(GET),
    ...[ADD, ADD],
  ];
  return moduleOf(
    section(SECTION.type, vector([VOID_TYPE, ONE_PARAMETER])),
    section(SECTION.function, vector([[0], [1]])),
    section(SECTION.memory, vector([[0x00, 0x01]])),
    section(
      SECTION.export,
      vector([
        [...name("memory"), 0x02, 0x00],
        [...name("_start"), 0x00, 0x00],
        [...name("f"), 0x00, 0x01],
      ]),
    ),
    section(SECTION.code, vector([body([]), body(operators, [1, ...leb(locals), 0x7f])])),
  );
}

function call(module: { bytes: Uint8Array<ArrayBuffer> }, argument: number): unknown {
  const { f } = instantiate(module);
  if (typeof f !== "function") throw new Error("f is not exported");
  return f(argument);
}

test.each([
  [2, 1],
  [2, 2],
  [2, 5],
  [126, 1],
  [126, 5],
  // From here on the local's new index takes two bytes, and then three.
  [127, 1],
  [128, 2],
  [20_000, 1],
  [20_000, 2],
  [20_000, 5],
])(
  "the local that makes room for the fuel is another one of %i, its index written in %i bytes",
  (locals, indexBytes) => {
    const bytes = moduleWith(locals, indexBytes);
    const given = bytes.slice();
    expect(call({ bytes }, 11)).toBe(44);
    expect(call(instrument(bytes, CAPS), 11)).toBe(44);
    expect(bytes, "the caller's own bytes").toEqual(given);
  },
);
