import { Errno, Failure } from "./errno.ts";
import type { Room } from "./memory-room.ts";

/** Bytes of a piece. Only the piece at which a file grows is ever copied. */
const PIECE_BYTES = 65_536;
const PIECE_BITS = 16n;
/** A piece takes at least this much, which covers what the engine needs to keep track of it. */
const MIN_CAPACITY = 512;
/** Where a file ends at the latest, as on Linux. */
const MAX_SIZE = (1n << 63n) - 1n;

/**
 * The bytes of a file in memory, in pieces. What was never written is not there and reads as zeros, however far the file
 * reaches. A piece is as long as what was written to it, and grows by doubling; its bytes beyond the end of the file are zero.
 */
export class MemoryContent {
  readonly #room: Room;
  readonly #pieces = new Map<number, Uint8Array>();
  #size = 0n;

  constructor(room: Room) {
    this.#room = room;
  }

  get size(): bigint {
    return this.#size;
  }

  read(into: Uint8Array, start: number, length: number, position: bigint): number {
    if (position >= this.#size) return 0;
    const left = this.#size - position;
    const wanted = left < BigInt(length) ? Number(left) : length;
    let { piece, offset } = placeOf(position);
    for (let done = 0; done < wanted; piece++, offset = 0) {
      const part = Math.min(wanted - done, PIECE_BYTES - offset);
      const bytes = this.#pieces.get(piece)?.subarray(offset, offset + part);
      const there = bytes?.length ?? 0;
      if (bytes !== undefined) into.set(bytes, start + done);
      into.fill(0, start + done + there, start + done + part);
      done += part;
    }
    return wanted;
  }

  /** Writes as many of the bytes as there is room for; where there is none at all, says so. */
  write(from: Uint8Array, start: number, length: number, position: bigint): number {
    if (position + BigInt(length) > MAX_SIZE) throw new Failure(Errno.FBIG);
    let { piece, offset } = placeOf(position);
    let done = 0;
    for (; done < length; piece++, offset = 0) {
      const part = Math.min(length - done, PIECE_BYTES - offset);
      const bytes = this.#reach(piece, offset, offset + part);
      const fits = Math.min(part, (bytes?.length ?? 0) - offset);
      if (bytes === undefined || fits <= 0) {
        if (done === 0) this.#room.refuse(1, bytes === undefined ? 1 : 0);
        break;
      }
      bytes.set(from.subarray(start + done, start + done + fits), offset);
      done += fits;
      if (fits < part) break;
    }
    const end = position + BigInt(done);
    if (done > 0 && end > this.#size) this.#size = end;
    return done;
  }

  /** Fills an empty file with a copy of the bytes, which then take up exactly their length. */
  load(bytes: Uint8Array): void {
    for (let start = 0, piece = 0; start < bytes.length; start += PIECE_BYTES, piece++) {
      const copy = bytes.slice(start, start + PIECE_BYTES);
      this.#room.take(copy.length, 1);
      this.#pieces.set(piece, copy);
    }
    this.#size = BigInt(bytes.length);
  }

  truncate(size: bigint): void {
    if (size > MAX_SIZE) throw new Failure(Errno.FBIG);
    if (size < this.#size) this.#cut(size);
    this.#size = size;
  }

  /** Gives back all that the bytes take up. */
  release(): void {
    this.truncate(0n);
  }

  /** The piece, made as long as `end` or as near to it as there is room for, if that is beyond `start`. */
  #reach(piece: number, start: number, end: number): Uint8Array | undefined {
    const old = this.#pieces.get(piece);
    const length = old?.length ?? 0;
    if (length >= end || length + this.#room.left() <= start) return old;
    const growth = this.#room.takeUpTo(capacityFor(end) - length, old === undefined ? 1 : 0);
    if (growth === 0) return old;
    const grown = new Uint8Array(length + growth);
    if (old !== undefined) grown.set(old);
    this.#pieces.set(piece, grown);
    return grown;
  }

  #cut(size: bigint): void {
    const { piece: last, offset } = placeOf(size);
    const beyond = placeOf(this.#size).piece;
    // Whichever is less: a file may have few pieces far apart, or be cut by one of very many.
    if (beyond - last < this.#pieces.size) {
      for (let piece = last + 1; piece <= beyond; piece++) this.#drop(piece);
    } else {
      for (const piece of this.#pieces.keys()) if (piece > last) this.#drop(piece);
    }
    if (offset === 0) this.#drop(last);
    else this.#pieces.get(last)?.fill(0, offset);
  }

  #drop(piece: number): void {
    const bytes = this.#pieces.get(piece);
    if (bytes === undefined) return;
    this.#pieces.delete(piece);
    this.#room.give(bytes.length, 1);
  }
}

/** Pieces are counted in numbers: of 2^63 bytes there are 2^47. */
function placeOf(position: bigint): { piece: number; offset: number } {
  return { piece: Number(position >> PIECE_BITS), offset: Number(position & (BigInt(PIECE_BYTES) - 1n)) };
}

function capacityFor(end: number): number {
  let capacity = MIN_CAPACITY;
  while (capacity < end) capacity *= 2;
  return capacity;
}
