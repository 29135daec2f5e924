import { afterAll, beforeAll, expect, test } from "vitest";
import { compileRust } from "../instrument/rust.ts";
import { openExecutor } from "../support/executors.ts";
import { type Oracle, openOracle } from "../support/oracle.ts";
import { MEMORY_BYTES, PROGRAMS, type Program, randomBytes, SEED, source } from "./programs.ts";

const executor = openExecutor({
  limits: { memoryBytes: MEMORY_BYTES },
  capabilities: { random: { seed: SEED } },
});
const random = randomBytes();
let oracle: Oracle;
beforeAll(async () => {
  oracle = await openOracle();
});
afterAll(() => oracle?.close());

interface Row {
  program: string;
  compiled: string;
  scriptcell: number | null;
  wasmtime: number;
}

const rows: Row[] = [];
afterAll(() => {
  const different = rows.filter(({ scriptcell, wasmtime }) => scriptcell !== wasmtime);
  if (different.length === 0) return;
  console.table(rows.map((row) => ({ ...row, difference: (row.scriptcell ?? 0) - row.wasmtime })));
});

/** The profiles that users can choose, and others that somebody's own build may have chosen. */
const COMPILERS = {
  "opt-level 0": (text: string) => compileScript(text, "fast-compile"),
  "opt-level 3": (text: string) => compileScript(text, "fast-run"),
  "opt-level s": (text: string) => compileRust(text, ["-C", "opt-level=s", "-C", "strip=debuginfo"]),
  "opt-level 3, LTO": (text: string) =>
    compileRust(text, ["-C", "opt-level=3", "-C", "lto", "-C", "strip=symbols"]),
};
const LEVELS = ["opt-level 0", "opt-level 3", "opt-level s"] as const;

async function compileScript(text: string, profile: "fast-compile" | "fast-run"): Promise<Uint8Array> {
  const compiled = await executor.compile(text, { profile });
  if (!compiled.ok) throw new Error(compiled.diagnostics.map(({ message }) => message).join("\n"));
  return compiled.module.bytes;
}

async function expectSameFuel(program: Program, level: keyof typeof COMPILERS): Promise<void> {
  const { name, stdin = "", end } = program;
  const module = await COMPILERS[level](source(name));
  const result = await executor.execute(module, { stdin });
  const theirs = await oracle.run({ module, stdin: Buffer.from(stdin), random, memoryBytes: MEMORY_BYTES });
  const [{ end: theirEnd, fuelUsed }] = theirs.calls;
  rows.push({ program: name, compiled: level, scriptcell: result.fuelUsed, wasmtime: Number(fuelUsed) });

  expect({ ours: result.status, theirs: theirEnd }).toEqual({ ours: end.status, theirs: end.oracle });
  // The same work was done at all.
  expect(result.stdout).toBe(theirs.stdout);
  expect(result.stderr).toBe(theirs.stderr);
  expect(result.fuelUsed, level).toBe(Number(fuelUsed));
}

test.each(PROGRAMS)(
  "$name uses the fuel that Wasmtime charges, at every level of optimisation",
  async (program) => {
    for (const level of LEVELS) await expectSameFuel(program, level);
  },
);

test("a program optimised as a whole uses the fuel that Wasmtime charges", async () => {
  await expectSameFuel({ name: "formatting", end: { status: "ok", oracle: "returned" } }, "opt-level 3, LTO");
});
