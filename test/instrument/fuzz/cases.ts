import { MODULE_BOUNDS } from "../../../src/instrument/bounds.ts";
import { instrument, ModuleRefused } from "../../../src/instrument/instrument.ts";
import { wholeBody } from "../../../src/instrument/rewrite.ts";
import { appendExport, appendFunction, internType } from "../../../src/wasm/append.ts";
import { WasmFormatError } from "../../../src/wasm/format-error.ts";
import { typeIndicesOfFunctions } from "../../../src/wasm/indices.ts";
import { Opcode } from "../../../src/wasm/opcodes.ts";
import { readModule } from "../../../src/wasm/read-module.ts";
import { ValueType } from "../../../src/wasm/value-types.ts";
import { writeModule } from "../../../src/wasm/write-module.ts";
import { createWriter, writeByte, writeU32 } from "../../../src/wasm/writer.ts";
import { expectAgreement } from "./agree.ts";
import type { Random } from "./generate-body.ts";
import type { Run } from "./run.ts";

const CAPS = { memoryBytes: 2 * 1024 * 1024, tableElements: 200 };

/** How a case ended: as the instrumented module did, or it is no module that runs. */
export type CaseEnd = Run["end"] | "refused" | "invalid";

/**
 * Instruments any bytes and, where they are accepted, runs what they are with and without fuel.
 *
 * @throws {Error} with the module in base64, and as its cause what went wrong.
 */
export function runCase(bytes: Uint8Array<ArrayBuffer>, fuel: bigint, random: Random): CaseEnd {
  const valid = WebAssembly.validate(bytes);
  try {
    const instrumented = instrument(bytes, CAPS);
    if (!valid) throw new Error("the module was accepted, and is not valid");
    return expectAgreement(bytes, instrumented, { caps: CAPS, fuel, random });
  } catch (error) {
    if (error instanceof ModuleRefused && !error.message.includes("bug"))
      return valid ? "refused" : "invalid";
    throw new Error(`module ${Buffer.from(bytes).toString("base64")}`, { cause: error });
  }
}

/** Any module that the reader takes as a command that shows what it did, as generated ones are; undefined where it takes it not. */
export function asCommand(bytes: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  try {
    const module = readModule(bytes, MODULE_BOUNDS);
    const typeIndices = typeIndicesOfFunctions(module);
    module.exports = [];
    module.start = undefined;
    const start = createWriter(2);
    writeU32(start, 0); // no locals
    writeByte(start, Opcode.end);
    const nothing = internType(module, { params: [], results: [] });
    const index = appendFunction(module, nothing, wholeBody(start));
    appendExport(module, { name: "_start", kind: "function", index });
    appendExport(module, { name: "memory", kind: "memory", index: 0 });
    for (const own of typeIndices.keys())
      appendExport(module, { name: `function ${own}`, kind: "function", index: own });
    for (const [own, { type }] of module.globals.entries())
      if (type !== ValueType.v128)
        appendExport(module, { name: `global ${own}`, kind: "global", index: own });
    for (const own of module.tables.keys())
      appendExport(module, { name: `table ${own}`, kind: "table", index: own });
    return writeModule(module);
  } catch (error) {
    if (error instanceof WasmFormatError) return undefined;
    throw error;
  }
}
