import { MODULE_BOUNDS } from "../../src/instrument/bounds.ts";
import { readModule } from "../../src/wasm/read-module.ts";

/** What a module says, without where in its bytes it says it: two encodings of one module have the same contents. */
export function contents(bytes: Uint8Array): unknown {
  const module = readModule(bytes, MODULE_BOUNDS);
  return {
    ...module,
    bodies: module.bodies.map(({ bytes: source, start, end }) =>
      Buffer.from(source.subarray(start, end)).toString("hex"),
    ),
    data: module.data.map(({ encoded }) => Buffer.from(encoded).toString("hex")),
    elements: module.elements.map(({ encoded }) => Buffer.from(encoded).toString("hex")),
    globals: module.globals.map((global) => ({ ...global, init: Buffer.from(global.init).toString("hex") })),
    imports: module.imports.map((item) => withoutOffsets(item)),
    exports: module.exports.map((item) => withoutOffsets(item)),
    tables: module.tables.map((item) => withoutOffsets(item)),
    memories: module.memories.map((item) => withoutOffsets(item)),
    start: module.start?.functionIndex,
  };
}

function withoutOffsets(item: object): unknown {
  return JSON.parse(JSON.stringify(item, (key, value: unknown) => (key === "offset" ? undefined : value)));
}
