import { expect, test } from "vitest";
import { MODULE_BOUNDS } from "../../src/instrument/bounds.ts";
import { WasmFormatError } from "../../src/wasm/format-error.ts";
import { closeBody, openBody, operatorCursor } from "../../src/wasm/operator-cursor.ts";
import { nextOperator } from "../../src/wasm/operators.ts";
import type { Places } from "../../src/wasm/places.ts";
import { readModule } from "../../src/wasm/read-module.ts";
import { body, moduleOf, SECTION, section, VOID_TYPE, vector } from "./binary.ts";

/** One group: two locals. */
const LOCALS = [1, 2, 0x7f];

/** Operators with zeros behind them, so that there is room to skip. */
function filled(operators: readonly number[]): number[] {
  return [...operators, ...Array.from({ length: 24 }, () => 0x00)];
}

/** With or without a memory, one global and two locals. The body is the end of it. */
function moduleWith(operators: readonly number[], memories: 0 | 1): Uint8Array<ArrayBuffer> {
  return moduleOf(
    section(SECTION.type, vector([VOID_TYPE])),
    section(SECTION.function, vector([[0]])),
    ...(memories === 1 ? [section(SECTION.memory, vector([[0x00, 0x01]]))] : []),
    section(SECTION.global, vector([[0x7f, 0x01, 0x41, 0x00, 0x0b]])),
    section(SECTION.code, vector([body(filled(operators), LOCALS)])),
  );
}

/** What is found in a body: how many operators, and where those on the first local are; or the error and its place. */
interface Found {
  operators: number;
  firstLocal: readonly number[];
}

function listed(places: Places | undefined): number[] {
  return [...(places?.at.subarray(0, places.count) ?? [])];
}

function skipping(operators: readonly number[], memories: 0 | 1): Found {
  let operatorsRead = 0;
  let places: Places | undefined;
  readModule(moduleWith(operators, memories), MODULE_BOUNDS, {
    enter({ firstLocal }) {
      places = firstLocal;
    },
    operator({ passed }) {
      operatorsRead += passed + 1;
    },
  });
  return { operators: operatorsRead, firstLocal: listed(places) };
}

/** The same, operator by operator. */
function oneByOne(operators: readonly number[], memories: 0 | 1): Found {
  const bytes = moduleWith(operators, memories);
  const size = LOCALS.length + filled(operators).length + 1;
  const spaces = { types: 1, functions: 1, tables: 0, memories, globals: 1, elements: 0, data: 0 };
  const cursor = operatorCursor(spaces, MODULE_BOUNDS);
  openBody(cursor, { bytes, start: bytes.length - size, end: bytes.length, long: [] }, 0);
  let count = 0;
  for (; cursor.depth > 0; count += 1) nextOperator(cursor);
  closeBody(cursor);
  return { operators: count, firstLocal: listed(cursor.firstLocal) };
}

function outcome(read: () => Found): string {
  try {
    return JSON.stringify(read());
  } catch (error) {
    if (!(error instanceof WasmFormatError)) throw error;
    return `${error.message} at ${error.offset}`;
  }
}

const IMMEDIATES: ReadonlyArray<readonly number[]> = [
  [],
  [0x00],
  [0x01],
  [0x02],
  [0x20, 0x00],
  [0x40, 0x00, 0x00],
  [0x02, 0x80, 0x80, 0x00],
  [0x02, 0x80, 0x80, 0x80, 0x80, 0x0f],
  [0x02, 0x80, 0x80, 0x80, 0x80, 0x10],
  [0x80, 0x00, 0x00],
  [0xff, 0xff, 0xff, 0xff, 0x07],
  [0xff, 0xff, 0xff, 0xff, 0x08],
  [0xff, 0xff, 0xff, 0xff, 0x78],
  [0xff, 0xff, 0xff, 0xff, 0x70],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00],
];

test.each([0, 1] as const)(
  "every opcode, however it goes on, is read alike with and without skipping (memories: %i)",
  (memories) => {
    const different: string[] = [];
    for (let opcode = 0; opcode < 256; opcode += 1) {
      for (const immediates of IMMEDIATES) {
        const operators = [opcode, ...immediates];
        const one = outcome(() => skipping(operators, memories));
        const other = outcome(() => oneByOne(operators, memories));
        if (one !== other) different.push(`${operators}: ${one} ${other}`);
      }
    }
    expect(different).toEqual([]);
  },
);

test("the places of operators on the first local are told, passed over or not", () => {
  const operators = [0x20, 0x00, 0x21, 0x01, 0x20, 0x01, 0x22, 0x00, 0x1a, 0x20, 0x80, 0x00];
  const { firstLocal } = skipping(operators, 0);
  expect(firstLocal).toEqual(oneByOne(operators, 0).firstLocal);
  expect(firstLocal.map((at) => at - (firstLocal[0] ?? 0))).toEqual([0, 6, 9]);
});

test("a long stretch is passed over in parts of 64 at most", () => {
  const counts: number[] = [];
  const stretch = Array.from({ length: 100 }, () => [0x41, 0x00]).flat();
  readModule(moduleWith(stretch, 0), MODULE_BOUNDS, {
    enter() {},
    operator: ({ passed }) => counts.push(passed),
  });
  expect(counts.slice(0, 2)).toEqual([64, 35]);
});
