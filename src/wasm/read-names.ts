import { type Cursor, expectEnd, readByte, readU32, skipBytes } from "./cursor.ts";
import { WasmFormatError } from "./format-error.ts";
import type { Names } from "./module.ts";

const MODULE_NAME = 0;
const FUNCTION_NAMES = 1;

/** The parts of a name section that serve stack traces, or undefined where it is malformed: names never refuse a module. */
export function readNames(bytes: Uint8Array, start: number, end: number): Names | undefined {
  const names: Names = { module: undefined, functions: undefined };
  const cursor: Cursor = { bytes, at: start, end };
  try {
    for (let last = -1; cursor.at < end; ) {
      const id = readByte(cursor);
      const size = readU32(cursor);
      const from = cursor.at;
      skipBytes(cursor, size);
      if (id <= last) return undefined;
      last = id;
      if (id !== MODULE_NAME && id !== FUNCTION_NAMES) continue;
      const part: Cursor = { bytes, at: from, end: cursor.at };
      const encoded = bytes.subarray(from, cursor.at);
      if (id === MODULE_NAME) {
        skipBytes(part, readU32(part));
        names.module = encoded;
      } else {
        skipNameMap(part);
        names.functions = encoded;
      }
      expectEnd(part, "a part of the name section");
    }
  } catch (error) {
    if (error instanceof WasmFormatError) return undefined;
    throw error;
  }
  return names;
}

function skipNameMap(cursor: Cursor): void {
  for (let left = readU32(cursor); left > 0; left -= 1) {
    readU32(cursor);
    skipBytes(cursor, readU32(cursor));
  }
}
