import { afterEach, expect, test, vi } from "vitest";
import { createMemories } from "../../src/guest/memories.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const SIZE = { minimum: 2, maximum: 4 };
const bytesOf = (memory: WebAssembly.Memory): Uint8Array => new Uint8Array(memory.buffer);

test("the next guest of the same size gets the memory of the last, every byte of it zero", () => {
  const memories = createMemories();
  const first = memories.take(SIZE);
  bytesOf(first).fill(0xaa);
  memories.giveBack(SIZE, first);
  const second = memories.take(SIZE);
  expect(second).toBe(first);
  expect(bytesOf(second).every((byte) => byte === 0)).toBe(true);
});

test("a memory is never with two guests at once", () => {
  const memories = createMemories();
  const first = memories.take(SIZE);
  expect(memories.take(SIZE)).not.toBe(first);
  memories.giveBack(SIZE, first);
  expect(memories.take(SIZE)).toBe(first);
  expect(memories.take(SIZE)).not.toBe(first);
});

test("a memory that grew, or is of another size, is not given to the next guest", () => {
  const memories = createMemories();
  const grown = memories.take(SIZE);
  grown.grow(1);
  memories.giveBack(SIZE, grown);
  const fresh = memories.take(SIZE);
  expect(fresh).not.toBe(grown);
  expect(fresh.buffer.byteLength).toBe(2 * 65_536);
  memories.giveBack(SIZE, fresh);
  expect(memories.take({ minimum: 2, maximum: 3 })).not.toBe(fresh);
});

test("after a guest whose memory grew, the next one's is made before it is asked for", () => {
  const memories = createMemories();
  const grown = memories.take(SIZE);
  grown.grow(1);
  const made = vi.spyOn(WebAssembly, "Memory");
  memories.giveBack(SIZE, grown);
  expect(made).toHaveBeenCalledTimes(1);
  memories.take(SIZE);
  expect(made).toHaveBeenCalledTimes(1);
  memories.take(SIZE);
  expect(made).toHaveBeenCalledTimes(2);
});

test("where there is no room for a memory, it is the guest that needs it who hears of it", () => {
  const memories = createMemories();
  const grown = memories.take(SIZE);
  grown.grow(1);
  const made = vi.spyOn(WebAssembly, "Memory").mockImplementation(function fail() {
    throw new RangeError("could not allocate memory");
  });
  memories.giveBack(SIZE, grown);
  expect(() => memories.take(SIZE)).toThrow("could not allocate memory");
  made.mockRestore();
  expect(memories.take(SIZE).buffer.byteLength).toBe(2 * 65_536);
});

test("a memory keeps the maximum that its module was given", () => {
  const memories = createMemories();
  memories.giveBack(SIZE, memories.take(SIZE));
  const memory = memories.take(SIZE);
  memory.grow(2);
  expect(() => memory.grow(1)).toThrow(RangeError);
});
