import { Errno, Failure } from "../filesystem/errno.ts";
import { advance, type Position, positionAt } from "../filesystem/position.ts";
import { allowBytes, spendBytes, takeGrowth } from "./budget.ts";
import { Buffers } from "./buffers.ts";
import { call, type HostCalls } from "./call.ts";
import type { Descriptor, FileDescriptor } from "./descriptors.ts";
import { FdFlag } from "./flags.ts";
import type { Host } from "./host.ts";
import { requireWritable } from "./mounts.ts";
import { Right } from "./rights.ts";
import { createOutput, readInput } from "./stdio.ts";

const MAX_POSITION = (1n << 63n) - 1n;
/** Moves the bytes of one buffer; returns how many. */
type MoveOne = (file: FileDescriptor, address: number, length: number, position: Position) => number;

const Whence = { SET: 0, CUR: 1, END: 2 } as const;

/** Reading, writing and the position of files and streams. */
export function fileCalls(host: Host): HostCalls {
  const { memory, descriptors, budget } = host;
  const output = createOutput(host);
  const buffers = new Buffers(memory);

  function read(file: FileDescriptor, position: Position): number {
    return inTurn(readOne, file, position);
  }

  function write(file: FileDescriptor, position: Position): number {
    if (buffers.count > 0) chargeGap(file, position);
    const done = inTurn(writeOne, file, position);
    file.reach = larger(file.reach, advance(position, done));
    return done;
  }

  function append(file: FileDescriptor): number {
    return inTurn(appendOne, file, 0);
  }

  function readOne({ file }: FileDescriptor, address: number, length: number, position: Position): number {
    return file.read(memory.all, address, length, position);
  }

  function writeOne(file: FileDescriptor, address: number, length: number, position: Position): number {
    const allowed = allowBytes(budget, file.mount, length, file.path);
    const written = file.file.write(memory.all, address, allowed, position);
    spendBytes(budget, file.mount, written);
    return written;
  }

  function appendOne(file: FileDescriptor, address: number, length: number): number {
    const allowed = allowBytes(budget, file.mount, length, file.path);
    const written = file.file.append(memory.all, address, allowed);
    spendBytes(budget, file.mount, written);
    return written;
  }

  /**
   * Moves one buffer after the other until one is not moved whole. A failure after some bytes were moved is kept for the next
   * call, as the system does: the guest has to know of the bytes.
   */
  function inTurn(moveOne: MoveOne, file: FileDescriptor, position: Position): number {
    let done = 0;
    try {
      for (let index = 0; index < buffers.count; index++) {
        const length = buffers.length(index);
        const moved = moveOne(file, buffers.address(index), length, advance(position, done));
        done += moved;
        if (moved < length) break;
      }
    } catch (error) {
      if (done === 0 || !(error instanceof Failure)) throw error;
    }
    return done;
  }

  /** A write beyond the end makes the file longer by the gap as well. */
  function chargeGap(file: FileDescriptor, position: Position): void {
    if (position <= file.reach) return;
    file.reach = larger(file.reach, positionAt(file.file.size()));
    takeGrowth(budget, file.mount, BigInt(position) - BigInt(file.reach), file.path);
    file.reach = larger(file.reach, position);
  }

  function setPosition(file: FileDescriptor, position: bigint, result: number): void {
    if (position < 0n || position > MAX_POSITION) throw new Failure(Errno.INVAL);
    memory.setU64(result, position);
    file.position = positionAt(position);
  }

  return {
    fd_read: call("iiii", (fd, vectors, count, result) => {
      const descriptor = descriptors.capable(fd, Right.FD_READ);
      memory.check(result, 4);
      buffers.take(vectors, count);
      if (descriptor.kind === "input") {
        memory.setU32(result, readInput(host, buffers));
        return;
      }
      const file = fileOf(descriptor);
      const got = read(file, file.position);
      file.position = advance(file.position, got);
      memory.setU32(result, got);
    }),

    fd_pread: call("iiiIi", (fd, vectors, count, position, result) => {
      if (descriptors.get(fd).kind === "output") throw new Failure(Errno.BADF);
      const file = descriptors.seekable(fd, Right.FD_READ | Right.FD_SEEK);
      memory.check(result, 4);
      buffers.take(vectors, count);
      if (position > MAX_POSITION) throw new Failure(Errno.INVAL);
      memory.setU32(result, read(file, positionAt(position)));
    }),

    fd_write: call("iiii", (fd, vectors, count, result) => {
      const descriptor = descriptors.capable(fd, Right.FD_WRITE);
      memory.check(result, 4);
      buffers.take(vectors, count);
      if (descriptor.kind === "output") {
        memory.setU32(result, output.write(descriptor.stream, buffers));
        return;
      }
      const file = fileOf(descriptor);
      const appends = (file.flags & FdFlag.APPEND) !== 0;
      const put = appends ? append(file) : write(file, file.position);
      if (put > 0) file.position = appends ? positionAt(file.file.size()) : advance(file.position, put);
      memory.setU32(result, put);
    }),

    fd_pwrite: call("iiiIi", (fd, vectors, count, position, result) => {
      if (descriptors.get(fd).kind === "input") throw new Failure(Errno.BADF);
      const file = descriptors.seekable(fd, Right.FD_WRITE | Right.FD_SEEK);
      memory.check(result, 4);
      buffers.take(vectors, count);
      if (position > MAX_POSITION) throw new Failure(Errno.INVAL);
      // As on Linux, a file in append mode takes the bytes at its end whatever the position.
      const appends = (file.flags & FdFlag.APPEND) !== 0;
      memory.setU32(result, appends ? append(file) : write(file, positionAt(position)));
    }),

    fd_seek: call("iIii", (fd, unsignedOffset, whence, result) => {
      const offset = BigInt.asIntN(64, unsignedOffset);
      const stays = whence === Whence.CUR && offset === 0n;
      const file = descriptors.seekable(fd, stays ? Right.FD_TELL : Right.FD_SEEK);
      if (whence === Whence.SET) setPosition(file, offset, result);
      else if (whence === Whence.CUR) setPosition(file, BigInt(file.position) + offset, result);
      else if (whence === Whence.END) setPosition(file, file.file.size() + offset, result);
      else throw new Failure(Errno.INVAL);
    }),

    fd_tell: call("ii", (fd, result) => {
      memory.setU64(result, BigInt(descriptors.seekable(fd, Right.FD_TELL).position));
    }),

    fd_filestat_set_size: call("iI", (fd, size) => {
      const file = descriptors.file(fd, Right.FD_FILESTAT_SET_SIZE);
      requireWritable(file.mount, file.path);
      // What POSIX says of a descriptor that is not open for writing.
      if ((file.rights & Right.FD_WRITE) === 0) throw new Failure(Errno.INVAL);
      if (size > MAX_POSITION) throw new Failure(Errno.INVAL);
      takeGrowth(budget, file.mount, size - file.file.size(), file.path);
      file.file.truncate(size);
      file.reach = positionAt(size);
    }),

    fd_allocate: call("iII", (fd, _offset, _length) => {
      descriptors.file(fd, Right.FD_ALLOCATE);
      // Nothing here can promise space; Wasmtime answers the same.
      throw new Failure(Errno.NOTSUP);
    }),

    fd_advise: call("iIIi", (fd, offset, length, advice) => {
      descriptors.file(fd, Right.FD_ADVISE);
      if (advice > 5 || offset > MAX_POSITION || length > MAX_POSITION) throw new Failure(Errno.INVAL);
    }),

    fd_sync: call("i", (fd) => descriptors.file(fd, Right.FD_SYNC).file.sync("all")),
    fd_datasync: call("i", (fd) => descriptors.file(fd, Right.FD_DATASYNC).file.sync("data")),
  };
}

function fileOf(descriptor: Descriptor): FileDescriptor {
  if (descriptor.kind !== "file") throw new Failure(Errno.BADF);
  return descriptor;
}

function larger(a: Position, b: Position): Position {
  return a > b ? a : b;
}
