import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, open, rmdir, unlink } from "node:fs/promises";
import { hasErrorCode, isSystemError } from "../system-error.ts";
import { requireTrusted } from "./directory.ts";
import { decodeEntry } from "./entry.ts";
import { entryPath, MAX_ENTRY_BYTES, type StoreLayout, shardPath } from "./layout.ts";
import type { StoredModule } from "./store.ts";
import { reasonForDistrust } from "./trust.ts";

/** The last use is written down this often at most: a read should cost no write. */
const TOUCH_INTERVAL_MS = 3_600_000;

// No link is followed, and a FIFO or a device in an entry's place is not waited for.
const READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/**
 * The module under this key; undefined where there is none. What lies there and is not a whole, unchanged entry of this
 * key, in a file that only this user can write, is removed.
 */
export async function readEntry(layout: StoreLayout, key: string): Promise<StoredModule | undefined> {
  const path = entryPath(layout, key);
  let file: FileHandle;
  try {
    await requireTrusted(shardPath(layout, key));
    file = await open(path, READ_FLAGS);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return undefined;
    if (await isNoRegularFile(path)) return removeUnsound(path);
    throw error;
  }
  try {
    const stats = await file.stat();
    const content = isSound(stats) ? await readExactly(file, stats.size) : undefined;
    const module = content === undefined ? undefined : decodeEntry(key, content);
    if (module === undefined) return await removeUnsound(path);
    await touch(file, stats);
    return module;
  } finally {
    await file.close();
  }
}

function isSound(stats: Stats): boolean {
  return stats.isFile() && stats.size <= MAX_ENTRY_BYTES && reasonForDistrust(stats) === undefined;
}

async function isNoRegularFile(path: string): Promise<boolean> {
  try {
    return !(await lstat(path)).isFile();
  } catch {
    return false;
  }
}

/** Never more than the size that was checked, even if the file grows meanwhile. */
async function readExactly(file: FileHandle, size: number): Promise<Buffer | undefined> {
  const content = Buffer.allocUnsafe(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await file.read(content, filled, size - filled, filled);
    if (bytesRead === 0) return undefined;
    filled += bytesRead;
  }
  return content;
}

async function removeUnsound(path: string): Promise<undefined> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    // A directory, perhaps. A full one stays, and stays a miss.
    await rmdir(path).catch(() => undefined);
  }
}

/** The access time is set by hand: most file systems are mounted so that reading does not. The other time is when it was stored. */
async function touch(file: FileHandle, stats: Stats): Promise<void> {
  // A time in the future was written before the clock was set back.
  if (Math.abs(Date.now() - stats.atimeMs) < TOUCH_INTERVAL_MS) return;
  try {
    await file.utimes(new Date(), stats.mtime);
  } catch (error) {
    // On a read-only file system nothing is pruned either.
    if (!isSystemError(error)) throw error;
  }
}
