import { Errno, Failure } from "../filesystem/errno.ts";
import { call, type HostCalls } from "./call.ts";
import type { Descriptor, DirectoryDescriptor } from "./descriptors.ts";
import { DirectoryReader } from "./directory-reader.ts";
import { ALL_FD_FLAGS, SYNC_FLAGS } from "./flags.ts";
import type { Host } from "./host.ts";
import { requireWritable } from "./mounts.ts";
import { knownRights, Right } from "./rights.ts";
import { FILESTAT_BYTES, FILESTAT_TYPE, FileType, writeStat } from "./stat.ts";
import { timeChanges } from "./times.ts";

const FDSTAT_BYTES = 24;
const PRESTAT_BYTES = 8;
const DIRENT_BYTES = 24;

/** Descriptors themselves: what they are, what may be done with them, their names and their end. */
export function descriptorCalls(host: Host): HostCalls {
  const { memory, descriptors, grants } = host;
  // A C library takes a character device that has no position for a terminal.
  const streamType = grants.terminal ? FileType["character-device"] : FileType.unknown;

  return {
    fd_close: call("i", (fd) => descriptors.close(fd)),

    fd_renumber: call("ii", (from, to) => descriptors.renumber(from, to)),

    fd_fdstat_get: call("ii", (fd, result) => {
      const descriptor = descriptors.find(fd);
      if (descriptor === undefined) throw new Failure(Errno.BADF);
      memory.fill(result, FDSTAT_BYTES, 0);
      memory.setU8(result, fileTypeOf(descriptor));
      memory.setU16(result + 2, descriptor.kind === "file" ? descriptor.flags : 0);
      memory.setU64(result + 8, BigInt(descriptor.rights));
      memory.setU64(result + 16, BigInt(descriptor.inheriting));
    }),

    fd_fdstat_set_flags: call("ii", (fd, flags) => {
      const file = descriptors.file(fd, Right.FD_FDSTAT_SET_FLAGS);
      if (flags > ALL_FD_FLAGS || (flags & SYNC_FLAGS) !== 0) throw new Failure(Errno.INVAL);
      file.flags = flags;
    }),

    fd_fdstat_set_rights: call("iII", (fd, rights, inheriting) => {
      const descriptor = descriptors.get(fd);
      const wider = (asked: bigint, has: number): boolean => (asked & ~BigInt(has)) !== 0n;
      if (wider(rights, descriptor.rights) || wider(inheriting, descriptor.inheriting)) {
        throw new Failure(Errno.NOTCAPABLE);
      }
      descriptor.rights = knownRights(rights);
      descriptor.inheriting = knownRights(inheriting);
    }),

    fd_filestat_get: call("ii", (fd, result) => {
      const descriptor = descriptors.capable(fd, Right.FD_FILESTAT_GET);
      memory.check(result, FILESTAT_BYTES);
      if (descriptor.kind === "file") writeStat(memory, result, descriptor.file.stat());
      else if (descriptor.kind === "directory") writeStat(memory, result, descriptor.directory.stat());
      else writeStreamStat(result);
    }),

    fd_filestat_set_times: call("iIIi", (fd, accessedNs, modifiedNs, flags) => {
      const descriptor = descriptors.get(fd);
      if (descriptor.kind === "input" || descriptor.kind === "output") throw new Failure(Errno.BADF);
      descriptors.capable(fd, Right.FD_FILESTAT_SET_TIMES);
      const { accessed, modified } = timeChanges(accessedNs, modifiedNs, flags);
      requireWritable(descriptor.mount, descriptor.path);
      const handle = descriptor.kind === "file" ? descriptor.file : descriptor.directory;
      handle.setTimes(accessed, modified);
    }),

    fd_prestat_get: call("ii", (fd, result) => {
      const preopen = preopenOf(fd);
      if (preopen === undefined) throw new Failure(Errno.BADF);
      memory.fill(result, PRESTAT_BYTES, 0);
      memory.setU32(result + 4, preopen.mount.preopen.guestBytes.length);
    }),

    fd_prestat_dir_name: call("iii", (fd, address, length) => {
      const name = preopenOf(fd)?.mount.preopen.guestBytes;
      if (name === undefined)
        throw new Failure(descriptors.find(fd) === undefined ? Errno.BADF : Errno.NOTDIR);
      if (name.length > length) throw new Failure(Errno.NAMETOOLONG);
      memory.set(address, name);
    }),

    fd_readdir: call("iiiIi", (fd, buffer, length, cookie, result) => {
      const directory = descriptors.directory(fd, Right.FD_READDIR);
      memory.check(result, 4);
      memory.check(buffer, length);
      memory.setU32(result, readDirectory(directory, buffer, length, cookie));
    }),
  };

  function fileTypeOf({ kind }: Descriptor): number {
    return kind === "directory" || kind === "file" ? FileType[kind] : streamType;
  }

  /** Of a stream there is nothing to tell but what it is. */
  function writeStreamStat(address: number): void {
    memory.fill(address, FILESTAT_BYTES, 0);
    memory.setU8(address + FILESTAT_TYPE, streamType);
  }

  function preopenOf(fd: number): DirectoryDescriptor | undefined {
    const descriptor = descriptors.find(fd);
    return descriptor?.kind === "directory" && descriptor.preopened ? descriptor : undefined;
  }

  /** Fills the buffer to its end with entries, the last one cut: a buffer that is not full says that there are no more. */
  function readDirectory(base: DirectoryDescriptor, buffer: number, length: number, cookie: bigint): number {
    base.reader ??= new DirectoryReader(base.directory);
    if (cookie === 0n) base.reader.rewind();
    const self = base.directory.stat().inode;
    let used = 0;
    for (let index = Number(cookie); used < length; index++) {
      const entry =
        index < 2
          ? ({ name: index === 0 ? "." : "..", inode: self, type: "directory" } as const)
          : base.reader.entry(index - 2);
      if (entry === undefined) break;
      const name = new TextEncoder().encode(entry.name);
      const record = new Uint8Array(DIRENT_BYTES + name.length);
      const view = new DataView(record.buffer);
      view.setBigUint64(0, BigInt(index) + 1n, true);
      view.setBigUint64(8, entry.inode, true);
      view.setUint32(16, name.length, true);
      view.setUint8(20, FileType[entry.type]);
      record.set(name, DIRENT_BYTES);
      const fits = record.subarray(0, length - used);
      memory.set(buffer + used, fits);
      used += fits.length;
    }
    return used;
  }
}
