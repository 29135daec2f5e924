import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { scratchDirectory } from "../support/executors.ts";
import { openOracle } from "../support/oracle.ts";
import { oraclePython } from "../support/oracle-environment.ts";
import { assemble } from "../wasm/assemble.ts";

const MODULE = assemble(`(module
  (memory (export "memory") 1)
  (func (export "_start") (drop (i32.const 1)))
  (func (export "spin") (loop (br 0))))`);

test("two that make the environment at a time get the same one, and it is whole", async () => {
  const directory = join(scratchDirectory(), "environment");
  const [one, other] = await Promise.all([oraclePython(directory), oraclePython(directory)]);
  expect(one).toBe(other);
  const { stdout } = await execa(one, ["-I", "-c", "import wasmtime; print(wasmtime.__file__)"]);
  expect(stdout).toContain(directory);
});

test("where Python is missing the error says what to install", async () => {
  const making = oraclePython(join(scratchDirectory(), "environment"), "no-such-python");
  await expect(making).rejects.toThrow(/need Python 3.*apt-get install python3/);
});

test("the oracle tells a return from a trap and from fuel that is used up", async () => {
  await using oracle = await openOracle();
  const { calls } = await oracle.run({ module: MODULE, calls: ["_start", "spin"], fuel: 1_000n });
  expect(calls).toEqual([
    { end: "returned", fuelUsed: 2n },
    { end: "out-of-fuel", fuelUsed: expect.any(BigInt) },
  ]);
});

test("a module that Wasmtime refuses is an error, and the next one is run all the same", async () => {
  await using oracle = await openOracle();
  await expect(oracle.run({ module: new Uint8Array(3) })).rejects.toThrow("Wasmtime did not run the module");
  expect((await oracle.run({ module: MODULE })).calls).toEqual([{ end: "returned", fuelUsed: 2n }]);
});
