import type { BigIntStats } from "node:fs";
import { fs } from "../builtins.ts";
import { attempt, Errno, Failure, failureOf } from "./errno.ts";
import type { NodeStat, NodeType, TimeChange } from "./filesystem.ts";

const { constants, lstatSync } = fs;

/** Guests look for much that is not there: Node is not to make an error of each. */
const LOOK = { bigint: true, throwIfNoEntry: false } as const;

/** Files whose exact times are remembered at once; beyond it the oldest are forgotten. */
const MAX_REMEMBERED = 4096;

interface Rounded {
  /** What the disk kept. */
  stored: bigint;
  /** What was set. */
  exact: bigint;
}

interface Remembered {
  accessed?: Rounded;
  modified?: Rounded;
}

/** What there is at a path, be it a link. */
export function lookAt(path: string): BigIntStats {
  let stats: BigIntStats | undefined;
  try {
    stats = lstatSync(path, LOOK);
  } catch (error) {
    throw failureOf(error);
  }
  if (stats === undefined) throw new Failure(Errno.NOENT);
  return stats;
}

/**
 * Turns what the system says about a file into a {@link NodeStat}.
 *
 * Node sets times as a floating-point number of seconds, which is exact to a quarter of a microsecond, and guests set
 * nanoseconds and expect to read them back. So the exact value of a time that was set is remembered, for as long as the disk
 * still shows what it made of it.
 */
export interface StatReader {
  read(stats: BigIntStats): NodeStat;
  /** Called after times were set; `stats` reads what the disk kept. */
  remember(accessed: TimeChange, modified: TimeChange, stats: () => BigIntStats): void;
}

/** A reader of its own memory: one for the directories and files below a mount. */
export function createStatReader(): StatReader {
  const remembered = new Map<string, Remembered>();
  return {
    read(stats) {
      const exact = remembered.size > 0 ? remembered.get(keyOf(stats)) : undefined;
      return {
        device: stats.dev,
        inode: stats.ino,
        type: nodeType(Number(stats.mode)),
        links: stats.nlink,
        size: stats.size,
        accessedNs: exactTime(stats.atimeNs, exact?.accessed),
        modifiedNs: exactTime(stats.mtimeNs, exact?.modified),
        changedNs: stats.ctimeNs,
      };
    },
    remember(accessed, modified, readStats) {
      if (typeof accessed !== "bigint" && typeof modified !== "bigint") return;
      const stats = attempt(readStats);
      const key = keyOf(stats);
      const entry = remembered.get(key) ?? {};
      if (typeof accessed === "bigint") entry.accessed = { stored: stats.atimeNs, exact: accessed };
      if (typeof modified === "bigint") entry.modified = { stored: stats.mtimeNs, exact: modified };
      remembered.delete(key);
      remembered.set(key, entry);
      if (remembered.size > MAX_REMEMBERED) {
        for (const oldest of remembered.keys()) {
          remembered.delete(oldest);
          break;
        }
      }
    },
  };
}

/**
 * A time as Node's `utimes` takes it: an invalid date leaves the time alone and infinity is the present (libuv 1.51 and later),
 * and text is parsed to a number without the detour that turns negative numbers into the present.
 */
export function toSystemTime(change: TimeChange): Date | string {
  if (change === "keep") return new Date(Number.NaN);
  if (change === "now") return "Infinity";
  const seconds = change / 1_000_000_000n;
  const nanoseconds = change % 1_000_000_000n;
  return `${seconds}.${nanoseconds.toString().padStart(9, "0")}`;
}

/** The type in the mode bits of a file. */
export function nodeType(mode: number): NodeType {
  switch (mode & constants.S_IFMT) {
    case constants.S_IFREG:
      return "file";
    case constants.S_IFDIR:
      return "directory";
    case constants.S_IFLNK:
      return "symlink";
    case constants.S_IFBLK:
      return "block-device";
    case constants.S_IFCHR:
      return "character-device";
    case constants.S_IFSOCK:
      return "socket";
    default:
      return "other";
  }
}

function exactTime(stored: bigint, rounded: Rounded | undefined): bigint {
  return rounded?.stored === stored ? rounded.exact : stored;
}

function keyOf(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}`;
}
