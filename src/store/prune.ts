import type { Stats } from "node:fs";
import { lstat, open, readdir, stat, unlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import { ownerIsGone } from "../owner.ts";
import { hasErrorCode } from "../system-error.ts";
import {
  isShardName,
  keyOfEntryName,
  occupiedBytes,
  ownerOfTemporaryName,
  type StoreLayout,
} from "./layout.ts";
import { removeStaleLock } from "./lock.ts";
import type { PruneBounds, PruneReport } from "./store.ts";
import { correctUsage, readUsage } from "./usage.ts";

/** A temporary file older than this is nobody's: writing one takes moments. */
const TEMPORARY_MAX_AGE_MS = 3_600_000;

/** A last use that lies further ahead than this was written under a clock that has been set back. */
const CLOCK_SLACK_MS = 3_600_000;

/** How often the store looks for entries that have grown too old. */
const AGE_CHECK_INTERVAL_MS = 24 * 3_600_000;

/** Files looked at together: enough to be quick, few enough to leave the thread pool to the runs. */
const BATCH = 16;

/** One entry file. */
export interface FoundEntry {
  key: string;
  path: string;
  /** Whole blocks. */
  bytes: number;
  storedAt: Date;
  usedAt: Date;
}

/** Every entry, in no order. The one place that lists the store's directories. */
export async function findEntries(layout: StoreLayout): Promise<FoundEntry[]> {
  const entries: FoundEntry[] = [];
  for (const shard of await readdir(layout.root, { withFileTypes: true })) {
    if (!shard.isDirectory() || !isShardName(shard.name)) continue;
    const directory = join(layout.root, shard.name);
    const names = await namesIn(directory);
    for (let start = 0; start < names.length; start += BATCH) {
      const found = await Promise.all(
        names.slice(start, start + BATCH).map((name) => findEntry(directory, name)),
      );
      for (const entry of found) if (entry !== undefined) entries.push(entry);
    }
  }
  return entries;
}

/** Removes leftovers, entries too old, then the least recently used ones until the rest is within `maxBytes`. */
export async function pruneEntries(layout: StoreLayout, bounds: Required<PruneBounds>): Promise<PruneReport> {
  const usageBefore = await readUsage(layout);
  const removedLeftovers = (await removeTemporaries(layout)) + (await removeLocks(layout));
  const entries = (await findEntries(layout)).sort((a, b) => a.usedAt.getTime() - b.usedAt.getTime());
  let keptBytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  const report = { removedEntries: 0, removedBytes: 0, keptEntries: 0, keptBytes: 0, removedLeftovers };
  const now = Date.now();
  for (const entry of entries) {
    const age = now - entry.usedAt.getTime();
    if (age > bounds.maxAgeMs || keptBytes > bounds.maxBytes) {
      await removeFile(entry.path);
      keptBytes -= entry.bytes;
      report.removedEntries += 1;
      report.removedBytes += entry.bytes;
    } else {
      report.keptEntries += 1;
      if (age < -CLOCK_SLACK_MS) await bringToPresent(entry, now);
    }
  }
  await correctUsage(layout, usageBefore, keptBytes);
  await noteAgeCheck(layout);
  return { ...report, keptBytes };
}

/** Whether nobody looked for entries too old for a day. */
export async function ageCheckIsDue(layout: StoreLayout): Promise<boolean> {
  try {
    return Math.abs(Date.now() - (await stat(layout.pruned)).mtimeMs) > AGE_CHECK_INTERVAL_MS;
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return true;
    throw error;
  }
}

async function noteAgeCheck(layout: StoreLayout): Promise<void> {
  const file = await open(layout.pruned, "a", 0o600);
  try {
    await file.utimes(new Date(), new Date());
  } finally {
    await file.close();
  }
}

async function findEntry(directory: string, name: string): Promise<FoundEntry | undefined> {
  const key = keyOfEntryName(name);
  if (key === undefined) return undefined;
  const path = join(directory, name);
  const stats = await statIfThere(path);
  if (stats === undefined || stats.isDirectory()) return undefined;
  const usedAt = stats.atimeMs > stats.mtimeMs ? stats.atime : stats.mtime;
  return { key, path, bytes: occupiedBytes(stats.size), storedAt: stats.mtime, usedAt };
}

/** From now on it ages; it would stay for ever otherwise. */
async function bringToPresent(entry: FoundEntry, now: number): Promise<void> {
  const present = new Date(now);
  const storedAt = entry.storedAt < present ? entry.storedAt : present;
  await utimes(entry.path, present, storedAt).catch(ignoreAbsence);
}

async function removeTemporaries(layout: StoreLayout): Promise<number> {
  let removed = 0;
  for (const name of await namesIn(layout.temporaries)) {
    const path = join(layout.temporaries, name);
    const stats = await statIfThere(path);
    if (stats === undefined || stats.isDirectory()) continue;
    if (!(await ownerIsGone(ownerOfTemporaryName(name), stats.mtimeMs, TEMPORARY_MAX_AGE_MS))) continue;
    await removeFile(path);
    removed += 1;
  }
  return removed;
}

async function removeLocks(layout: StoreLayout): Promise<number> {
  let removed = 0;
  for (const name of await namesIn(layout.locks))
    if (await removeStaleLock(join(layout.locks, name))) removed += 1;
  return removed;
}

async function namesIn(directory: string): Promise<string[]> {
  return (await readdir(directory).catch(ignoreAbsence)) ?? [];
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  return lstat(path).catch(ignoreAbsence);
}

async function removeFile(path: string): Promise<void> {
  await unlink(path).catch(ignoreAbsence);
}

/** Another process prunes too, or a reader removed it. */
function ignoreAbsence(error: unknown): undefined {
  if (!hasErrorCode(error, "ENOENT")) throw error;
}
