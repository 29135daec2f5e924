import { Errno, Failure } from "../../../src/guest/filesystem/errno.ts";
import type { Directory } from "../../../src/guest/filesystem/filesystem.ts";
import { openMemoryDirectory } from "../../../src/guest/filesystem/memory.ts";
import { createRoom, type Room } from "../../../src/guest/filesystem/memory-room.ts";

/** A filesystem in memory that has room for so much. */
export function openMemory(
  bytes = 16 * 1024 * 1024,
  objects = 10_000,
  now: () => bigint = () => 0n,
): { root: Directory; room: Room } {
  const room = createRoom({ bytes, objects, full: () => new Failure(Errno.NOSPC) });
  return { root: openMemoryDirectory({ device: 1n, room, now }), room };
}
