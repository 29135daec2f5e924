import { Errno, Failure } from "../filesystem/errno.ts";
import { advance, type Position, positionAt } from "../filesystem/position.ts";
import { allowBytes, spendBytes, takeGrowth } from "./budget.ts";
import { type Buffer, readBuffers } from "./buffers.ts";
import { call, type HostCalls } from "./call.ts";
import type { Descriptor, FileDescriptor } from "./descriptors.ts";
import { FdFlag } from "./flags.ts";
import type { Host } from "./host.ts";
import { requireWritable } from "./mounts.ts";
import { Right } from "./rights.ts";
import { createOutput, readInput } from "./stdio.ts";

const MAX_POSITION = (1n << 63n) - 1n;
const Whence = { SET: 0, CUR: 1, END: 2 } as const;

/** Reading, writing and the position of files and streams. */
export function fileCalls(host: Host): HostCalls {
  const { memory, descriptors, budget } = host;
  const output = createOutput(host);

  function read(file: FileDescriptor, buffers: readonly Buffer[], position: Position): number {
    const only = single(buffers);
    if (only !== undefined) return file.file.read(memory.all, only.address, only.length, position);
    return inTurn(buffers, ({ address, length }, done) =>
      file.file.read(memory.all, address, length, advance(position, done)),
    );
  }

  function write(file: FileDescriptor, buffers: readonly Buffer[], position: Position): number {
    if (buffers.length > 0) chargeGap(file, position);
    const only = single(buffers);
    const done =
      only !== undefined
        ? writeOne(file, only, position)
        : inTurn(buffers, (buffer, before) => writeOne(file, buffer, advance(position, before)));
    file.reach = larger(file.reach, advance(position, done));
    return done;
  }

  function writeOne(file: FileDescriptor, { address, length }: Buffer, position: Position): number {
    const allowed = allowBytes(budget, file.mount, length, file.path);
    const written = file.file.write(memory.all, address, allowed, position);
    spendBytes(budget, file.mount, written);
    return written;
  }

  function append(file: FileDescriptor, buffers: readonly Buffer[]): number {
    return inTurn(buffers, ({ address, length }) => {
      const allowed = allowBytes(budget, file.mount, length, file.path);
      const written = file.file.append(memory.all, address, allowed);
      spendBytes(budget, file.mount, written);
      return written;
    });
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
      const buffers = readBuffers(memory, vectors, count);
      if (descriptor.kind === "input") {
        memory.setU32(result, readInput(host, buffers[0]));
        return;
      }
      const file = fileOf(descriptor);
      const got = read(file, buffers, file.position);
      file.position = advance(file.position, got);
      memory.setU32(result, got);
    }),

    fd_pread: call("iiiIi", (fd, vectors, count, position, result) => {
      if (descriptors.get(fd).kind === "output") throw new Failure(Errno.BADF);
      const file = descriptors.seekable(fd, Right.FD_READ | Right.FD_SEEK);
      memory.check(result, 4);
      const buffers = readBuffers(memory, vectors, count);
      if (position > MAX_POSITION) throw new Failure(Errno.INVAL);
      memory.setU32(result, read(file, buffers, positionAt(position)));
    }),

    fd_write: call("iiii", (fd, vectors, count, result) => {
      const descriptor = descriptors.capable(fd, Right.FD_WRITE);
      memory.check(result, 4);
      const buffers = readBuffers(memory, vectors, count);
      if (descriptor.kind === "output") {
        memory.setU32(result, output.write(descriptor.stream, buffers));
        return;
      }
      const file = fileOf(descriptor);
      const appends = (file.flags & FdFlag.APPEND) !== 0;
      const put = appends ? append(file, buffers) : write(file, buffers, file.position);
      if (put > 0) file.position = appends ? positionAt(file.file.size()) : advance(file.position, put);
      memory.setU32(result, put);
    }),

    fd_pwrite: call("iiiIi", (fd, vectors, count, position, result) => {
      if (descriptors.get(fd).kind === "input") throw new Failure(Errno.BADF);
      const file = descriptors.seekable(fd, Right.FD_WRITE | Right.FD_SEEK);
      memory.check(result, 4);
      const buffers = readBuffers(memory, vectors, count);
      if (position > MAX_POSITION) throw new Failure(Errno.INVAL);
      // As on Linux, a file in append mode takes the bytes at its end whatever the position.
      const appends = (file.flags & FdFlag.APPEND) !== 0;
      memory.setU32(result, appends ? append(file, buffers) : write(file, buffers, positionAt(position)));
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

/** The buffer of nearly every call, which needs no turns to be taken. */
function single(buffers: readonly Buffer[]): Buffer | undefined {
  return buffers.length === 1 ? buffers[0] : undefined;
}

/**
 * Moves one buffer after the other until one is not moved whole. A failure after some bytes were moved is kept for the next
 * call, as the system does: the guest has to know of the bytes.
 */
function inTurn(buffers: readonly Buffer[], move: (buffer: Buffer, done: number) => number): number {
  const [first] = buffers;
  if (first === undefined) return 0;
  let done = move(first, 0);
  if (done < first.length) return done;
  for (let index = 1; index < buffers.length; index++) {
    const buffer = buffers[index];
    if (buffer === undefined) break;
    try {
      const moved = move(buffer, done);
      done += moved;
      if (moved < buffer.length) break;
    } catch (error) {
      if (error instanceof Failure) break;
      throw error;
    }
  }
  return done;
}

function larger(a: Position, b: Position): Position {
  return a > b ? a : b;
}
