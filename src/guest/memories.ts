import type { MemorySize } from "../run/protocol.ts";

const PAGE_BYTES = 65_536;
/** A larger memory costs more to zero than to make. */
const MAX_KEPT_PAGES = 64;

/** The memories of a cell's guests. */
export interface Memories {
  /** A memory of that size, every byte of it zero. */
  take(size: MemorySize): WebAssembly.Memory;
  /**
   * Takes back the memory of a guest that has ended, and has one ready for the next guest of the same size: this one, zeroed, if it
   * has not grown. Nothing of the guest may be able to run any more.
   */
  giveBack(size: MemorySize, memory: WebAssembly.Memory): void;
}

/** Keeps one memory at most: what a cell runs again and again is one module. */
export function createMemories(): Memories {
  let kept: { size: MemorySize; memory: WebAssembly.Memory } | undefined;
  return {
    take({ minimum, maximum }) {
      const found = kept;
      kept = undefined;
      if (found?.size.minimum === minimum && found.size.maximum === maximum) return found.memory;
      return make({ minimum, maximum });
    },
    giveBack(size, memory) {
      if (size.minimum > MAX_KEPT_PAGES) return;
      const { buffer } = memory;
      if (buffer.byteLength === size.minimum * PAGE_BYTES) {
        new Uint8Array(buffer).fill(0);
        kept = { size, memory };
        return;
      }
      try {
        kept = { size, memory: make(size) };
      } catch {
        // No room for it now, while the last guest's is still there. Whoever takes one tries again, and says so.
      }
    },
  };
}

function make({ minimum, maximum }: MemorySize): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: minimum, maximum });
}
