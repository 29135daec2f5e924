import type { GuestMemory } from "./memory.ts";

/** Buffers that one call uses (Linux's IOV_MAX), and bytes that it moves: what is beyond is left to the guest's next call. */
const MAX_BUFFERS = 1024;
export const MAX_MOVED_BYTES = 16 << 20;

/**
 * The stretches of guest memory that a vectored read or write names, checked to lie in it. One object serves all calls of a run,
 * each until the next one: lists of their own would be most of the garbage that a guest makes which reads or writes much.
 */
export class Buffers {
  readonly #memory: GuestMemory;
  readonly #addresses: number[] = [];
  readonly #lengths: number[] = [];
  #count = 0;

  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }

  get count(): number {
    return this.#count;
  }

  address(index: number): number {
    return this.#addresses[index] ?? 0;
  }

  length(index: number): number {
    return this.#lengths[index] ?? 0;
  }

  /**
   * Takes the first buffers that are not empty, cut to what one call may move. A call that moves less than it was asked to is a
   * short read or write, which every caller has to expect.
   */
  take(vectors: number, count: number): void {
    const memory = this.#memory;
    this.#count = 0;
    memory.check(vectors, count * 8);
    let room = MAX_MOVED_BYTES;
    for (let index = 0; index < count && room > 0 && this.#count < MAX_BUFFERS; index++) {
      const address = memory.getU32(vectors + index * 8);
      const length = memory.getU32(vectors + index * 8 + 4);
      if (length === 0) continue;
      memory.check(address, length);
      this.#addresses[this.#count] = address;
      this.#lengths[this.#count] = Math.min(length, room);
      this.#count += 1;
      room -= length;
    }
  }
}
