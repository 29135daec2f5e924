import type { Diagnostic } from "../compile/diagnostics.ts";

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
  bytes: number;
  storedAt: Date;
  usedAt: Date;
}

/** Compiled modules between calls. Implementations: memory, disk, and the tier of both. Keys are 64 lower-case hex digits. */
export interface ModuleStore {
  /** The module, or undefined. A corrupt entry is removed and counts as absent. Never throws for a damaged or unreadable store. */
  get(key: string): Promise<StoredModule | undefined>;
  /** Keeps the module. A full or read-only disk is a warning, not an error. */
  set(key: string, module: StoredModule): Promise<void>;
}
