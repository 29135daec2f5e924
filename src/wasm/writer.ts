/** Bytes that are being written. `bytes` is longer than what was written: only `[0, length)` counts. */
export interface Writer {
  bytes: Uint8Array<ArrayBuffer>;
  /** Of the same buffer. */
  view: DataView;
  length: number;
}

/** A writer that has to grow only when more than `capacity` bytes are written. */
export function createWriter(capacity: number): Writer {
  const bytes = new Uint8Array(capacity);
  return { bytes, view: new DataView(bytes.buffer), length: 0 };
}

/** What was written, in a buffer of just that size. */
export function writtenBytes(writer: Writer): Uint8Array<ArrayBuffer> {
  return writer.bytes.slice(0, writer.length);
}

export function writeByte(writer: Writer, byte: number): void {
  reserve(writer, 1);
  writer.bytes[writer.length] = byte;
  writer.length += 1;
}

export function writeThree(writer: Writer, first: number, second: number, third: number): void {
  reserve(writer, 3);
  const { bytes, length } = writer;
  bytes[length] = first;
  bytes[length + 1] = second;
  bytes[length + 2] = third;
  writer.length = length + 3;
}

export function writeFour(
  writer: Writer,
  first: number,
  second: number,
  third: number,
  fourth: number,
): void {
  reserve(writer, 4);
  const { bytes, length } = writer;
  bytes[length] = first;
  bytes[length + 1] = second;
  bytes[length + 2] = third;
  bytes[length + 3] = fourth;
  writer.length = length + 4;
}

/** An unsigned 32-bit integer in the shortest LEB128. */
export function writeU32(writer: Writer, value: number): void {
  reserve(writer, 5);
  let rest = value;
  while (rest > 0x7f) {
    writer.bytes[writer.length] = (rest & 0x7f) | 0x80;
    writer.length += 1;
    rest >>>= 7;
  }
  writer.bytes[writer.length] = rest;
  writer.length += 1;
}

/** An opcode of one byte and an index. */
export function writeOperator(writer: Writer, opcode: number, index: number): void {
  reserve(writer, 6);
  const { bytes, length } = writer;
  bytes[length] = opcode;
  if (index < 0x80) {
    bytes[length + 1] = index;
    writer.length = length + 2;
  } else {
    writer.length = length + 1;
    writeU32(writer, index);
  }
}

/** A signed 32-bit integer in the shortest LEB128. */
export function writeS32(writer: Writer, value: number): void {
  reserve(writer, 5);
  let rest = value;
  while (rest < -0x40 || rest > 0x3f) {
    writer.bytes[writer.length] = (rest & 0x7f) | 0x80;
    writer.length += 1;
    rest >>= 7;
  }
  writer.bytes[writer.length] = rest & 0x7f;
  writer.length += 1;
}

export function writeBytes(writer: Writer, bytes: Uint8Array): void {
  reserve(writer, bytes.length);
  writer.bytes.set(bytes, writer.length);
  writer.length += bytes.length;
}

/** `source[start, end)`. Below the threshold a loop is quicker than the view that `set` asks for. */
export function writeRange(writer: Writer, source: Uint8Array, start: number, end: number): void {
  const size = end - start;
  reserve(writer, size);
  const { bytes, length } = writer;
  if (size > 64) {
    bytes.set(source.subarray(start, end), length);
  } else {
    for (let offset = 0; offset < size; offset += 1) bytes[length + offset] = source[start + offset] ?? 0;
  }
  writer.length += size;
}

/** Bytes that {@link writeWords} may read and write behind those it was asked for. */
export const WORD_OVERHANG = 3;

/**
 * `source[start, end)`, four bytes at a time: for short ranges, of which there are very many. `source` has to have
 * {@link WORD_OVERHANG} bytes more.
 */
export function writeWords(writer: Writer, source: DataView, start: number, end: number): void {
  const size = end - start;
  reserve(writer, size + WORD_OVERHANG);
  const { view, length } = writer;
  for (let offset = 0; offset < size; offset += 4) {
    view.setUint32(length + offset, source.getUint32(start + offset, true), true);
  }
  // Whatever is written next overwrites what was too much.
  writer.length = length + size;
}

const utf8 = new TextEncoder();

export function writeName(writer: Writer, name: string): void {
  if (writeAscii(writer, name)) return;
  const encoded = utf8.encode(name);
  writeU32(writer, encoded.length);
  writeBytes(writer, encoded);
}

/** Nearly every name is short ASCII, for which the encoder takes longer than the rest of its section. */
function writeAscii(writer: Writer, name: string): boolean {
  const { length: size } = name;
  if (size >= 0x80) return false;
  reserve(writer, 1 + size);
  const { bytes, length } = writer;
  bytes[length] = size;
  for (let index = 0; index < size; index += 1) {
    const unit = name.charCodeAt(index);
    if (unit >= 0x80) return false;
    bytes[length + 1 + index] = unit;
  }
  writer.length = length + 1 + size;
  return true;
}

/** Bytes of a size that is written before what it measures is known: five, the most that 32 bits take. */
const SIZE_BYTES = 5;

/** Writes the size of what `write` writes, in five bytes, and then that. */
export function writeSized(writer: Writer, write: () => void): void {
  reserve(writer, SIZE_BYTES);
  const sizeAt = writer.length;
  writer.length += SIZE_BYTES;
  write();
  const size = writer.length - sizeAt - SIZE_BYTES;
  for (let byte = 0; byte < SIZE_BYTES; byte += 1) {
    const more = byte < SIZE_BYTES - 1 ? 0x80 : 0;
    writer.bytes[sizeAt + byte] = ((size >>> (7 * byte)) & 0x7f) | more;
  }
}

/** Makes room for `count` bytes more. */
export function reserve(writer: Writer, count: number): void {
  const needed = writer.length + count;
  if (needed <= writer.bytes.length) return;
  const grown = new Uint8Array(Math.max(needed, writer.bytes.length * 2));
  grown.set(writer.bytes.subarray(0, writer.length));
  writer.bytes = grown;
  writer.view = new DataView(grown.buffer);
}
