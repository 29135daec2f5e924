import { Errno, Failure } from "../filesystem/errno.ts";
import type { TimeChange } from "../filesystem/filesystem.ts";

const ATIM = 1;
const ATIM_NOW = 2;
const MTIM = 4;
const MTIM_NOW = 8;

/** What a call to set times asks for. */
export function timeChanges(
  accessedNs: bigint,
  modifiedNs: bigint,
  flags: number,
): { accessed: TimeChange; modified: TimeChange } {
  if (flags > (ATIM | ATIM_NOW | MTIM | MTIM_NOW)) throw new Failure(Errno.INVAL);
  return {
    accessed: timeChange(accessedNs, (flags & ATIM) !== 0, (flags & ATIM_NOW) !== 0),
    modified: timeChange(modifiedNs, (flags & MTIM) !== 0, (flags & MTIM_NOW) !== 0),
  };
}

function timeChange(nanoseconds: bigint, given: boolean, now: boolean): TimeChange {
  if (given && now) throw new Failure(Errno.INVAL);
  if (now) return "now";
  return given ? nanoseconds : "keep";
}
