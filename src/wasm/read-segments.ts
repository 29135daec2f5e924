import { type Cursor, readByte, readCount, readU32, skipBytes } from "./cursor.ts";
import { WasmFormatError } from "./format-error.ts";
import { readConstant } from "./read-constant.ts";
import type { ReadState } from "./read-state.ts";
import { readReferenceType } from "./value-types.ts";

/** Bits of an element segment's flags (core specification, section 5.5.12). */
export const ElementFlag = { notActive: 1, explicit: 2, expressions: 4 } as const;

export function readElements(state: ReadState): void {
  const { cursor, module, spaces, bounds } = state;
  for (let left = readCount(cursor, "element segments", bounds.elementSegments); left > 0; left -= 1) {
    const start = cursor.at;
    readElementSegment(state);
    module.elements.push({ encoded: cursor.bytes.subarray(start, cursor.at) });
    spaces.elements += 1;
  }
}

function readElementSegment(state: ReadState): void {
  const { cursor, module, spaces, bounds } = state;
  const start = cursor.at;
  const flags = readU32(cursor);
  if (flags > 7)
    throw new WasmFormatError(`element segment flags 0x${flags.toString(16)} do not exist`, start);
  if (!(flags & ElementFlag.notActive)) {
    const tableAt = flags & ElementFlag.explicit ? cursor.at : start;
    const table = flags & ElementFlag.explicit ? readU32(cursor) : 0;
    if (table >= spaces.tables)
      throw new WasmFormatError(`table ${table} does not exist: there are ${spaces.tables}`, tableAt);
    readConstant(cursor, spaces, module.addressed);
  }
  if (flags & (ElementFlag.notActive | ElementFlag.explicit)) {
    if (flags & ElementFlag.expressions) readReferenceType(cursor);
    else readElementKind(cursor);
  }
  for (
    let left = readCount(cursor, "elements of a segment", bounds.elementsPerSegment);
    left > 0;
    left -= 1
  ) {
    if (flags & ElementFlag.expressions) {
      readConstant(cursor, spaces, module.addressed);
      continue;
    }
    const functionAt = cursor.at;
    const index = readU32(cursor);
    if (index >= spaces.functions) {
      throw new WasmFormatError(
        `function ${index} does not exist: there are ${spaces.functions}`,
        functionAt,
      );
    }
    module.addressed.add(index);
  }
}

function readElementKind(cursor: Cursor): void {
  const start = cursor.at;
  const kind = readByte(cursor);
  if (kind !== 0x00) throw new WasmFormatError(`element kind 0x${kind.toString(16)} does not exist`, start);
}

export function readDataCount({ cursor, module, spaces, bounds }: ReadState): void {
  const start = cursor.at;
  const count = readU32(cursor);
  if (count > bounds.dataSegments) {
    throw new WasmFormatError(
      `${count} data segments are declared, and at most ${bounds.dataSegments} are accepted`,
      start,
    );
  }
  module.dataCount = count;
  spaces.data = count;
}

export function readData(state: ReadState): void {
  const { cursor, module, spaces, bounds } = state;
  const countAt = cursor.at;
  const count = readCount(cursor, "data segments", bounds.dataSegments);
  if (module.dataCount !== undefined && count !== module.dataCount) {
    throw new WasmFormatError(`${count} data segments follow a data count of ${module.dataCount}`, countAt);
  }
  for (let left = count; left > 0; left -= 1) {
    const start = cursor.at;
    const flags = readU32(cursor);
    if (flags > 2)
      throw new WasmFormatError(`data segment flags 0x${flags.toString(16)} do not exist`, start);
    if (flags !== 1) {
      const memoryAt = flags === 2 ? cursor.at : start;
      const memory = flags === 2 ? readU32(cursor) : 0;
      if (memory >= spaces.memories) {
        throw new WasmFormatError(`memory ${memory} does not exist: there are ${spaces.memories}`, memoryAt);
      }
      readConstant(cursor, spaces, module.addressed);
    }
    skipBytes(cursor, readU32(cursor));
    module.data.push({ encoded: cursor.bytes.subarray(start, cursor.at) });
  }
}
