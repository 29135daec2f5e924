import { LRUCache } from "lru-cache";
import { isStoreKey, requireStoreKey } from "./layout.ts";
import type { ModuleStore, StoredModule } from "./store.ts";

/** Counted for every entry on top of what it holds, so that many tiny modules are bounded too. */
const ENTRY_OVERHEAD_BYTES = 512;

/** The tier that answers without waiting. */
export interface MemoryStore extends ModuleStore {
  peek(key: string): StoredModule | undefined;
  /** Keeps the module, or a copy where its bytes are part of something larger; gives back what it kept. */
  keep(key: string, module: StoredModule): StoredModule;
  clear(): void;
}

/** Keeps the modules used last, `maxBytes` of them at most. Larger modules are let be. */
export function createMemoryStore(maxBytes: number): MemoryStore {
  // lru-cache knows no size of 0.
  const cache = new LRUCache<string, StoredModule>({
    maxSize: Math.max(1, maxBytes),
    sizeCalculation: heldBytes,
  });
  function peek(key: string): StoredModule | undefined {
    return cache.get(key);
  }
  function keep(key: string, module: StoredModule): StoredModule {
    requireStoreKey(key);
    const kept = withoutSlack(module);
    cache.set(key, kept);
    return kept;
  }
  return {
    peek,
    keep,
    clear: () => cache.clear(),
    get: async (key) => (isStoreKey(key) ? peek(key) : undefined),
    async set(key, module) {
      keep(key, module);
    },
  };
}

function heldBytes(module: StoredModule): number {
  // UTF-16 in the worst case, and the objects around the text.
  const diagnostics = module.diagnostics.length === 0 ? 0 : JSON.stringify(module.diagnostics).length * 3;
  return ENTRY_OVERHEAD_BYTES + module.bytes.byteLength + diagnostics;
}

/** A view that is part of a larger buffer would keep all of it alive, uncounted. */
function withoutSlack(module: StoredModule): StoredModule {
  if (module.bytes.byteLength === module.bytes.buffer.byteLength) return module;
  return { ...module, bytes: Uint8Array.from(module.bytes) };
}
