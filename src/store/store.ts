import type { Diagnostic } from "../compile/diagnostics.ts";
import { MiB } from "../limits.ts";
import type { ModuleOrigin } from "../result.ts";

/** What the store keeps under a key. */
export interface StoredModule {
  /** The module as rustc wrote it. Callers must not change it. */
  bytes: Uint8Array;
  /** Warnings of the compile that made it, so that a cached answer says what a fresh one said. */
  diagnostics: readonly Diagnostic[];
}

/** One entry, as `scriptcell cache ls` shows it. */
export interface StoreEntry {
  key: string;
  /** What it takes up on the disk, in bytes: whole 4 KiB blocks. */
  bytes: number;
  storedAt: Date;
  /** Last use from the disk, exact to an hour. Hits in memory do not count. */
  usedAt: Date;
}

/** Compiled modules between calls. Implementations: memory, disk, and the tier of both. Keys are 64 lower-case hex digits. */
export interface ModuleStore {
  /**
   * The module, or undefined; undefined also for what is no key. A corrupt entry is removed and counts as absent.
   * Never throws for a damaged or unreadable store.
   */
  get(key: string): Promise<StoredModule | undefined>;
  /**
   * Keeps the module, or lets it be where it is too large. A full or read-only disk is a warning, not an error.
   * @throws ScriptcellError `INVALID_OPTIONS` where `key` is not 64 lower-case hex digits.
   */
  set(key: string, module: StoredModule): Promise<void>;
}

/** What a compile came to, as the store sees it. Only modules are kept: a script that does not compile is compiled again. */
export type MadeModule =
  | { ok: true; module: StoredModule }
  | { ok: false; diagnostics: readonly Diagnostic[] };

/** A {@link MadeModule} and where it came from. */
export type FoundModule =
  | { ok: true; module: StoredModule; from: ModuleOrigin }
  | { ok: false; diagnostics: readonly Diagnostic[] };

/** What may stay on the disk. */
export interface PruneBounds {
  /** Bytes that all entries may take up, least recently used out first. Default: the store's `diskBytes`. */
  maxBytes?: number;
  /** Milliseconds since the last use after which an entry goes. Default: the store's `maxAgeMs`. */
  maxAgeMs?: number;
}

/** What a prune did. Bytes are whole 4 KiB blocks. */
export interface PruneReport {
  removedEntries: number;
  removedBytes: number;
  keptEntries: number;
  keptBytes: number;
  /** Temporary files and locks that dead processes had left behind. */
  removedLeftovers: number;
}

/** Memory over disk, with one compile per key at a time. */
export interface TieredStore extends ModuleStore {
  /** Absolute path of the disk tier's directory; null where there is none. */
  readonly path: string | null;
  /** The module if it is in memory. Synchronous: a warm run waits for nothing. */
  peek(key: string): StoredModule | undefined;
  /**
   * The module from memory, from the disk, or from `make`, which then runs once for all callers that ask for this key
   * meanwhile, in this process and, as far as that can be had, in others that share the directory.
   *
   * `signal` ends the waiting of this caller alone, with the signal's reason. Once every caller has left, the signal that
   * `make` was given is aborted. Where `make` throws, every waiting caller gets the error; nothing is kept.
   */
  getOrCompile(
    key: string,
    make: (signal: AbortSignal) => Promise<MadeModule>,
    signal?: AbortSignal,
  ): Promise<FoundModule>;
  /**
   * What is on the disk, last used first. Empty where there is no disk tier or nothing was stored yet.
   * @throws ScriptcellError `STORE_FAILED` where the directory cannot be read or must not be trusted.
   */
  list(): Promise<StoreEntry[]>;
  /**
   * Brings the disk tier within the bounds and removes what dead processes left behind. The store also does this by itself.
   * @throws ScriptcellError `STORE_FAILED` where the directory cannot be changed or must not be trusted.
   */
  prune(bounds?: PruneBounds): Promise<PruneReport>;
  /**
   * Forgets everything, in memory and on the disk.
   * @throws ScriptcellError `STORE_FAILED` where the directory cannot be changed or must not be trusted.
   */
  clear(): Promise<PruneReport>;
  /** Waits for a prune that runs in the background. The store stays usable. */
  close(): Promise<void>;
}

/** Something went wrong that costs time but no result: said once per store. */
export type StoreWarning = (message: string, cause: unknown) => void;

/** How a {@link TieredStore} is opened. */
export interface StoreOptions {
  /**
   * Directory of the disk tier; made with mode 0700 at the first write. It must belong to the current user and be writable
   * by nobody else: whoever can write to it can run code in the user's cells. null: memory only.
   */
  directory: string | null;
  /** Bytes of modules in memory. Default 64 MiB. */
  memoryBytes?: number;
  /** Bytes that modules may take up on the disk, counted in 4 KiB blocks. Default 512 MiB. */
  diskBytes?: number;
  /** Milliseconds since its last use after which an entry goes. Default 30 days. */
  maxAgeMs?: number;
  /**
   * Milliseconds to wait for another process that compiles the same script, before compiling it here as well.
   * Default 60 seconds. No wait where that process is dead.
   */
  lockWaitMs?: number;
  /** Called at most once, when the disk tier cannot be used. Default: `process.emitWarning` with code `SCRIPTCELL_STORE`. */
  onWarning?: StoreWarning;
}

/** What holds where {@link StoreOptions} say nothing. */
export const DEFAULT_STORE_OPTIONS = Object.freeze({
  memoryBytes: 64 * MiB,
  diskBytes: 512 * MiB,
  maxAgeMs: 30 * 24 * 3_600_000,
  lockWaitMs: 60_000,
});
