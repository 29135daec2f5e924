import { expect, test } from "vitest";
import { MODULE_BOUNDS } from "../../src/instrument/bounds.ts";
import { WasmFormatError } from "../../src/wasm/format-error.ts";
import type { OperatorVisitor } from "../../src/wasm/operator-cursor.ts";
import { readModule } from "../../src/wasm/read-module.ts";
import { body, moduleOf, SECTION, section, VOID_TYPE, vector } from "./binary.ts";

/** With or without a memory, one global and two locals; zeros fill the end, so that there is room to skip. */
function moduleWith(operators: readonly number[], memories: 0 | 1): Uint8Array<ArrayBuffer> {
  const fill = Array.from({ length: 24 }, () => 0x00);
  return moduleOf(
    section(SECTION.type, vector([VOID_TYPE])),
    section(SECTION.function, vector([[0]])),
    ...(memories === 1 ? [section(SECTION.memory, vector([[0x00, 0x01]]))] : []),
    section(SECTION.global, vector([[0x7f, 0x01, 0x41, 0x00, 0x0b]])),
    section(SECTION.code, vector([body([...operators, ...fill], [1, 2, 0x7f])])),
  );
}

/** What a reader makes of a module: how many operators, or the error and its place. */
function read(bytes: Uint8Array, skipping: boolean): unknown {
  const seen = { operators: 0, onFirstLocal: 0 };
  const visitor: OperatorVisitor = {
    enter() {},
    operator({ opcode, first, params }) {
      seen.operators += 1;
      if (opcode >= 0x20 && opcode <= 0x22 && first === params) seen.onFirstLocal += 1;
    },
    ...(skipping && {
      computing(_, count) {
        seen.operators += count;
      },
    }),
  };
  try {
    readModule(bytes, MODULE_BOUNDS, visitor);
    return seen;
  } catch (error) {
    if (!(error instanceof WasmFormatError)) throw error;
    return { message: error.message, offset: error.offset };
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
        const bytes = moduleWith([opcode, ...immediates], memories);
        const [one, other] = [read(bytes, true), read(bytes, false)].map((found) => JSON.stringify(found));
        if (one !== other) different.push(`${[opcode, ...immediates]}: ${one} ${other}`);
      }
    }
    expect(different).toEqual([]);
  },
);

test("a visitor that is told of computing operators hears of those on the first local one by one", () => {
  const bytes = moduleWith([0x20, 0x00, 0x21, 0x01, 0x20, 0x01, 0x22, 0x00, 0x1a], 0);
  expect(read(bytes, true)).toEqual(read(bytes, false));
  expect(read(bytes, true)).toMatchObject({ onFirstLocal: 2 });
});

test("a long stretch of them is told of in parts of 64 at most", () => {
  const counts: number[] = [];
  const stretch = Array.from({ length: 100 }, () => [0x41, 0x00]).flat();
  readModule(moduleWith(stretch, 0), MODULE_BOUNDS, {
    enter() {},
    operator() {},
    computing: (_, count) => counts.push(count),
  });
  expect(counts.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(100);
  expect(Math.max(...counts)).toBe(64);
});
