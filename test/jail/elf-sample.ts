const PT_LOAD = 1;
const PT_INTERP = 3;

/** The smallest 64-bit ELF file with one program header: an interpreter of this name, or none. It cannot be run. */
export function minimalElf(interpreter: string | null): Buffer {
  const name = Buffer.from(interpreter === null ? "" : `${interpreter}\0`);
  const elf = Buffer.alloc(64 + 56 + name.length);
  elf.write("\x7fELF", 0, "latin1");
  elf.set([2, 1, 1], 4);
  elf.writeUInt16LE(2, 16);
  elf.writeUInt16LE(62, 18);
  elf.writeUInt32LE(1, 20);
  elf.writeBigUInt64LE(64n, 32);
  elf.writeUInt16LE(64, 52);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(1, 56);
  elf.writeUInt32LE(interpreter === null ? PT_LOAD : PT_INTERP, 64);
  elf.writeBigUInt64LE(120n, 72);
  elf.writeBigUInt64LE(BigInt(name.length), 96);
  name.copy(elf, 120);
  return elf;
}
