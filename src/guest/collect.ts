/** Memory of a guest that a cell gives back at once, in bytes: less than this is left to V8, which waits for 64 MiB in all. */
const LARGE_BYTES = 16 * 1024 * 1024;

/**
 * Gives a dead guest's memory back to the system. Only a garbage collection does that, and V8 starts none in a cell that
 * waits for its next guest; it is called once the answer was sent, so that what waits is the cell.
 */
export function collectAfter(memoryBytes: number): void {
  // Not exposed in a worker cell, whose settings are the host's.
  if (memoryBytes >= LARGE_BYTES) globalThis.gc?.();
}
