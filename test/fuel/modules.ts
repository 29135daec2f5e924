import { readFileSync } from "node:fs";
import { instrument } from "../../src/instrument/instrument.ts";
import { FUEL_EXPORT } from "../../src/wasm/reserved.ts";
import { instantiate } from "../instrument/instantiate.ts";

/** Of all modules, here and there. */
export const CAPS = { memoryBytes: 16 * 65_536, tableElements: 100_000 };

/** What a call came to. */
export interface Call {
  export: string;
  /** `returned`, or what V8 says. */
  end: string;
  fuelUsed: bigint;
}

/** Calls exports of a module, one after the other on one instance, and tells what each has used. */
export function callMetered(module: Uint8Array, calls: readonly string[], fuel = 10n ** 9n): Call[] {
  const exports = instantiate(instrument(module, CAPS), { wasi_snapshot_preview1: HOST });
  const left = exports[FUEL_EXPORT] as WebAssembly.Global<"i64">;
  return calls.map((name) => {
    left.value = fuel;
    const end = ended(exports[name] as () => void);
    return { export: name, end, fuelUsed: fuel - left.value };
  });
}

function ended(call: () => void): string {
  try {
    call();
    return "returned";
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) return error.message;
    throw error;
  }
}

/** What the modules of the fixtures import. Their own doings cost nothing. */
const HOST: WebAssembly.ModuleImports = {
  sched_yield: () => 0,
  clock_res_get: () => 0,
};

/** The text of a module of the fixtures. */
export function moduleText(name: string): string {
  return readFileSync(new URL(`../../fixtures/fuel/${name}.wat`, import.meta.url), "utf8");
}
