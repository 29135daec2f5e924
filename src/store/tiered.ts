import { resolve } from "node:path";
import { type DiskStore, NOTHING_PRUNED, openDiskStore } from "./disk.ts";
import { createFlights } from "./flights.ts";
import { requireStoreKey } from "./layout.ts";
import { createMemoryStore } from "./memory.ts";
import { parsePruneBounds, parseStoreOptions } from "./options.ts";
import type { FoundModule, MadeModule, StoredModule, StoreOptions, TieredStore } from "./store.ts";

/**
 * A store of compiled modules. Touches no file before it is used.
 * @throws ScriptcellError `INVALID_OPTIONS`
 */
export function openStore(given: StoreOptions): TieredStore {
  const options = parseStoreOptions(given);
  const memory = createMemoryStore(options.memoryBytes);
  const disk = openDisk(options);
  const flights = createFlights<FoundModule>();

  async function fromDisk(key: string): Promise<StoredModule | undefined> {
    const module = await disk?.get(key);
    return module && memory.keep(key, module);
  }

  async function findOrMake(
    key: string,
    make: (signal: AbortSignal) => Promise<MadeModule>,
    signal: AbortSignal,
  ): Promise<FoundModule> {
    const stored = await fromDisk(key);
    if (stored !== undefined) return { ok: true, module: stored, from: "disk" };
    const turn = await disk?.takeTurn(key, options.lockWaitMs, signal);
    try {
      // Another process may have made it while this one waited for its turn, or just before.
      const madeElsewhere = turn && (await fromDisk(key));
      if (madeElsewhere !== undefined) return { ok: true, module: madeElsewhere, from: "disk" };
      const made = await make(signal);
      if (!made.ok) return made;
      const module = memory.keep(key, made.module);
      await disk?.set(key, module);
      return { ok: true, module, from: "rustc" };
    } finally {
      await turn?.release();
    }
  }

  return {
    path: disk?.path ?? null,
    peek: memory.peek,
    get: async (key) => memory.peek(key) ?? (await fromDisk(key)),
    async set(key, module) {
      memory.keep(key, module);
      await disk?.set(key, module);
    },
    async getOrCompile(key, make, signal) {
      requireStoreKey(key);
      const module = memory.peek(key);
      if (module !== undefined) return { ok: true, module, from: "memory" };
      return flights.join(key, (flightSignal) => findOrMake(key, make, flightSignal), signal);
    },
    list: async () => (await disk?.list()) ?? [],
    prune: async (bounds = {}) => (await disk?.prune(parsePruneBounds(bounds, options))) ?? NOTHING_PRUNED,
    async clear() {
      memory.clear();
      return (await disk?.prune({ maxBytes: 0, maxAgeMs: options.maxAgeMs })) ?? NOTHING_PRUNED;
    },
    async close() {
      await flights.idle();
      await disk?.idle();
    },
  };
}

function openDisk(options: Required<StoreOptions>): DiskStore | undefined {
  if (options.directory === null) return undefined;
  let warned = false;
  return openDiskStore({
    // Absolute, whatever the working directory becomes.
    directory: resolve(options.directory),
    maxBytes: options.diskBytes,
    maxAgeMs: options.maxAgeMs,
    onWarning: (message, cause) => {
      if (warned) return;
      warned = true;
      options.onWarning(message, cause);
    },
  });
}
