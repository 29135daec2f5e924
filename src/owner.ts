/** Who holds a lock or made a temporary file or directory, in a form that other processes can judge. */
import { hash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { hasErrorCode } from "./system-error.ts";

// `<realm>.<pid>.<start>.<nonce>`. A pid means something only within its realm: one boot of one machine and one pid
// namespace. The start time tells a process from a later one with the same pid. The nonce tells holders within a process.
const OWNER = /^([0-9a-f]{16})\.([1-9][0-9]{0,9})\.([0-9]+)\.[0-9a-f]{12}$/;

/** Says "start unknown" where the system does not tell. */
const UNKNOWN_START = "0";

let ownPrefix: string | undefined;

/** A new owner in this process. Unique, safe as a file name. */
export function newOwner(): string {
  ownPrefix ??= `${ownRealm()}.${process.pid}.${ownStart()}`;
  return `${ownPrefix}.${randomBytes(6).toString("hex")}`;
}

/**
 * What can be known of an owner's process. `elsewhere`: it ran on another machine, before the last boot or in another
 * container, and nothing can be known of it. `nobody`: nothing of ours is called like this.
 */
export type OwnerState = "running" | "gone" | "elsewhere" | "nobody";

/** Asks the system about an owner. */
export async function ownerState(owner: string): Promise<OwnerState> {
  const [, realm, pid, start] = OWNER.exec(owner) ?? [];
  if (realm === undefined || pid === undefined || start === undefined) return "nobody";
  if (realm !== ownRealm()) return "elsewhere";
  return (await isRunning(Number(pid), start)) ? "running" : "gone";
}

/**
 * Whether the owner's process is known to be gone, or, where that cannot be known (it ran elsewhere), the owner's traces
 * are older than `maxAgeMs`. An age far in the future is a clock that was set back: as good as old.
 */
export async function ownerIsGone(owner: string, traceMs: number, maxAgeMs: number): Promise<boolean> {
  if (Math.abs(Date.now() - traceMs) > maxAgeMs) return true;
  const state = await ownerState(owner);
  // Nobody will come back for what nobody owns.
  return state === "gone" || state === "nobody";
}

let realm: string | undefined;

function ownRealm(): string {
  realm ??= hash("sha256", JSON.stringify(realmParts()), "hex").slice(0, 16);
  return realm;
}

function realmParts(): string[] {
  try {
    return [readFileSync("/proc/sys/kernel/random/boot_id", "utf8"), readlinkSync("/proc/self/ns/pid")];
  } catch {
    return [process.platform, hostname()];
  }
}

function ownStart(): string {
  try {
    const stat = parseStat(readFileSync("/proc/self/stat", "utf8"));
    // A /proc of another pid namespace counts differently: others would look for us in the wrong place.
    return stat?.pid === process.pid ? stat.start : UNKNOWN_START;
  } catch {
    return UNKNOWN_START;
  }
}

async function isRunning(pid: number, start: string): Promise<boolean> {
  if (start !== UNKNOWN_START) {
    try {
      const stat = parseStat(await readFile(`/proc/${pid}/stat`, "utf8"));
      // A zombie holds nothing any more.
      if (stat !== undefined) return stat.start === start && !/[ZXx]/.test(stat.state);
    } catch (error) {
      if (hasErrorCode(error, "ENOENT", "ESRCH")) return false;
    }
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasErrorCode(error, "ESRCH");
  }
}

/** Fields 1, 3 and 22 of proc_pid_stat(5). The name in field 2 may hold spaces and parentheses. */
function parseStat(stat: string): { pid: number; state: string; start: string } | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, start] = [fields[0], fields[19]];
  return state === undefined || start === undefined
    ? undefined
    : { pid: Number.parseInt(stat, 10), state, start };
}
