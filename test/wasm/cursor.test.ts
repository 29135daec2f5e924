import { expect, test } from "vitest";
import {
  type Cursor,
  readCount,
  readName,
  readS32,
  readU32,
  skipBytes,
  skipS64,
} from "../../src/wasm/cursor.ts";
import { WasmFormatError } from "../../src/wasm/format-error.ts";
import { createWriter, writeS32, writeU32, writtenBytes } from "../../src/wasm/writer.ts";

function cursor(...bytes: number[]): Cursor {
  return { bytes: new Uint8Array(bytes), at: 0, end: bytes.length };
}

function formatError(read: () => unknown): WasmFormatError {
  try {
    read();
  } catch (error) {
    if (error instanceof WasmFormatError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

test.each([
  [[0x00], 0],
  [[0x7f], 127],
  [[0x80, 0x01], 128],
  [[0xff, 0xff, 0xff, 0xff, 0x0f], 0xffff_ffff],
  [[0x80, 0x80, 0x80, 0x80, 0x08], 0x8000_0000],
  [[0x80, 0x80, 0x80, 0x80, 0x00], 0],
  [[0x83, 0x80, 0x00], 3],
])("an unsigned integer %j is %d, however it is padded", (bytes, value) => {
  const place = cursor(...bytes, 0xaa);
  expect(readU32(place)).toBe(value);
  expect(place.at).toBe(bytes.length);
});

test.each([
  [[0x80, 0x80, 0x80, 0x80, 0x10]],
  [[0xff, 0xff, 0xff, 0xff, 0x1f]],
  [[0xff, 0xff, 0xff, 0xff, 0x7f]],
  [[0x80, 0x80, 0x80, 0x80, 0x80, 0x00]],
])("an unsigned integer %j that is longer than 32 bits is refused at its first byte", (bytes) => {
  const place = cursor(0xaa, ...bytes);
  place.at = 1;
  expect(formatError(() => readU32(place))).toMatchObject({
    offset: 1,
    message: expect.stringContaining("32 bits"),
  });
});

test.each([
  [[0x00], 0],
  [[0x3f], 63],
  [[0x40], -64],
  [[0x7f], -1],
  [[0xff, 0x00], 127],
  [[0x80, 0x7f], -128],
  [[0xff, 0xff, 0x7f], -1],
  [[0xff, 0xff, 0xff, 0xff, 0x07], 0x7fff_ffff],
  [[0x80, 0x80, 0x80, 0x80, 0x78], -0x8000_0000],
  [[0xff, 0xff, 0xff, 0xff, 0x7f], -1],
])("a signed integer %j is %d, however it is padded", (bytes, value) => {
  const place = cursor(...bytes, 0xaa);
  expect(readS32(place)).toBe(value);
  expect(place.at).toBe(bytes.length);
});

test.each([
  [[0xff, 0xff, 0xff, 0xff, 0x0f]],
  [[0x80, 0x80, 0x80, 0x80, 0x08]],
  [[0x80, 0x80, 0x80, 0x80, 0x70]],
  [[0x80, 0x80, 0x80, 0x80, 0xf8, 0x00]],
])("a signed integer %j whose unused bits do not repeat the sign is refused", (bytes) => {
  expect(formatError(() => readS32(cursor(...bytes))).message).toContain("32 bits");
});

test("a 64-bit integer ends within ten bytes, the last repeating the sign", () => {
  const nine = Array.from({ length: 9 }, () => 0x80);
  for (const last of [0x00, 0x7f]) {
    const place = cursor(...nine, last);
    skipS64(place);
    expect(place.at).toBe(10);
  }
  for (const last of [0x01, 0x40, 0x7e, 0x80, 0xff]) {
    expect(formatError(() => skipS64(cursor(...nine, last, 0x00))).message).toContain("64 bits");
  }
});

test.each([
  ["readU32", readU32],
  ["readS32", readS32],
  ["skipS64", skipS64],
])("%s refuses an integer that does not end before its part does", (_, read) => {
  for (let length = 0; length < 5; length += 1) {
    const place = { ...cursor(...Array.from({ length: 10 }, () => 0x80)), end: length };
    expect(formatError(() => read(place))).toMatchObject({ offset: length, message: "unexpected end" });
  }
});

test("a count above what is left, or above the bound, is refused where it stands", () => {
  expect(formatError(() => readCount(cursor(0x03, 0x00, 0x00), "things", 10)).message).toBe(
    "3 things are declared and 2 bytes are left",
  );
  expect(formatError(() => readCount(cursor(0x03, 0, 0, 0), "things", 2)).message).toBe(
    "3 things are declared, and at most 2 are accepted",
  );
  expect(readCount(cursor(0x03, 0, 0, 0), "things", 3)).toBe(3);
});

test("bytes are not passed over beyond the end, however large the count", () => {
  expect(formatError(() => skipBytes(cursor(1, 2), 3)).message).toBe("unexpected end");
  expect(formatError(() => skipBytes(cursor(1, 2), 0xffff_ffff)).message).toBe("unexpected end");
  const place = cursor(1, 2);
  skipBytes(place, 2);
  expect(place.at).toBe(2);
});

test.each([
  ["a lone continuation byte", [0x80]],
  ["an overlong slash", [0xc0, 0xaf]],
  ["a surrogate", [0xed, 0xa0, 0x80]],
  ["a cut sequence", [0xe2, 0x82]],
])("a name with %s is refused", (_, bytes) => {
  expect(formatError(() => readName(cursor(bytes.length, ...bytes), 100)).message).toBe(
    "a name is not UTF-8",
  );
});

test("a name keeps a byte order mark and NUL characters", () => {
  expect(readName(cursor(5, 0xef, 0xbb, 0xbf, 0x00, 0x61), 100)).toBe("\ufeff\0a");
});

test("what the writer writes is what the reader reads", () => {
  const unsigned = [
    0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 0x1f_ffff, 0x0fff_ffff, 0x1000_0000, 0x7fff_ffff, 0xffff_ffff,
  ];
  const signed = [0, 1, -1, 63, 64, -64, -65, 8191, 8192, -8192, -8193, 0x7fff_ffff, -0x8000_0000];
  const writer = createWriter(1);
  for (const value of unsigned) writeU32(writer, value);
  for (const value of signed) writeS32(writer, value);
  const bytes = writtenBytes(writer);
  const place: Cursor = { bytes, at: 0, end: bytes.length };
  expect(unsigned.map(() => readU32(place))).toEqual(unsigned);
  expect(signed.map(() => readS32(place))).toEqual(signed);
  expect(place.at).toBe(bytes.length);
});
