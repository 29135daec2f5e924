/**
 * Where things lie below the store's directory. A change to this file or to entry.ts that an older reader would
 * misread needs a new {@link STORE_FORMAT_VERSION}: versions live side by side and never see each other.
 *
 *     v1/3f/3f9a….module   one entry: module and diagnostics (entry.ts)
 *     v1/tmp/<key>.<owner> an entry that is being written (src/owner.ts names its writer)
 *     v1/locks/<key>       a symbolic link that dangles; its target is the owner of the lock (lock.ts)
 *     v1/usage             an empty, sparse file as many bytes long as the entries have blocks (usage.ts)
 *     v1/pruned            its modification time is when the store last pruned itself
 */
import { join } from "node:path";
import { ScriptcellError } from "../errors.ts";
import { MiB } from "../limits.ts";

/** Part of the directory's name and of every key. */
export const STORE_FORMAT_VERSION = 1;

/** The unit in which entries are counted: no file takes less from a disk. */
export const BLOCK_BYTES = 4096;

/** An entry file above this is refused by its size, before anything of it is read, and none is written. */
export const MAX_ENTRY_BYTES = 128 * MiB;

const KEY = /^[0-9a-f]{64}$/;
const SHARD = /^[0-9a-f]{2}$/;
const ENTRY_SUFFIX = ".module";

/** The store's place in scriptcell's cache directory, beside the toolchain's: a directory of its own, whose mode is its own affair. */
export function modulesDirectory(cacheDir: string): string {
  return join(cacheDir, "modules");
}

/** Paths of one store. */
export interface StoreLayout {
  /** The versioned directory that holds all the others. */
  root: string;
  temporaries: string;
  locks: string;
  usage: string;
  pruned: string;
}

export function storeLayout(directory: string): StoreLayout {
  const root = join(directory, `v${STORE_FORMAT_VERSION}`);
  return {
    root,
    temporaries: join(root, "tmp"),
    locks: join(root, "locks"),
    usage: join(root, "usage"),
    pruned: join(root, "pruned"),
  };
}

/** Whether this is a key. Everything else must not become part of a path. */
export function isStoreKey(text: string): boolean {
  return KEY.test(text);
}

/** @throws ScriptcellError `INVALID_OPTIONS` */
export function requireStoreKey(key: string): void {
  if (isStoreKey(key)) return;
  throw new ScriptcellError(
    "INVALID_OPTIONS",
    "A store key is 64 lower-case hex digits: make it with storeKey().",
  );
}

/** 256 directories keep each one short, whatever the file system. */
export function isShardName(name: string): boolean {
  return SHARD.test(name);
}

export function shardPath(layout: StoreLayout, key: string): string {
  return join(layout.root, key.slice(0, 2));
}

export function entryPath(layout: StoreLayout, key: string): string {
  return join(shardPath(layout, key), key + ENTRY_SUFFIX);
}

/** The key of an entry's file name, or undefined for files that are no entries. */
export function keyOfEntryName(name: string): string | undefined {
  const key = name.slice(0, -ENTRY_SUFFIX.length);
  return name.endsWith(ENTRY_SUFFIX) && isStoreKey(key) ? key : undefined;
}

export function temporaryPath(layout: StoreLayout, key: string, owner: string): string {
  return join(layout.temporaries, `${key}.${owner}`);
}

/** The owner of a temporary file, by its name. */
export function ownerOfTemporaryName(name: string): string {
  return name.slice(name.indexOf(".") + 1);
}

export function lockPath(layout: StoreLayout, key: string): string {
  return join(layout.locks, key);
}

/** What a file of this size takes up. */
export function occupiedBytes(size: number): number {
  return Math.max(1, Math.ceil(size / BLOCK_BYTES)) * BLOCK_BYTES;
}
