import { SCRATCH_NAME_BYTES, SCRATCH_NODE_BYTES } from "../../run/protocol.ts";
import type { NodeStat, TimeChange } from "./filesystem.ts";
import { MemoryContent } from "./memory-content.ts";
import type { Room } from "./memory-room.ts";

/** What the nodes of one filesystem share. */
export interface MemoryVolume {
  readonly device: bigint;
  readonly room: Room;
  /** The time for timestamps, in nanoseconds since 1970: the run's clock as it was granted. */
  readonly now: () => bigint;
  /** Counts from 1, so that runs alike see the same numbers. */
  nextInode: bigint;
}

interface Common {
  readonly inode: bigint;
  /** Names, as `stat` counts them. */
  links: number;
  /** Open handles. A node goes when it has neither. */
  handles: number;
  accessedNs: bigint;
  modifiedNs: bigint;
  changedNs: bigint;
}

export interface MemoryFileNode extends Common {
  readonly type: "file";
  readonly content: MemoryContent;
}

export interface MemoryDirectoryNode extends Common {
  readonly type: "directory";
  readonly entries: Map<string, MemoryNode>;
  /** Undefined for the root, and once it was removed. */
  parent: MemoryDirectoryNode | undefined;
  removed: boolean;
}

export interface MemoryLinkNode extends Common {
  readonly type: "symlink";
  /** As UTF-8: bytes lie outside the engine's heap, which is smaller than what a run may hold. */
  readonly target: Uint8Array;
}

export type MemoryNode = MemoryFileNode | MemoryDirectoryNode | MemoryLinkNode;

/** Bytes that a name is charged, besides what it names. */
export function nameCost(name: string): number {
  return SCRATCH_NAME_BYTES + Buffer.byteLength(name);
}

/** Bytes that a node is charged, besides its names and contents. */
export function nodeCost(node: MemoryNode): number {
  return SCRATCH_NODE_BYTES + (node.type === "symlink" ? node.target.length : 0);
}

export function newFile(volume: MemoryVolume): MemoryFileNode {
  return { ...common(volume, 1), type: "file", content: new MemoryContent(volume.room) };
}

export function newDirectory(
  volume: MemoryVolume,
  parent: MemoryDirectoryNode | undefined,
): MemoryDirectoryNode {
  return { ...common(volume, 2), type: "directory", entries: new Map(), parent, removed: false };
}

export function newLink(volume: MemoryVolume, target: Uint8Array): MemoryLinkNode {
  return { ...common(volume, 1), type: "symlink", target };
}

function common(volume: MemoryVolume, links: number): Common {
  const now = volume.now();
  const inode = volume.nextInode;
  volume.nextInode += 1n;
  return { inode, links, handles: 0, accessedNs: now, modifiedNs: now, changedNs: now };
}

/** Gives back what a node takes up, once it has neither a name nor a handle. */
export function releaseIfGone(volume: MemoryVolume, node: MemoryNode): void {
  if (node.links > 0 || node.handles > 0) return;
  if (node.type === "file") node.content.release();
  volume.room.give(nodeCost(node), 1);
}

export function statOf(volume: MemoryVolume, node: MemoryNode): NodeStat {
  return {
    device: volume.device,
    inode: node.inode,
    type: node.type,
    links: BigInt(node.links),
    size: sizeOf(node),
    accessedNs: node.accessedNs,
    modifiedNs: node.modifiedNs,
    changedNs: node.changedNs,
  };
}

export function changeTimes(
  volume: MemoryVolume,
  node: MemoryNode,
  accessed: TimeChange,
  modified: TimeChange,
): void {
  const now = volume.now();
  const time = (change: TimeChange, was: bigint): bigint =>
    change === "keep" ? was : change === "now" ? now : change;
  node.accessedNs = time(accessed, node.accessedNs);
  node.modifiedNs = time(modified, node.modifiedNs);
  node.changedNs = now;
}

/** After its contents or entries were changed. */
export function touch(volume: MemoryVolume, node: MemoryNode): void {
  node.modifiedNs = volume.now();
  node.changedNs = node.modifiedNs;
}

function sizeOf(node: MemoryNode): bigint {
  if (node.type === "file") return node.content.size;
  return node.type === "symlink" ? BigInt(node.target.length) : 0n;
}
