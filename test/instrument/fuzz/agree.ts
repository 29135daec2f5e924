import assert from "node:assert/strict";
import { MODULE_BOUNDS } from "../../../src/instrument/bounds.ts";
import type { ModuleCaps } from "../../../src/instrument/caps.ts";
import type { Instrumented } from "../../../src/instrument/instrument.ts";
import { memoryCap } from "../../../src/instrument/passes/memory-cap.ts";
import { memoryImport } from "../../../src/instrument/passes/memory-import.ts";
import { tableCap } from "../../../src/instrument/passes/table-cap.ts";
import { typeIndicesOfFunctions } from "../../../src/wasm/indices.ts";
import type { WasmModule } from "../../../src/wasm/module.ts";
import { readModule } from "../../../src/wasm/read-module.ts";
import { ValueType } from "../../../src/wasm/value-types.ts";
import { writeModule } from "../../../src/wasm/write-module.ts";
import { countOperators } from "./count.ts";
import type { Random } from "./generate-body.ts";
import { type Callable, type Loaded, type Run, run } from "./run.ts";

/**
 * Holds an instrumented module to the one that it was made of, which is only capped. With enough fuel both do the same;
 * with as much as was used it is enough, with less it is not.
 *
 * @returns how the instrumented module ended: where its fuel or the engine's stack ran out, there is nothing to compare with.
 * @throws {assert.AssertionError} where they differ.
 */
export function expectAgreement(
  bytes: Uint8Array<ArrayBuffer>,
  instrumented: Instrumented,
  { caps, fuel, random }: { caps: ModuleCaps; fuel: bigint; random: Random },
): Run["end"] {
  const callables = callablesOf(bytes);
  const metered: Loaded = {
    module: new WebAssembly.Module(instrumented.bytes),
    memory: instrumented.memory,
  };
  const first = run(metered, callables, fuel);
  const { end, fuelLeft = -1n, trappedInside } = first;
  if (end === "stack overflow" || end === "out of fuel") return end;
  const plain = run(rewritten(instrumented, bytes, caps), callables, fuel);
  if (plain.end === "stack overflow") return plain.end;
  expectSame(first, plain);

  const used = fuel - fuelLeft;
  const counted = run(rewritten(instrumented, bytes, caps, countOperators), callables, ENOUGH);
  if (counted.end === "stack overflow") return counted.end;
  expectSame(counted, plain);
  const byOperators = ENOUGH - (counted.fuelLeft ?? 0n);
  // Where a guest traps on the way, what it used since its last call may be missing, and the rest of a stretch that was paid
  // for as a whole may be in it.
  if (trappedInside) assert.ok(used <= byOperators + longestStretches(bytes, callables.length));
  else assert.equal(used, byOperators, "fuel is not the number of operators");

  for (const less of lessThan(used, random)) {
    const stopped = run(metered, callables, less);
    assert.equal(stopped.end, "out of fuel", `${less} of ${used} units were enough`);
    assert.deepEqual(stopped.events, first.events.slice(0, stopped.events.length));
  }
  if (!trappedInside) {
    const exact = run(metered, callables, used);
    assert.equal(exact.fuelLeft, 0n, `${used} units are not what is used when there are no more`);
    expectSame(exact, first);
  }
  return end;
}

/** As many stretches as there are calls from outside, none of which has more operators than the largest body has bytes. */
function longestStretches(bytes: Uint8Array, calls: number): bigint {
  const sizes = readModule(bytes, MODULE_BOUNDS).bodies.map(({ start, end }) => end - start);
  return BigInt(calls * Math.max(0, ...sizes));
}

/** More than any run here uses. */
const ENOUGH = 1n << 60n;

/** The module as it was, but for its caps and what `change` does. */
function rewritten(
  { memory }: Instrumented,
  bytes: Uint8Array,
  caps: ModuleCaps,
  change?: (module: WasmModule) => void,
): Loaded {
  const module = readModule(bytes, MODULE_BOUNDS);
  memoryCap(module, caps);
  tableCap(module, caps);
  change?.(module);
  memoryImport(module, caps);
  return { module: new WebAssembly.Module(writeModule(module)), memory };
}

function expectSame(one: Run, other: Run): void {
  assert.deepEqual([one.end, ...one.events], [other.end, ...other.events]);
  assert.deepEqual(one.state, other.state);
  assert.equal(Buffer.compare(one.memory, other.memory), 0, "memories differ");
}

function lessThan(used: bigint, random: Random): bigint[] {
  if (used === 0n) return [];
  const some = Array.from({ length: 4 }, () => BigInt(random(Number(used))));
  return [0n, used - 1n, ...some];
}

/** `_start`, and what a generated module exports to be called; vectors no host can give. */
export function callablesOf(bytes: Uint8Array): Callable[] {
  const module = readModule(bytes, MODULE_BOUNDS);
  const typeIndices = typeIndicesOfFunctions(module);
  const functions = module.exports.flatMap(({ name, kind, index }) => {
    const type = module.types[typeIndices[index] ?? -1];
    if (kind !== "function" || type === undefined || !/^(_start|function \d+)$/.test(name)) return [];
    return [...type.params, ...type.results].includes(ValueType.v128) ? [] : [{ name, type }];
  });
  return functions.sort((one, other) => Number(other.name === "_start") - Number(one.name === "_start"));
}
