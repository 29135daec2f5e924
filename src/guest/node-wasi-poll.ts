import type { GuestDescriptors } from "./node-wasi-descriptors.ts";
import type { GuestMemory } from "./preview1/memory.ts";

const SUBSCRIPTION_BYTES = 48;
const CLOCK = 0;

/**
 * Whether a `poll_oneoff` waits for standard streams, and for clocks at most besides: `node:wasi` cannot wait for the files
 * that stand for them in its table. Streams that have moved, or that are waited for together with files, are left to it.
 */
export function waitsForStreams(
  subscriptions: number,
  count: number,
  memory: GuestMemory,
  descriptors: GuestDescriptors,
): boolean {
  let streams = 0;
  for (let index = 0; index < count; index++) {
    const address = subscriptions + index * SUBSCRIPTION_BYTES;
    if (memory.getU8(address + 8) === CLOCK) continue;
    const fd = memory.getU32(address + 16);
    if (descriptors.stream(fd) !== fd) return false;
    streams += 1;
  }
  return streams > 0;
}
