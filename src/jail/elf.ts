import type { FileHandle } from "node:fs/promises";

/** What scriptcell wants to know of an ELF file. */
export interface ElfFile {
  /** Path of the dynamic loader that the kernel starts it with; absent for a static executable. */
  interpreter?: string;
}

const PT_INTERP = 3;
const PATH_MAX = 4096;
const MAX_PROGRAM_HEADERS = 1024;

/**
 * Reads the header and the program headers of an ELF file (System V ABI, chapters 4 and 5); undefined where it is none.
 * 64-bit little-endian files are understood: every platform on which Node.js and rustc meet a jail.
 */
export async function readElf(file: FileHandle): Promise<ElfFile | undefined> {
  const header = await readAt(file, 0, 64);
  if (header === undefined || header.toString("latin1", 0, 4) !== "\x7fELF") return undefined;
  const is64BitLittleEndian = header[4] === 2 && header[5] === 1;
  if (!is64BitLittleEndian) return undefined;
  const offset = Number(header.readBigUInt64LE(32));
  const entrySize = header.readUInt16LE(54);
  const count = header.readUInt16LE(56);
  if (entrySize < 56 || count > MAX_PROGRAM_HEADERS) return undefined;
  const table = await readAt(file, offset, entrySize * count);
  if (table === undefined) return undefined;
  for (let at = 0; at < table.length; at += entrySize) {
    if (table.readUInt32LE(at) !== PT_INTERP) continue;
    const size = Number(table.readBigUInt64LE(at + 32));
    if (size < 2 || size > PATH_MAX) return undefined;
    const text = await readAt(file, Number(table.readBigUInt64LE(at + 8)), size);
    return text === undefined ? undefined : { interpreter: text.toString("utf8").replace(/\0.*$/s, "") };
  }
  return {};
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer | undefined> {
  if (!Number.isSafeInteger(position)) return undefined;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return bytesRead === length ? buffer : undefined;
}
