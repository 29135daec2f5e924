import { Errno, Failure } from "./errno.ts";
import type { File, NodeStat, OpenMode, TimeChange } from "./filesystem.ts";
import {
  changeTimes,
  type MemoryFileNode,
  type MemoryVolume,
  releaseIfGone,
  statOf,
  touch,
} from "./memory-node.ts";
import type { Position } from "./position.ts";

/** An open file in memory. It stays usable after its last name was removed. */
export class MemoryFile implements File {
  readonly kind = "file";
  readonly #volume: MemoryVolume;
  readonly #node: MemoryFileNode;
  readonly #mode: OpenMode;
  #closed = false;

  constructor(volume: MemoryVolume, node: MemoryFileNode, mode: OpenMode) {
    this.#volume = volume;
    this.#node = node;
    this.#mode = mode;
    node.handles += 1;
    if (mode.truncate && node.content.size > 0n) this.#cut(0n);
  }

  read(into: Uint8Array, start: number, length: number, position: Position): number {
    const { content } = this.#open();
    if (!this.#mode.read) throw new Failure(Errno.BADF);
    return content.read(into, start, length, BigInt(position));
  }

  write(from: Uint8Array, start: number, length: number, position: Position): number {
    const node = this.#open();
    if (!this.#mode.write) throw new Failure(Errno.BADF);
    const written = node.content.write(from, start, length, BigInt(position));
    if (written > 0) touch(this.#volume, node);
    return written;
  }

  append(from: Uint8Array, start: number, length: number): number {
    return this.write(from, start, length, this.#open().content.size);
  }

  size(): bigint {
    return this.#open().content.size;
  }

  truncate(size: bigint): void {
    this.#open();
    // What POSIX says of a descriptor that is not open for writing.
    if (!this.#mode.write) throw new Failure(Errno.INVAL);
    this.#cut(size);
  }

  stat(): NodeStat {
    return statOf(this.#volume, this.#open());
  }

  setTimes(accessed: TimeChange, modified: TimeChange): void {
    changeTimes(this.#volume, this.#open(), accessed, modified);
  }

  sync(): void {
    this.#open();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#node.handles -= 1;
    releaseIfGone(this.#volume, this.#node);
  }

  #open(): MemoryFileNode {
    if (this.#closed) throw new Error("a file was used after it was closed");
    return this.#node;
  }

  #cut(size: bigint): void {
    this.#node.content.truncate(size);
    touch(this.#volume, this.#node);
  }
}
