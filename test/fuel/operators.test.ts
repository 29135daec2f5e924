import { afterAll, beforeAll, expect, test } from "vitest";
import { MODULE_BOUNDS } from "../../src/instrument/bounds.ts";
import { BULK_IMMEDIATES, Immediates, PLAIN_IMMEDIATES, VECTOR_IMMEDIATES } from "../../src/wasm/opcodes.ts";
import { readModule } from "../../src/wasm/read-module.ts";
import { type Oracle, openOracle } from "../support/oracle.ts";
import { assemble } from "../wasm/assemble.ts";
import { CAPS, callMetered, moduleText } from "./modules.ts";
import { operatorsModule } from "./operators.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await openOracle();
});
afterAll(() => oracle?.close());

/** Modules of the fixtures; all that they export is called, in their order. */
const MODULES = [
  "blocks",
  "branches",
  "dead-code",
  "calls",
  "tail-calls",
  "references",
  "bulk",
  "locals",
  "stretches",
];

async function expectSameFuel(module: Uint8Array, calls: readonly [string, ...string[]]): Promise<void> {
  const theirs = await oracle.run({ module, calls, memoryBytes: CAPS.memoryBytes });
  const ours = callMetered(module, calls);
  expect(ours).toEqual(theirs.calls.map((call, index) => ({ export: calls[index], ...call })));
}

function functionExports(module: Uint8Array): [string, ...string[]] {
  const { exports } = readModule(module, MODULE_BOUNDS);
  const [first = "", ...others] = exports.flatMap(({ kind, name }) => (kind === "function" ? [name] : []));
  return [first, ...others];
}

test("every operator on values costs what Wasmtime charges", async () => {
  const { text, names } = operatorsModule();
  await expectSameFuel(assemble(text), names);
});

test.each(MODULES)("the functions of %s.wat use the fuel that Wasmtime charges", async (name) => {
  const module = assemble(moduleText(name));
  const calls = functionExports(module);
  expect(calls.length).toBeGreaterThan(1);
  await expectSameFuel(module, calls);
});

test("no operator is left out", () => {
  const modules = [operatorsModule().text, ...MODULES.map(moduleText)].map((text) => assemble(text));
  const seen = new Set<number>();
  for (const module of modules) {
    readModule(module, MODULE_BOUNDS, { enter: () => {}, operator: ({ opcode }) => seen.add(opcode) });
  }
  const missing = [...accepted()].filter((opcode) => !seen.has(opcode));
  expect(missing.map((opcode) => `0x${opcode.toString(16)}`)).toEqual([]);
  expect(seen.size).toBeGreaterThan(430);
});

/** Every operator that the reader accepts. */
function* accepted(): Iterable<number> {
  const prefixes: number[] = [Immediates.refused, Immediates.prefixBulk, Immediates.prefixVector];
  for (const [opcode, kind] of PLAIN_IMMEDIATES.entries()) if (!prefixes.includes(kind)) yield opcode;
  for (const [number, kind] of BULK_IMMEDIATES.entries())
    if (kind !== Immediates.refused) yield 0xfc00 | number;
  for (const [number, kind] of VECTOR_IMMEDIATES.entries())
    if (kind !== Immediates.refused) yield 0xfd00 | number;
}
