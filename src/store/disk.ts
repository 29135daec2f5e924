import { ScriptcellError } from "../errors.ts";
import { hasErrorCode, isSystemError } from "../system-error.ts";
import { storeDirectory } from "./directory.ts";
import { encodeEntry } from "./entry.ts";
import {
  isStoreKey,
  lockPath,
  MAX_ENTRY_BYTES,
  occupiedBytes,
  requireStoreKey,
  type StoreLayout,
} from "./layout.ts";
import { acquireLock, type LockTurn } from "./lock.ts";
import { ageCheckIsDue, findEntries, pruneEntries } from "./prune.ts";
import { readEntry } from "./read.ts";
import type {
  ModuleStore,
  PruneBounds,
  PruneReport,
  StoredModule,
  StoreEntry,
  StoreWarning,
} from "./store.ts";
import { announceUsage } from "./usage.ts";
import { writeEntry } from "./write.ts";

/** The store prunes itself once this much of its bound is used … */
const PRUNE_ABOVE = 0.9;
/** … and down to this much, so that it does so once in a while and not at every write. */
const PRUNE_TO = 0.75;

/** Writes rest this long after the disk refused one: a full or read-only disk is asked now and then, not at every compile. */
const WRITE_PAUSE_MS = 60_000;

/** Modules in files, shared by all processes of one user. */
export interface DiskStore extends ModuleStore {
  readonly path: string;
  list(): Promise<StoreEntry[]>;
  prune(bounds: Required<PruneBounds>): Promise<PruneReport>;
  /** The turn of this process to compile `key`: see lock.ts. Never rejects for what the file system says. */
  takeTurn(key: string, waitMs: number, signal: AbortSignal): Promise<LockTurn>;
  /** Settles when no prune runs in the background. */
  idle(): Promise<void>;
}

/** What a {@link DiskStore} needs to know. */
export interface DiskStoreOptions {
  directory: string;
  maxBytes: number;
  maxAgeMs: number;
  onWarning: StoreWarning;
}

/** The report where there is nothing to prune. */
export const NOTHING_PRUNED: PruneReport = {
  removedEntries: 0,
  removedBytes: 0,
  keptEntries: 0,
  keptBytes: 0,
  removedLeftovers: 0,
};

/** Touches nothing before the first call. */
export function openDiskStore(options: DiskStoreOptions): DiskStore {
  const directory = storeDirectory(options.directory);
  let writesRestUntil = 0;
  let background: Promise<void> | undefined;
  let whole: Promise<StoreLayout> | undefined;

  /** Tells a disk that does not serve from a mistake in this program. */
  function giveUp(message: string, error: unknown): void {
    if (error instanceof ScriptcellError && error.code === "STORE_FAILED") {
      options.onWarning(`${error.message} Until then modules are kept in memory only.`, error);
    } else if (isSystemError(error)) {
      options.onWarning(
        `${message} ${directory.path}: modules are kept in memory only. Make room there, or choose another directory.`,
        error,
      );
    } else {
      throw error;
    }
  }

  async function get(key: string): Promise<StoredModule | undefined> {
    if (!isStoreKey(key)) return undefined;
    try {
      const layout = await directory.find();
      return layout && (await readEntry(layout, key));
    } catch (error) {
      giveUp("No module can be read from", error);
      return undefined;
    }
  }

  async function set(key: string, module: StoredModule): Promise<void> {
    requireStoreKey(key);
    if (performance.now() < writesRestUntil) return;
    // Before the module is copied.
    if (module.bytes.length > Math.min(MAX_ENTRY_BYTES, options.maxBytes)) return;
    const content = encodeEntry(key, module);
    if (content.length > MAX_ENTRY_BYTES || occupiedBytes(content.length) > options.maxBytes) return;
    try {
      const layout = (await directory.find()) ?? (await directory.make());
      await write(layout, key, content).catch(async (error: unknown) => {
        if (!hasErrorCode(error, "ENOENT")) throw error;
        // Somebody removed the directory while it was in use.
        await write(await directory.make(), key, content);
      });
    } catch (error) {
      writesRestUntil = performance.now() + WRITE_PAUSE_MS;
      giveUp("No module can be written to", error);
    }
  }

  async function write(layout: StoreLayout, key: string, content: Buffer): Promise<void> {
    const bytes = occupiedBytes(content.length);
    const { usedBytes, fits, first } = await announceUsage(layout, bytes, options.maxBytes);
    // Where it does not fit it is let be: neither the bound nor a run waits for the prune that makes room.
    if (fits) await writeEntry(layout, key, content);
    if (first || !fits || usedBytes > options.maxBytes * PRUNE_ABOVE || (await ageCheckIsDue(layout))) {
      background ??= makeRoom(layout, bytes).finally(() => {
        background = undefined;
      });
    }
  }

  async function makeRoom(layout: StoreLayout, bytes: number): Promise<void> {
    const maxBytes = Math.min(options.maxBytes * PRUNE_TO, options.maxBytes - bytes);
    try {
      await pruneEntries(layout, { maxBytes, maxAgeMs: options.maxAgeMs });
    } catch (error) {
      if (!hasErrorCode(error, "ENOENT")) giveUp("The store cannot be pruned in", error);
    }
  }

  async function takeTurn(key: string, waitMs: number, signal: AbortSignal): Promise<LockTurn> {
    const layout = await makeWhole();
    return layout === undefined
      ? { release: async () => {} }
      : acquireLock(lockPath(layout, key), waitMs, signal);
  }

  /**
   * For the lock, which nobody misses: what is wrong here is said when the module is written. Made even where there is a store
   * already, because another process may be making it: its first directory is there before the one for locks.
   */
  async function makeWhole(): Promise<StoreLayout | undefined> {
    try {
      whole ??= directory.make();
      return await whole;
    } catch (error) {
      whole = undefined;
      if (isSystemError(error) || error instanceof ScriptcellError) return undefined;
      throw error;
    }
  }

  async function list(): Promise<StoreEntry[]> {
    const entries = await onRequest((layout) => findEntries(layout), []);
    return entries
      .map(({ key, bytes, storedAt, usedAt }) => ({ key, bytes, storedAt, usedAt }))
      .sort((a, b) => b.usedAt.getTime() - a.usedAt.getTime());
  }

  async function onRequest<T>(act: (layout: StoreLayout) => Promise<T>, absent: T): Promise<T> {
    try {
      const layout = await directory.find();
      return layout === undefined ? absent : await act(layout);
    } catch (error) {
      if (hasErrorCode(error, "ENOENT")) return absent;
      if (!isSystemError(error)) throw error;
      const message = `The module store ${directory.path} could not be read or changed: check that it is yours and its disk writable.`;
      throw new ScriptcellError("STORE_FAILED", message, { cause: error });
    }
  }

  return {
    path: options.directory,
    get,
    set,
    list,
    prune: (bounds) => onRequest((layout) => pruneEntries(layout, bounds), NOTHING_PRUNED),
    takeTurn,
    idle: async () => background,
  };
}
