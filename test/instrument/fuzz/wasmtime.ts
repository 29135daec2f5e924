import assert from "node:assert/strict";
import type { ModuleCaps } from "../../../src/instrument/caps.ts";
import { instrument } from "../../../src/instrument/instrument.ts";
import type { Oracle } from "../../support/oracle.ts";
import { callablesOf } from "./agree.ts";
import { type Callable, type Run, run } from "./run.ts";

/** What a call may use in Wasmtime: it was seen to end with less. */
const ENOUGH = 10n ** 9n;

/**
 * Holds the fuel of a module without imports to what Wasmtime charges for the same calls. A call that traps other than by
 * `unreachable`, and what comes after it, is left out: there the figures of both are not exact.
 *
 * @returns how the instrumented module ended.
 * @throws {assert.AssertionError} where they differ.
 */
export async function expectFuelOfWasmtime(
  oracle: Oracle,
  bytes: Uint8Array<ArrayBuffer>,
  { caps, fuel }: { caps: ModuleCaps; fuel: bigint },
): Promise<Run["end"]> {
  const instrumented = instrument(bytes, caps);
  const metered = { module: new WebAssembly.Module(instrumented.bytes), memory: instrumented.memory };
  const callables: Callable[] = [];
  let ended: Run = run(metered, [], fuel);
  // One call more each time: what is charged for that one is told by the difference.
  const used: bigint[] = [];
  for (const callable of callablesOf(bytes).filter(({ type }) => type.params.length === 0)) {
    const next = run(metered, [...callables, callable], fuel);
    if (next.trappedInside || next.end === "stack overflow" || next.end === "out of fuel") break;
    used.push((ended.fuelLeft ?? 0n) - (next.fuelLeft ?? 0n));
    callables.push(callable);
    ended = next;
  }
  const [first, ...others] = callables.map(({ name }) => name);
  if (first === undefined) return ended.end;
  const { memoryBytes } = caps;
  const { calls } = await oracle.run({ module: bytes, calls: [first, ...others], fuel: ENOUGH, memoryBytes });
  // Its stack is another.
  if (calls.some(({ end }) => end.includes("stack"))) return "stack overflow";
  assert.deepEqual(
    calls.map(({ fuelUsed }) => fuelUsed),
    used,
  );
  return ended.end;
}
