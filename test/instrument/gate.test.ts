import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { instrument, ModuleRefused } from "../../src/instrument/instrument.ts";
import { PREVIEW1_FUNCTIONS } from "../../src/instrument/wasi-preview1.ts";
import { ValueType } from "../../src/wasm/value-types.ts";
import { assemble, assembleFixture, moduleText } from "../wasm/assemble.ts";
import { name as encodedName, moduleOf, SECTION, section, VOID_TYPE, vector } from "../wasm/binary.ts";

const CAPS = { memoryBytes: 1024 * 1024, tableElements: 100 };

function filesIn(folder: string): string[] {
  return readdirSync(new URL(`../../fixtures/modules/${folder}/`, import.meta.url));
}

function refusal(bytes: Uint8Array): ModuleRefused {
  try {
    instrument(bytes, CAPS);
  } catch (error) {
    if (error instanceof ModuleRefused) return error;
    throw error;
  }
  throw new Error("the module was not refused");
}

test.each(filesIn("accepted"))("accepted/%s passes the gate", (file) => {
  expect(WebAssembly.validate(instrument(assembleFixture(`accepted/${file}`), CAPS).bytes)).toBe(true);
});

// The first line of each file says what the message has to say, the second, where there is one, where the cause stands.
test.each(filesIn("refused"))("refused/%s is refused for its reason, at its place, with a remedy", (file) => {
  const path = `refused/${file}`;
  const [, reason] = /^;; refused: (.+)$/m.exec(moduleText(path)) ?? [];
  const [, offset] = /^;; at: (0x[0-9a-f]+)$/m.exec(moduleText(path)) ?? [];
  const error = refusal(assembleFixture(path));
  const where = offset === undefined ? "" : ` (byte 0x${Number(offset).toString(16)})`;
  expect(error.message).toContain(`module refused: ${reason}${where}; `);
  expect(error.message.split("; ").at(-1)).toMatch(/\w/);
  expect(error.offset).toBe(offset === undefined ? undefined : Number(offset));
});

test("an import of preview 1 passes with its own type, and with no other", () => {
  const names = { [ValueType.i32]: "i32", [ValueType.i64]: "i64" } as Record<number, string>;
  const importing = (
    name: string,
    params: readonly string[],
    results: readonly string[],
  ): Uint8Array<ArrayBuffer> =>
    assemble(`(module
      (import "wasi_snapshot_preview1" "${name}" (func (param ${params.join(" ")}) (result ${results.join(" ")})))
      (memory (export "memory") 1) (func (export "_start")))`);
  expect(PREVIEW1_FUNCTIONS.size).toBe(46);
  for (const [name, type] of PREVIEW1_FUNCTIONS) {
    const params = type.params.map((value) => names[value] ?? "");
    const results = type.results.map((value) => names[value] ?? "");
    expect(() => instrument(importing(name, params, results), CAPS)).not.toThrow();
    expect(refusal(importing(name, [...params, "i32"], results)).message).toContain(`it imports ${name} as`);
    expect(refusal(importing(name, params, [...results, "i32"])).message).toContain(`it imports ${name} as`);
    for (const [index, value] of params.entries()) {
      const changed = params.with(index, value === "i32" ? "i64" : "i32");
      expect(refusal(importing(name, changed, results)).message).toContain(`it imports ${name} as`);
    }
  }
});

test("a name out of a module is clipped and cannot steer a terminal", () => {
  const name = `\u001b[2J\u009b31m\u202e${"x".repeat(3000)}`;
  const bytes = moduleOf(
    section(SECTION.type, vector([VOID_TYPE])),
    section(SECTION.import, vector([[...encodedName("env"), ...encodedName(name), 0x00, 0x00]])),
  );
  const { message } = refusal(bytes);
  expect(message).toContain('"\\u001b[2J\\u009b31m\\u202exxx');
  expect(message).toMatch(/^[\x20-\x7e…]+$/);
  expect(message.length).toBeLessThan(400);
});

test("bytes in shared memory are copied before they are looked at, and are not changed", () => {
  const bytes = assembleFixture("accepted/rustc-shaped.wat");
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  expect(instrument(shared, CAPS).bytes).toEqual(instrument(bytes, CAPS).bytes);
  expect(bytes).toEqual(assembleFixture("accepted/rustc-shaped.wat"));
});

test("the same module and caps give the same bytes, in a buffer of their own size", () => {
  const bytes = assembleFixture("accepted/all-sections.wat");
  const first = instrument(bytes, CAPS).bytes;
  expect(instrument(bytes, CAPS).bytes).toEqual(first);
  expect(first.buffer.byteLength).toBe(first.length);
});

test("a module that was instrumented is not instrumented again", () => {
  const once = instrument(assembleFixture("accepted/minimal.wat"), CAPS).bytes;
  expect(refusal(once).message).toContain("scriptcell");
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 1.5])(
  "a cap of %d is an error of the caller, never no cap",
  (cap) => {
    const bytes = assembleFixture("accepted/minimal.wat");
    expect(() => instrument(bytes, { ...CAPS, memoryBytes: cap })).toThrow(RangeError);
    expect(() => instrument(bytes, { ...CAPS, tableElements: cap })).toThrow(RangeError);
  },
);
