import { MODULE_BOUNDS } from "../../src/instrument/bounds.ts";
import type { ModuleCaps } from "../../src/instrument/caps.ts";
import type { Pass } from "../../src/instrument/pass.ts";
import { readModule } from "../../src/wasm/read-module.ts";
import { writeModule } from "../../src/wasm/write-module.ts";

/** What one pass alone makes of a module. */
export function through(pass: Pass, bytes: Uint8Array, caps: ModuleCaps): Uint8Array<ArrayBuffer> {
  const module = readModule(bytes, MODULE_BOUNDS);
  pass(module, caps);
  return writeModule(module);
}
