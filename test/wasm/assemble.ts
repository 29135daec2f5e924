import { readFileSync } from "node:fs";
import wabt from "wabt";

const tools = await wabt();

/** All that the assembler knows beyond the first version; which of it a module may use is for the code under test to say. */
const FEATURES = {
  exceptions: true,
  threads: true,
  function_references: true,
  tail_call: true,
  gc: true,
  memory64: true,
  multi_memory: true,
  extended_const: true,
  relaxed_simd: true,
};

/** Assembles a module in the text format, without checking its types. */
export function assemble(text: string, options: { names?: boolean } = {}): Uint8Array<ArrayBuffer> {
  const module = tools.parseWat("module.wat", text, FEATURES);
  try {
    module.resolveNames();
    return new Uint8Array(module.toBinary({ write_debug_names: options.names ?? false }).buffer);
  } finally {
    module.destroy();
  }
}

/** The text of a file in fixtures/modules. */
export function moduleText(path: string): string {
  return readFileSync(new URL(`../../fixtures/modules/${path}`, import.meta.url), "utf8");
}

/** The bytes of a file in fixtures/modules. */
export function assembleFixture(path: string, options: { names?: boolean } = {}): Uint8Array<ArrayBuffer> {
  return assemble(moduleText(path), options);
}
