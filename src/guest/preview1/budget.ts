import { Errno } from "../filesystem/errno.ts";
import { Refusal } from "./refusal.ts";

/** Names that a run may make however small its `diskBytes`, and bytes of `diskBytes` that allow one more. */
const MIN_NAMES = 1024;
const BYTES_PER_NAME = 1024;

/** What a run may still write: to all its mounts together, and to one of them. */
export interface Budget {
  /** Bytes left of `limits.diskBytes`. */
  bytes: number;
  /** Names (files, directories, links) that may still be made: empty ones take no bytes, but the disk has only so many inodes. */
  names: number;
}

/** Bytes left of a mount's own `maxBytes`. */
export interface MountBudget {
  guest: string;
  bytes: number;
  /** False for a mount in memory, which counts what it holds itself. */
  counted: boolean;
}

export function createBudget(diskBytes: number): Budget {
  return { bytes: diskBytes, names: Math.max(MIN_NAMES, Math.floor(diskBytes / BYTES_PER_NAME)) };
}

/** How many of `wanted` bytes may be written; a refusal where it is none. */
export function allowBytes(budget: Budget, mount: MountBudget, wanted: number, target: string): number {
  if (!mount.counted) return wanted;
  const allowed = Math.min(wanted, budget.bytes, mount.bytes);
  if (allowed > 0 || wanted === 0) return allowed;
  throw budget.bytes === 0
    ? new Refusal(Errno.NOSPC, target, "the run has written as many bytes as it may", "limits.diskBytes")
    : new Refusal(
        Errno.NOSPC,
        target,
        `the run has written as many bytes to ${mount.guest} as it may`,
        "mounts[].maxBytes",
      );
}

/** Takes bytes that must be had in one piece, or none: the growth of a file. */
export function takeGrowth(budget: Budget, mount: MountBudget, growth: bigint, target: string): void {
  if (growth <= 0n || !mount.counted) return;
  if (growth > BigInt(budget.bytes)) {
    throw new Refusal(
      Errno.NOSPC,
      target,
      "the file would grow by more bytes than the run may still write",
      "limits.diskBytes",
    );
  }
  if (mount.bytes !== Number.POSITIVE_INFINITY && growth > BigInt(mount.bytes)) {
    throw new Refusal(
      Errno.NOSPC,
      target,
      `the file would grow by more bytes than the run may still write to ${mount.guest}`,
      "mounts[].maxBytes",
    );
  }
  spendBytes(budget, mount, Number(growth));
}

export function spendBytes(budget: Budget, mount: MountBudget, bytes: number): void {
  if (!mount.counted) return;
  budget.bytes -= bytes;
  mount.bytes -= bytes;
}

/** Checks that one more name may be made; `spendName` counts it once it was. */
export function allowName(budget: Budget, mount: MountBudget, target: string): void {
  if (budget.names > 0 || !mount.counted) return;
  throw new Refusal(
    Errno.NOSPC,
    target,
    "the run has made as many files, directories and links as its bytes allow",
    "limits.diskBytes",
  );
}

export function spendName(budget: Budget, mount: MountBudget): void {
  if (mount.counted) budget.names -= 1;
}
