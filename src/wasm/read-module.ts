import { type Cursor, expectEnd, readByte, readName, readU32 } from "./cursor.ts";
import { WasmFormatError } from "./format-error.ts";
import type { WasmModule } from "./module.ts";
import type { OperatorVisitor } from "./operator-cursor.ts";
import type { ReadBounds } from "./read-bounds.ts";
import { readCode } from "./read-code.ts";
import {
  readExports,
  readFunctions,
  readGlobals,
  readImports,
  readMemories,
  readStart,
  readTables,
  readTypes,
} from "./read-declarations.ts";
import { readNames } from "./read-names.ts";
import { readData, readDataCount, readElements } from "./read-segments.ts";
import type { ReadState } from "./read-state.ts";

interface SectionReader {
  id: number;
  name: string;
  read: (state: ReadState) => void;
}

/** In the order in which a module has to have them (core specification, section 5.5.2). */
const SECTIONS: readonly SectionReader[] = [
  { id: 1, name: "type", read: readTypes },
  { id: 2, name: "import", read: readImports },
  { id: 3, name: "function", read: readFunctions },
  { id: 4, name: "table", read: readTables },
  { id: 5, name: "memory", read: readMemories },
  { id: 6, name: "global", read: readGlobals },
  { id: 7, name: "export", read: readExports },
  { id: 8, name: "start", read: readStart },
  { id: 9, name: "element", read: readElements },
  { id: 12, name: "data count", read: readDataCount },
  { id: 10, name: "code", read: readCode },
  { id: 11, name: "data", read: readData },
];
const CUSTOM_SECTION = 0;
const TAG_SECTION = 13;
/** Bytes of a custom section's name; longer ones are refused with the module. */
const MAX_SECTION_NAME_BYTES = 1_000;

/**
 * Reads a module: every section, every index, every operator. It takes what compilers emit for WASI (the first version of
 * WebAssembly with sign extension, saturating conversions, bulk memory, multiple values, reference types, SIMD, tail calls
 * and extended constants) and nothing else. Types of operands are left to validation.
 *
 * Time is linear in the input, memory a small multiple of it. What is returned refers to `bytes`: do not change them.
 *
 * @throws {WasmFormatError} at the first thing that is malformed, unknown, or beyond `bounds`.
 */
export function readModule(bytes: Uint8Array, bounds: ReadBounds, visitor?: OperatorVisitor): WasmModule {
  const cursor: Cursor = { bytes, at: 0, end: bytes.length };
  const state: ReadState = {
    cursor,
    module: emptyModule(),
    spaces: { types: 0, functions: 0, tables: 0, memories: 0, globals: 0, elements: 0, data: 0 },
    bounds,
    visitor,
  };
  readPreamble(cursor);
  let next = 0;
  while (cursor.at < bytes.length) next = readSection(state, next);
  expectComplete(state);
  return state.module;
}

/** Reads one section. `next` is the first place in the order that is still free; the answer is that after this section. */
function readSection(state: ReadState, next: number): number {
  const { cursor } = state;
  const start = cursor.at;
  const id = readByte(cursor);
  const size = readU32(cursor);
  const fileEnd = cursor.end;
  if (size > fileEnd - cursor.at) {
    throw new WasmFormatError(
      `section ${id} ends ${size - (fileEnd - cursor.at)} bytes beyond the module`,
      start,
    );
  }
  cursor.end = cursor.at + size;
  if (id === CUSTOM_SECTION) {
    readCustom(state);
  } else {
    const order = SECTIONS.findIndex((section) => section.id === id);
    const section = SECTIONS[order];
    if (id === TAG_SECTION) throw new WasmFormatError("a tag section (exceptions) is not supported", start);
    if (section === undefined) throw new WasmFormatError(`section ${id} does not exist`, start);
    if (order < next)
      throw new WasmFormatError(`the ${section.name} section is repeated or out of order`, start);
    section.read(state);
    expectEnd(cursor, `the ${section.name} section`);
    next = order + 1;
  }
  cursor.end = fileEnd;
  return next;
}

function readCustom({ cursor, module }: ReadState): void {
  const name = readName(cursor, MAX_SECTION_NAME_BYTES);
  if (name === "name" && module.names === undefined)
    module.names = readNames(cursor.bytes, cursor.at, cursor.end);
  cursor.at = cursor.end;
}

function readPreamble(cursor: Cursor): void {
  const [m0, m1, m2, m3, v0, v1, v2, v3] = cursor.bytes;
  if (m0 !== 0x00 || m1 !== 0x61 || m2 !== 0x73 || m3 !== 0x6d) {
    throw new WasmFormatError("the bytes are not a WebAssembly module", 0);
  }
  if (v0 === 0x0d && v2 === 0x01)
    throw new WasmFormatError("the bytes are a component, not a core module", 4);
  if (v0 !== 0x01 || v1 !== 0x00 || v2 !== 0x00 || v3 !== 0x00) {
    throw new WasmFormatError("the version of the binary format is not 1", 4);
  }
  cursor.at = 8;
}

function expectComplete({ cursor, module }: ReadState): void {
  if (module.bodies.length !== module.functions.length) {
    throw new WasmFormatError(`${module.functions.length} functions have no code section`, cursor.end);
  }
  if (module.dataCount !== undefined && module.dataCount !== module.data.length) {
    throw new WasmFormatError(`a data count of ${module.dataCount} has no data section`, cursor.end);
  }
}

function emptyModule(): WasmModule {
  return {
    types: [],
    imports: [],
    functions: [],
    tables: [],
    memories: [],
    globals: [],
    exports: [],
    start: undefined,
    elements: [],
    dataCount: undefined,
    addressed: new Set(),
    bodies: [],
    data: [],
    names: undefined,
  };
}
