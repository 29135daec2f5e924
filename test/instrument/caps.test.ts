import { expect, test } from "vitest";
import { instrument, ModuleRefused } from "../../src/instrument/instrument.ts";
import { assemble, assembleFixture } from "../wasm/assemble.ts";
import { instantiate } from "./instantiate.ts";

const PAGE = 65_536;

interface Growing {
  grow: (pages: number) => number;
  pages: () => number;
  "grow-functions": (elements: number) => number;
  "grow-others": (elements: number) => number;
}

function start(bytes: Uint8Array, caps: { memoryBytes?: number; tableElements?: number }): Growing {
  return instantiate(
    instrument(bytes, { memoryBytes: 4 * PAGE, tableElements: 10, ...caps }),
  ) as unknown as Growing;
}

const growing = assembleFixture("accepted/growing.wat");

test("memory grows up to the cap, to the last page, and not by one more", () => {
  const under = start(growing, {});
  expect([under.grow(1), under.pages()]).toEqual([1, 2]);
  expect([under.grow(2), under.pages()]).toEqual([2, 4]);
  expect([under.grow(1), under.pages()]).toEqual([-1, 4]);
  const atOnce = start(growing, {});
  expect([atOnce.grow(4), atOnce.pages()]).toEqual([-1, 1]);
  expect([atOnce.grow(3), atOnce.pages()]).toEqual([1, 4]);
});

test("a cap that ends within a page counts whole pages only", () => {
  const { grow, pages } = start(growing, { memoryBytes: 3 * PAGE - 1 });
  expect([grow(1), grow(1), pages()]).toEqual([1, -1, 2]);
});

test("a cap above four gibibytes is what a 32-bit memory can have", () => {
  const { grow } = start(growing, { memoryBytes: Number.MAX_SAFE_INTEGER });
  expect(grow(65_536)).toBe(-1);
  expect(grow(1)).toBe(1);
});

test("a declared maximum below the cap stays", () => {
  const declared = assemble(`(module (memory (export "memory") 1 2) (func (export "_start"))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))`);
  const { grow } = start(declared, {});
  expect([grow(1), grow(1)]).toEqual([1, -1]);
});

test("memory and tables that start at the cap pass; a page, or an element, above it they are refused", () => {
  const starting = (pages: number, elements: number): Uint8Array =>
    assemble(
      `(module (memory (export "memory") ${pages}) (table ${elements} funcref) (func (export "_start")))`,
    );
  expect(() => start(starting(4, 10), {})).not.toThrow();
  expect(() => start(starting(5, 10), {})).toThrow(ModuleRefused);
  expect(() => start(starting(4, 11), {})).toThrow(ModuleRefused);
  expect(() => start(starting(1, 0), { memoryBytes: PAGE - 1 })).toThrow(ModuleRefused);
  expect(() => start(starting(0, 0), { memoryBytes: 0, tableElements: 0 })).not.toThrow();
});

test("each table grows up to the cap, and not by one more", () => {
  const tables = start(growing, {});
  expect([tables["grow-functions"](9), tables["grow-functions"](1)]).toEqual([1, -1]);
  expect([tables["grow-others"](10), tables["grow-others"](1)]).toEqual([0, -1]);
  expect(start(growing, {})["grow-functions"](10)).toBe(-1);
  expect(start(growing, {})["grow-others"](-1)).toBe(-1);
});

test("the memory that the host sees has the cap as its maximum too", () => {
  const { memory } = instantiate(instrument(growing, { memoryBytes: 2 * PAGE, tableElements: 10 })) as {
    memory: WebAssembly.Memory;
  };
  memory.grow(1);
  expect(() => memory.grow(1)).toThrow(RangeError);
});
