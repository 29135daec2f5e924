/**
 * How much the disk tier holds, known to all processes without looking at the entries: the length of one file, a byte for
 * each block. Writers append to it before they write, which the kernel keeps in order; a prune, which does look, corrects
 * it. It may say too much between prunes (an entry that was overwritten counts twice), and too little by no more than what
 * was being written at the moment of one.
 */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { BLOCK_BYTES, type StoreLayout } from "./layout.ts";

const FLAGS = constants.O_CREAT | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** What {@link announceUsage} answers. */
export interface AnnouncedUsage {
  /** All that is announced, with this entry if it fits. */
  usedBytes: number;
  /** Whether the entry may be written. */
  fits: boolean;
  /** Whether nothing was announced before: in a new store, or one that lost count. */
  first: boolean;
}

/** Announces an entry of `bytes` (whole blocks), unless `maxBytes` would be exceeded. */
export async function announceUsage(
  layout: StoreLayout,
  bytes: number,
  maxBytes: number,
): Promise<AnnouncedUsage> {
  return withUsageFile(layout, FLAGS | constants.O_WRONLY | constants.O_APPEND, async (file) => {
    const beforeBytes = (await file.stat()).size * BLOCK_BYTES;
    if (beforeBytes + bytes > maxBytes) return { usedBytes: beforeBytes, fits: false, first: false };
    await file.writeFile(Buffer.alloc(bytes / BLOCK_BYTES));
    // Others may have come in between: asked again, so that not all of them write.
    const usedBytes = (await file.stat()).size * BLOCK_BYTES;
    return { usedBytes, fits: usedBytes <= maxBytes, first: beforeBytes === 0 };
  });
}

/** All that is announced. */
export async function readUsage(layout: StoreLayout): Promise<number> {
  return withUsageFile(
    layout,
    FLAGS | constants.O_RDWR,
    async (file) => (await file.stat()).size * BLOCK_BYTES,
  );
}

/** Corrects it to what a look at the entries found, plus what was announced since that look began at `beforeBytes`. */
export async function correctUsage(
  layout: StoreLayout,
  beforeBytes: number,
  foundBytes: number,
): Promise<void> {
  await withUsageFile(layout, FLAGS | constants.O_RDWR, async (file) => {
    const announcedSince = Math.max(0, (await file.stat()).size - beforeBytes / BLOCK_BYTES);
    await file.truncate(foundBytes / BLOCK_BYTES + announcedSince);
  });
}

async function withUsageFile<T>(
  layout: StoreLayout,
  flags: number,
  use: (file: FileHandle) => Promise<T>,
): Promise<T> {
  const file = await open(layout.usage, flags, 0o600);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
