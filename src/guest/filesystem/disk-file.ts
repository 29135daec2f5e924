import { fs } from "../builtins.ts";
import { descriptorPath } from "./disk-path.ts";
import { type StatReader, toSystemTime } from "./disk-stat.ts";
import { attempt, Errno, Failure, failureOf } from "./errno.ts";
import type { File, NodeStat, OpenMode, TimeChange } from "./filesystem.ts";
import { advance, type Position } from "./position.ts";

const {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  utimesSync,
  writeSync,
} = fs;

/** Where a file ends at the latest, as the system counts. */
const MAX_SIZE = (1n << 63n) - 2n;

/** The flags to open a regular file with. */
export function accessFlags(mode: OpenMode): number {
  const writes = mode.write || mode.truncate;
  const access = writes ? (mode.read ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY;
  // The last two are for an inode that is not what it was checked to be: opening it must neither wait nor take a terminal.
  return access | (mode.truncate ? constants.O_TRUNC : 0) | constants.O_NONBLOCK | constants.O_NOCTTY;
}

/** A regular file of the disk. */
export class DiskFile implements File {
  readonly kind = "file";
  readonly #stats: StatReader;
  #fd: number;
  /** A second descriptor of the same file with O_APPEND, once something was appended: only the kernel can append atomically. */
  #appendFd = -1;

  constructor(fd: number, stats: StatReader) {
    this.#fd = fd;
    this.#stats = stats;
  }

  read(into: Uint8Array, start: number, length: number, position: Position): number {
    const fd = this.#open();
    if (typeof position === "bigint" && position > MAX_SIZE - BigInt(length)) return 0;
    try {
      return readSync(fd, into, start, length, position);
    } catch (error) {
      throw failureOf(error);
    }
  }

  write(from: Uint8Array, start: number, length: number, position: Position): number {
    // Node takes a position that is not a number as "none", and would write wherever the descriptor stands.
    const end = exact(advance(position, length));
    const fd = this.#open();
    try {
      return writeSync(fd, from, start, length, end - length);
    } catch (error) {
      throw failureOf(error);
    }
  }

  append(from: Uint8Array, start: number, length: number): number {
    if (this.#appendFd === -1) {
      const flags = constants.O_WRONLY | constants.O_APPEND;
      this.#appendFd = attempt(() => openSync(this.#self(), flags));
    }
    return attempt(() => writeSync(this.#appendFd, from, start, length, null));
  }

  size(): bigint {
    return BigInt(attempt(() => fstatSync(this.#open())).size);
  }

  truncate(size: bigint): void {
    const length = exact(size);
    attempt(() => ftruncateSync(this.#open(), length));
  }

  stat(): NodeStat {
    return this.#stats.read(attempt(() => fstatSync(this.#open(), { bigint: true })));
  }

  setTimes(accessed: TimeChange, modified: TimeChange): void {
    attempt(() => utimesSync(this.#self(), toSystemTime(accessed), toSystemTime(modified)));
    this.#stats.remember(accessed, modified, () => fstatSync(this.#open(), { bigint: true }));
  }

  sync(what: "data" | "all"): void {
    attempt(() => (what === "data" ? fdatasyncSync(this.#open()) : fsyncSync(this.#open())));
  }

  close(): void {
    if (this.#fd === -1) return;
    closeSync(this.#fd);
    this.#fd = -1;
    if (this.#appendFd !== -1) closeSync(this.#appendFd);
    this.#appendFd = -1;
  }

  #open(): number {
    if (this.#fd === -1) throw new Error("a file was used after it was closed");
    return this.#fd;
  }

  #self(): string {
    return descriptorPath(this.#open());
  }
}

/** 8 PiB: beyond what a JavaScript number counts exactly, and beyond any file. */
function exact(position: Position): number {
  if (position > Number.MAX_SAFE_INTEGER) throw new Failure(Errno.FBIG);
  return Number(position);
}
