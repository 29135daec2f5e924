import { expect, test } from "vitest";
import { MODULE_BOUNDS } from "../../src/instrument/bounds.ts";
import { instrument } from "../../src/instrument/instrument.ts";
import { growRefusals } from "../../src/instrument/passes/grow-refusals.ts";
import { readModule } from "../../src/wasm/read-module.ts";
import { GROW_REFUSALS_EXPORT } from "../../src/wasm/reserved.ts";
import { assemble, assembleFixture } from "../wasm/assemble.ts";
import { body, commandSections, moduleOf } from "../wasm/binary.ts";
import { instantiate } from "./instantiate.ts";
import { through } from "./through.ts";

const CAPS = { memoryBytes: 3 * 65_536, tableElements: 100 };
type Exports = Record<string, (...args: number[]) => number>;

function start(bytes: Uint8Array): { exports: Exports; refusals: WebAssembly.Global<"i32"> } {
  const exports = instantiate(instrument(bytes, CAPS));
  return {
    exports: exports as Exports,
    refusals: exports[GROW_REFUSALS_EXPORT] as WebAssembly.Global<"i32">,
  };
}

const growing = assembleFixture("accepted/growing.wat");

test("each refused growth is counted, and a granted one is not", () => {
  const { exports, refusals } = start(growing);
  expect(refusals.value).toBe(0);
  expect(exports.grow?.(1)).toBe(1);
  expect(refusals.value).toBe(0);
  expect(exports.grow?.(2)).toBe(-1);
  expect(exports.grow?.(2)).toBe(-1);
  expect(refusals.value).toBe(2);
  expect(exports.grow?.(1)).toBe(2);
  expect(refusals.value).toBe(2);
});

test("growing by nothing is granted, even at the cap; growing by 2^32 - 1 pages is refused", () => {
  const { exports, refusals } = start(growing);
  expect(exports.grow?.(2)).toBe(1);
  expect(exports.grow?.(0)).toBe(3);
  expect(refusals.value).toBe(0);
  expect(exports.grow?.(-1)).toBe(-1);
  expect(exports.grow?.(-0x8000_0000)).toBe(-1);
  expect(refusals.value).toBe(2);
  expect(exports.pages?.()).toBe(3);
});

test("every memory.grow of a function is counted, and the function does what it did", () => {
  const { exports, refusals } = start(growing);
  expect(exports["grow-twice"]?.(1, 100)).toBe(1 + -1);
  expect(exports["grow-twice"]?.(100, 1)).toBe(-1 + 2);
  expect(refusals.value).toBe(2);
});

test("the count stays at its maximum instead of wrapping to zero", () => {
  const { exports, refusals } = start(growing);
  refusals.value = 0x7fff_fffe;
  exports.grow?.(100);
  expect(refusals.value).toBe(0x7fff_ffff);
  exports.grow?.(100);
  expect(refusals.value).toBe(0x7fff_ffff);
});

test("bytes that look like memory.grow inside of constants stay", () => {
  const { exports } = start(growing);
  expect(exports["looks-like-growing"]?.()).toBe(64n);
  expect(exports["looks-like-growing-too"]?.()).toBe(32);
});

test("memory.grow in code that is never reached is replaced too", () => {
  const bytes = moduleOf(...commandSections([body([0x00, 0x40, 0x00, 0x40, 0x00, 0x1a])]));
  const module = readModule(through(growRefusals, bytes, CAPS), MODULE_BOUNDS);
  const [first] = module.bodies;
  expect(Buffer.from(first?.bytes.subarray(first.start, first.end) ?? []).toString("hex")).toBe(
    "0000100110011a0b",
  );
});

test("the guest's own indices do not move, whatever it imports and defines", () => {
  const bytes = assemble(`(module
    (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
    (type $same (func (param i32) (result i32)))
    (memory (export "memory") 1)
    (global $g (export "g") (mut i32) (i32.const 5))
    (table 2 funcref)
    (elem (i32.const 0) $grow $add)
    (func $grow (param i32) (result i32) (memory.grow (local.get 0)))
    (func $add (param i32) (result i32) (i32.add (local.get 0) (global.get $g)))
    (func (export "_start"))
    (func (export "indirect") (param i32 i32) (result i32)
      (call_indirect (type $same) (local.get 1) (local.get 0))))`);
  const exports = instantiate(instrument(bytes, CAPS), {
    wasi_snapshot_preview1: { sched_yield: () => 0 },
  });
  const { indirect, g } = exports as {
    indirect: (index: number, value: number) => number;
    g: WebAssembly.Global<"i32">;
  };
  expect(indirect(0, 100)).toBe(-1);
  expect(indirect(1, 7)).toBe(12);
  expect(g.value).toBe(5);
  const refusals = exports[GROW_REFUSALS_EXPORT] as WebAssembly.Global<"i32">;
  expect(refusals.value).toBe(1);
});

test("the type of the appended function is the module's own where it has one", () => {
  const typesOf = (text: string): number =>
    readModule(through(growRefusals, assemble(text), CAPS), MODULE_BOUNDS).types.length;
  const command = '(memory (export "memory") 1) (func (export "_start"))';
  expect(typesOf(`(module ${command})`)).toBe(2);
  expect(typesOf(`(module (type (func)) (type (func (param i32) (result i32))) ${command})`)).toBe(2);
});

test("a guest cannot name the counter: in its own code there is no such index", () => {
  // Global 0 is what the counter will be called, in a module without globals.
  const bytes = moduleOf(...commandSections([body([0x41, 0x00, 0x24, 0x00])]));
  expect(() => instrument(bytes, CAPS)).toThrow("global 0 does not exist: there are 0");
  const calling = moduleOf(...commandSections([body([0x41, 0x00, 0x10, 0x01, 0x1a])]));
  expect(() => instrument(calling, CAPS)).toThrow("function 1 does not exist: there are 1");
});

test("a module without memory.grow has the counter all the same", () => {
  expect(start(assembleFixture("accepted/minimal.wat")).refusals.value).toBe(0);
});
