import { expect, test } from "vitest";
import { MODULE_BOUNDS } from "../../src/instrument/bounds.ts";
import { appendExport, appendFunction, appendGlobal, internType } from "../../src/wasm/append.ts";
import type { Body } from "../../src/wasm/module.ts";
import { readModule } from "../../src/wasm/read-module.ts";
import { ValueType } from "../../src/wasm/value-types.ts";
import { writeModule } from "../../src/wasm/write-module.ts";
import { assemble } from "./assemble.ts";

const { i32, i64 } = ValueType;

test("a type that the module has is used again, another is appended", () => {
  const module = readModule(
    assemble("(module (type (func)) (type (func (param i32) (result i32))))"),
    MODULE_BOUNDS,
  );
  expect(internType(module, { params: [i32], results: [i32] })).toBe(1);
  expect(internType(module, { params: [i32], results: [] })).toBe(2);
  expect(internType(module, { params: [i32], results: [i64] })).toBe(3);
  expect(internType(module, { params: [], results: [i32] })).toBe(4);
  expect(internType(module, { params: [i32], results: [i64] })).toBe(3);
  expect(module.types).toHaveLength(5);
});

/** `() -> i32` that gives back a global. */
function getter(global: number): Body {
  const bytes = new Uint8Array([0, 0x23, global, 0x0b]);
  return { bytes, start: 0, end: bytes.length, long: [] };
}

test.each([
  ["nothing", "(module)", 0, 0],
  [
    "imports only",
    '(module (import "m" "f" (func)) (import "m" "g" (global i32)) (import "m" "h" (func)))',
    2,
    1,
  ],
  ["functions and globals", "(module (func) (func) (global i64 (i64.const 1)))", 2, 1],
  [
    "both",
    '(module (import "m" "f" (func)) (import "m" "g" (global i32)) (func) (global i64 (i64.const 1)))',
    2,
    2,
  ],
])("functions and globals are appended behind those of a module with %s", (_, text, functions, globals) => {
  const module = readModule(assemble(text), MODULE_BOUNDS);
  const init = new Uint8Array([0x41, 42, 0x0b]);
  const global = appendGlobal(module, { type: i32, mutable: false, init });
  const index = appendFunction(module, internType(module, { params: [], results: [i32] }), getter(global));
  appendExport(module, { name: "get", kind: "function", index });
  expect([index, global]).toEqual([functions, globals]);
  const bytes = writeModule(module);
  const imports = { m: { f: () => {}, h: () => {}, g: new WebAssembly.Global({ value: "i32" }, 7) } };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
  expect((exports.get as () => number)()).toBe(42);
});
