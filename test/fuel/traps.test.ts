import { afterAll, beforeAll, expect, test } from "vitest";
import { MAX_UNCHECKED } from "../../src/instrument/fuel/plan.ts";
import { openExecutor } from "../support/executors.ts";
import { type Oracle, openOracle } from "../support/oracle.ts";
import { assemble } from "../wasm/assemble.ts";
import { CAPS, callMetered } from "./modules.ts";
import { MEMORY_BYTES, source } from "./programs.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await openOracle();
});
afterAll(() => oracle?.close());

/** Operators that trap, with operands that make them. */
const TRAPS = {
  "a division by zero": "(drop (i32.div_u (i32.const 1) (local.get $zero)))",
  "a remainder by zero": "(drop (i64.rem_s (i64.const 1) (i64.extend_i32_u (local.get $zero))))",
  "a quotient that is too large":
    "(drop (i32.div_s (i32.const 0x80000000) (i32.sub (local.get $zero) (i32.const 1))))",
  "a number that is no integer": "(drop (i32.trunc_f32_s (f32.const nan)))",
  "a load out of bounds": "(drop (i32.load (i32.const -4)))",
  "a store out of bounds": "(i64.store (i32.const 65533) (i64.const 1))",
  "a range out of bounds": "(memory.fill (i32.const 65530) (i32.const 0) (i32.const 9))",
  "a table's element out of bounds": "(drop (table.get $t (i32.const 9)))",
  "a call of a null": "(call_indirect $t (i32.const 1))",
  "a call by another type": "(drop (call_indirect $t (result i32) (i32.const 0)))",
};

/** What the innermost function does besides: before its last call, between that and the trap, and behind the trap. */
const PLAIN = "(drop (i32.add (i32.const 1) (i32.const 2)))";

function trapping(trap: string): string {
  return `(module
    (memory (export "memory") 1)
    (table $t 2 funcref)
    (elem (i32.const 0) $callee)
    (func $callee)
    (func $inner (local $zero i32) ${PLAIN} (call $callee) ${PLAIN} ${trap} ${PLAIN})
    (func (export "_start") ${PLAIN} (call $inner)))`;
}

test.each(Object.entries(TRAPS))(
  "after %s the fuel is at least what was used when the last call was made, and at most what the rest of the stretch would have used",
  async (_, trap) => {
    const used = async (module: string): Promise<bigint> => {
      const answer = await oracle.run({ module: assemble(module), memoryBytes: CAPS.memoryBytes });
      return answer.calls[0].fuelUsed;
    };
    // The same up to the call, which is one operator more; and with a trap at the very end.
    const least = (await used(trapping(trap).replace("(call $callee)", "unreachable"))) + 1n;
    const most = await used(trapping(`${PLAIN} ${PLAIN} ${PLAIN} unreachable`));
    const [ours] = callMetered(assemble(trapping(trap)), ["_start"]);
    expect(ours?.end).not.toBe("returned");
    expect(ours?.fuelUsed).toBeGreaterThanOrEqual(least);
    expect(ours?.fuelUsed).toBeLessThanOrEqual(most);
  },
);

test("a program whose shadow stack overflows has used what Wasmtime says, but for a stretch of the innermost function", async () => {
  const executor = openExecutor({ limits: { memoryBytes: MEMORY_BYTES } });
  const compiled = await executor.compile(source("shadow-stack-overflow"), { profile: "fast-run" });
  if (!compiled.ok) throw new Error("the program does not compile");
  const { bytes } = compiled.module;
  const result = await executor.execute(bytes);
  const [theirs] = (await oracle.run({ module: bytes, memoryBytes: MEMORY_BYTES })).calls;
  expect(result).toMatchObject({ status: "trapped", code: "out-of-bounds-memory", stdout: "before\n" });
  expect(theirs.end).toBe("memory-out-of-bounds");
  const apart = (result.fuelUsed ?? 0) - Number(theirs.fuelUsed);
  expect(Math.abs(apart)).toBeLessThanOrEqual(MAX_UNCHECKED);
});
