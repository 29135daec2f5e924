import type { Instrumented } from "../../src/instrument/instrument.ts";
import { FUEL_EXPORT, MEMORY_IMPORT } from "../../src/wasm/reserved.ts";

/** An instrumented module, or one that was never instrumented. */
export type Runnable = { bytes: Uint8Array<ArrayBuffer>; memory?: Instrumented["memory"] };

/** More than anything here needs. */
const MUCH_FUEL = 1_000_000_000_000n;

/** Instantiates a module; an instrumented one with a fresh memory of the size that it asks for, and fuel, as a cell does. */
export function instantiate(
  { bytes, memory }: Runnable,
  imports: WebAssembly.Imports = {},
): WebAssembly.Exports {
  const provided: WebAssembly.Imports =
    memory === undefined
      ? {}
      : {
          [MEMORY_IMPORT.module]: {
            [MEMORY_IMPORT.name]: new WebAssembly.Memory({
              initial: memory.minimum,
              maximum: memory.maximum,
            }),
          },
        };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { ...imports, ...provided });
  const fuel = exports[FUEL_EXPORT];
  if (fuel instanceof WebAssembly.Global) fuel.value = MUCH_FUEL;
  return exports;
}
