import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { MiB } from "../limits.ts";

/** Bytes of modules that are kept, at most. */
const MAX_BYTES = 64 * MiB;

/**
 * Gives each module that a caller hands over as bytes a copy of its own, the same for the same content: what is prepared
 * is kept by identity, and a caller may fill one buffer with another module.
 */
export function foreignModules(): (bytes: Uint8Array) => Uint8Array {
  const known = new LRUCache<string, Uint8Array>({
    maxSize: MAX_BYTES,
    sizeCalculation: (bytes) => Math.max(1, bytes.length),
  });
  return (bytes) => {
    const key = hash("sha256", bytes);
    let own = known.get(key);
    if (own === undefined) {
      own = new Uint8Array(bytes);
      known.set(key, own);
    }
    return own;
  };
}
