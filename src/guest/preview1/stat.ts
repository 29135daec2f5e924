import type { NodeStat, NodeType } from "../filesystem/filesystem.ts";
import type { GuestMemory } from "./memory.ts";

/** File types as preview 1 numbers them. It has none for a FIFO. */
export const FileType: Readonly<Record<NodeType | "unknown", number>> = {
  unknown: 0,
  "block-device": 1,
  "character-device": 2,
  directory: 3,
  file: 4,
  socket: 6,
  symlink: 7,
  other: 0,
};

export const FILESTAT_BYTES = 64;
/** Where in a `filestat` the type is. */
export const FILESTAT_TYPE = 16;

const MAX_U64 = (1n << 64n) - 1n;

/** Writes a `filestat`. */
export function writeStat(memory: GuestMemory, address: number, stat: NodeStat): void {
  memory.fill(address, FILESTAT_BYTES, 0);
  memory.setU64(address, stat.device);
  memory.setU64(address + 8, stat.inode);
  memory.setU8(address + FILESTAT_TYPE, FileType[stat.type]);
  memory.setU64(address + 24, stat.links);
  memory.setU64(address + 32, stat.size);
  memory.setU64(address + 40, timestamp(stat.accessedNs));
  memory.setU64(address + 48, timestamp(stat.modifiedNs));
  memory.setU64(address + 56, timestamp(stat.changedNs));
}

/** The disk can hold dates before 1970 and after 2554, which a preview 1 timestamp cannot. */
function timestamp(nanoseconds: bigint): bigint {
  if (nanoseconds < 0n) return 0n;
  return nanoseconds > MAX_U64 ? MAX_U64 : nanoseconds;
}
