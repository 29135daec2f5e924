import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { MODULE_BOUNDS } from "../../src/instrument/bounds.ts";
import { readModule } from "../../src/wasm/read-module.ts";
import { writeModule } from "../../src/wasm/write-module.ts";
import { assemble, assembleFixture } from "./assemble.ts";
import { body, customSection, leb, moduleOf, SECTION, section, VOID_TYPE, vector } from "./binary.ts";
import { contents } from "./contents.ts";

const ACCEPTED = readdirSync(new URL("../../fixtures/modules/accepted/", import.meta.url));

test.each(ACCEPTED)("%s is the same module after reading and writing it, names included", (file) => {
  const bytes = assembleFixture(`accepted/${file}`, { names: true });
  const written = writeModule(readModule(bytes, MODULE_BOUNDS));
  expect(WebAssembly.validate(written)).toBe(true);
  expect(contents(written)).toEqual(contents(bytes));
  expect(WebAssembly.Module.customSections(new WebAssembly.Module(written), "name")).toHaveLength(1);
});

test.each(ACCEPTED)("writing what was written from %s changes no byte", (file) => {
  const once = writeModule(readModule(assembleFixture(`accepted/${file}`), MODULE_BOUNDS));
  expect(writeModule(readModule(once, MODULE_BOUNDS))).toEqual(once);
});

test("imports of every kind, a start function and an empty module survive", () => {
  const texts = [
    "(module)",
    `(module (import "a" "f" (func (param i32))) (import "a" "t" (table 1 2 externref)) (import "b" "m" (memory 1))
      (import "b" "g" (global (mut f64))) (export "g" (global 0)) (export "t" (table 0)) (export "m" (memory 0)))`,
    "(module (func $f) (start $f))",
    '(module (import "\\e2\\98\\83" "" (func)))',
  ];
  for (const text of texts) {
    const bytes = assemble(text);
    const written = writeModule(readModule(bytes, MODULE_BOUNDS));
    expect(WebAssembly.validate(written)).toBe(true);
    expect(contents(written)).toEqual(contents(bytes));
  }
});

test("padded integers become short in declarations and stay as they are in operators", () => {
  const padded = moduleOf(
    section(SECTION.type, [...leb(1, 5), ...VOID_TYPE]),
    section(SECTION.function, [...leb(1, 3), ...leb(0, 5)]),
    section(SECTION.code, vector([body([0x41, ...leb(3, 5), 0x1a])])),
  );
  const written = writeModule(readModule(padded, MODULE_BOUNDS));
  expect(WebAssembly.validate(written)).toBe(true);
  expect(Buffer.from(written).includes(Buffer.from([0x41, ...leb(3, 5), 0x1a]))).toBe(true);
  expect(contents(written)).toEqual(contents(padded));
});

test("custom sections other than names are not written", () => {
  const text = "(module (func))";
  const bytes = new Uint8Array([
    ...assemble(text),
    ...customSection("sourceMappingURL", [1]),
    ...customSection("x", []),
  ]);
  const written = new WebAssembly.Module(writeModule(readModule(bytes, MODULE_BOUNDS)));
  expect(WebAssembly.Module.customSections(written, "sourceMappingURL")).toEqual([]);
  expect(WebAssembly.Module.customSections(written, "x")).toEqual([]);
});

test("a function keeps its name in a stack trace", () => {
  const bytes = assemble('(module (func $deep_down (unreachable)) (func (export "f") (call $deep_down)))', {
    names: true,
  });
  const written = writeModule(readModule(bytes, MODULE_BOUNDS));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(written));
  expect(stackOf(exports.f as () => void)).toContain("deep_down");
});

function stackOf(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return error.stack ?? "";
    throw error;
  }
  throw new Error("nothing was thrown");
}
