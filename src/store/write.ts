import { rename, unlink, writeFile } from "node:fs/promises";
import { newOwner } from "../owner.ts";
import { hasErrorCode } from "../system-error.ts";
import { makePrivate, requireTrusted } from "./directory.ts";
import { entryPath, type StoreLayout, shardPath, temporaryPath } from "./layout.ts";

/**
 * Puts an entry in its place, whole or not at all. There is no fsync: after a power cut an entry may be torn, which its
 * digest tells the next reader, and then it is compiled again.
 */
export async function writeEntry(layout: StoreLayout, key: string, content: Buffer): Promise<void> {
  const temporary = temporaryPath(layout, key, newOwner());
  try {
    // Exclusive: neither another's file nor a link's target is ever written to.
    await writeFile(temporary, content, { flag: "wx", mode: 0o600 });
    await requireShard(shardPath(layout, key));
    await rename(temporary, entryPath(layout, key));
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

async function requireShard(shard: string): Promise<void> {
  try {
    await requireTrusted(shard);
  } catch (error) {
    if (!hasErrorCode(error, "ENOENT")) throw error;
    await makePrivate(shard);
    await requireTrusted(shard);
  }
}
