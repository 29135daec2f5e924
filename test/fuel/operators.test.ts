import { afterAll, beforeAll, expect, test } from "vitest";
import { MODULE_BOUNDS } from "../../src/instrument/bounds.ts";
import { indexSpaces } from "../../src/wasm/indices.ts";
import { BULK_IMMEDIATES, Immediates, PLAIN_IMMEDIATES, VECTOR_IMMEDIATES } from "../../src/wasm/opcodes.ts";
import { openBody, operatorCursor } from "../../src/wasm/operator-cursor.ts";
import { nextOperator } from "../../src/wasm/operators.ts";
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
    for (const opcode of opcodes(module)) seen.add(opcode);
  }
  const missing = [...accepted()].filter((opcode) => !seen.has(opcode));
  expect(missing.map((opcode) => `0x${opcode.toString(16)}`)).toEqual([]);
  expect(seen.size).toBeGreaterThan(430);
});

/** The opcodes of a module's code, one by one. */
function* opcodes(bytes: Uint8Array): Iterable<number> {
  const module = readModule(bytes, MODULE_BOUNDS);
  const cursor = operatorCursor(indexSpaces(module), MODULE_BOUNDS);
  for (const [index, body] of module.bodies.entries()) {
    const type = module.types[module.functions[index] ?? -1];
    openBody(cursor, body, type?.params.length ?? 0);
    while (cursor.depth > 0) {
      nextOperator(cursor);
      yield cursor.opcode;
    }
  }
}

/** Every operator that the reader accepts. */
function* accepted(): Iterable<number> {
  const prefixes: number[] = [Immediates.refused, Immediates.prefixBulk, Immediates.prefixVector];
  for (const [opcode, kind] of PLAIN_IMMEDIATES.entries()) if (!prefixes.includes(kind)) yield opcode;
  for (const [number, kind] of BULK_IMMEDIATES.entries())
    if (kind !== Immediates.refused) yield 0xfc00 | number;
  for (const [number, kind] of VECTOR_IMMEDIATES.entries())
    if (kind !== Immediates.refused) yield 0xfd00 | number;
}
