import type { GuestMemory } from "./memory.ts";

/** Buffers that one call uses (Linux's IOV_MAX), and bytes that it moves: what is beyond is left to the guest's next call. */
const MAX_BUFFERS = 1024;
export const MAX_MOVED_BYTES = 16 << 20;

/** A stretch of guest memory that was checked to lie in it. */
export interface Buffer {
  address: number;
  length: number;
}

/**
 * The buffers of a vectored read or write: the first ones that are not empty, cut to what one call may move. A call that moves
 * less than it was asked to is a short read or write, which every caller has to expect.
 */
export function readBuffers(memory: GuestMemory, vectors: number, count: number): Buffer[] {
  memory.check(vectors, count * 8);
  const buffers: Buffer[] = [];
  let room = MAX_MOVED_BYTES;
  for (let index = 0; index < count && room > 0 && buffers.length < MAX_BUFFERS; index++) {
    const address = memory.getU32(vectors + index * 8);
    const length = memory.getU32(vectors + index * 8 + 4);
    if (length === 0) continue;
    memory.check(address, length);
    const cut = Math.min(length, room);
    buffers.push({ address, length: cut });
    room -= cut;
  }
  return buffers;
}
