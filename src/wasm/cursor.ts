import { WasmFormatError } from "./format-error.ts";

/** A place in the bytes of a module, and where reading has to stop. `at <= end <= bytes.length` always holds. */
export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
  end: number;
}

/** The next byte. */
export function readByte(cursor: Cursor): number {
  const byte = cursor.at < cursor.end ? cursor.bytes[cursor.at] : undefined;
  if (byte === undefined) throw unexpectedEnd(cursor);
  cursor.at += 1;
  return byte;
}

/** An unsigned 32-bit integer in LEB128, of at most five bytes (core specification, section 5.2.2). */
export function readU32(cursor: Cursor): number {
  const start = cursor.at;
  const first = readByte(cursor);
  if (first < 0x80) return first;
  let value = first & 0x7f;
  for (let shift = 7; shift < 28; shift += 7) {
    const byte = readByte(cursor);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  const last = readByte(cursor);
  if (last > 0x0f) throw new WasmFormatError("an integer does not fit in 32 bits", start);
  return (value | (last << 28)) >>> 0;
}

/** A signed 32-bit integer in LEB128: unused bits of the fifth byte have to repeat the sign. */
export function readS32(cursor: Cursor): number {
  const start = cursor.at;
  let value = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = readByte(cursor);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return (value << (25 - shift)) >> (25 - shift);
  }
  const last = readByte(cursor);
  if (last > 0x07 && (last < 0x78 || last > 0x7f)) {
    throw new WasmFormatError("a signed integer does not fit in 32 bits", start);
  }
  return value | (last << 28);
}

/** Passes over a signed 64-bit integer in LEB128, checked like {@link readS32}. */
export function skipS64(cursor: Cursor): void {
  const start = cursor.at;
  for (let byte = 0; byte < 9; byte += 1) if (readByte(cursor) < 0x80) return;
  const last = readByte(cursor);
  if (last !== 0x00 && last !== 0x7f)
    throw new WasmFormatError("a signed integer does not fit in 64 bits", start);
}

/** Passes over `count` bytes. */
export function skipBytes(cursor: Cursor, count: number): void {
  if (count > cursor.end - cursor.at) throw unexpectedEnd(cursor);
  cursor.at += count;
}

/**
 * The length of a vector. It is checked against what is left, every element taking at least a byte, so that nobody
 * allocates or loops on a declared number alone; and against `most`, the caller's own bound.
 */
export function readCount(cursor: Cursor, what: string, most: number): number {
  const start = cursor.at;
  const count = readU32(cursor);
  if (count > most)
    throw new WasmFormatError(`${count} ${what} are declared, and at most ${most} are accepted`, start);
  if (count > cursor.end - cursor.at) {
    throw new WasmFormatError(
      `${count} ${what} are declared and ${cursor.end - cursor.at} bytes are left`,
      start,
    );
  }
  return count;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A name: a vector of bytes that are UTF-8. */
export function readName(cursor: Cursor, maxBytes: number): string {
  const start = cursor.at;
  const length = readCount(cursor, "bytes of a name", maxBytes);
  const encoded = cursor.bytes.subarray(cursor.at, cursor.at + length);
  cursor.at += length;
  try {
    return utf8.decode(encoded);
  } catch {
    throw new WasmFormatError("a name is not UTF-8", start);
  }
}

/** Ends the reading of a part that says its own size: nothing may be left of it. */
export function expectEnd(cursor: Cursor, what: string): void {
  if (cursor.at !== cursor.end) {
    throw new WasmFormatError(
      `${what} has ${cursor.end - cursor.at} bytes more than its contents`,
      cursor.at,
    );
  }
}

function unexpectedEnd(cursor: Cursor): WasmFormatError {
  return new WasmFormatError("unexpected end", cursor.end);
}
