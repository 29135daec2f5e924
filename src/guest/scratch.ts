import { MAX_SCRATCH_OBJECTS, type WireScratch } from "../run/protocol.ts";
import { Errno, Failure } from "./filesystem/errno.ts";
import type { Directory } from "./filesystem/filesystem.ts";
import { openMemoryDirectory, putFile } from "./filesystem/memory.ts";
import { createRoom, type Room } from "./filesystem/memory-room.ts";
import { ClockId, createClock } from "./preview1/clock.ts";
import type { OpenPreopen } from "./preview1/preopens.ts";
import type { GuestClock } from "./preview1/preview1.ts";
import { Refusal } from "./preview1/refusal.ts";

/** A file to put in before the run. */
export interface FileToPut {
  /** Number of the scratch mount. */
  mount: number;
  /** Path below it. */
  path: string;
  bytes: Uint8Array;
}

/** What one run has in memory. It goes with the last reference to it. */
export interface Scratch {
  readonly preopens: readonly OpenPreopen[];
  /** The most bytes that were in use at a time. */
  peakBytes(): number;
}

/** Makes the mounts of one run that lie in memory, with the files that the host put in. */
export function openScratch(
  { mounts, bytes }: WireScratch,
  files: readonly FileToPut[],
  clock: GuestClock,
): Scratch {
  const now = timestampsOf(clock);
  const all = mounts.flatMap(({ guest, access }) => (access === "read" ? [] : [guest])).join(", ");
  const room = createRoom({
    bytes,
    objects: MAX_SCRATCH_OBJECTS,
    full: fullOf(all, "the files that the run holds in memory", "limits.scratchBytes"),
  });
  const preopens = mounts.map((mount, index): OpenPreopen => {
    const { guest, access } = mount;
    const within = mount.bytes === null ? room : ownRoom(guest, mount.bytes, room);
    return {
      guest,
      guestBytes: new TextEncoder().encode(guest),
      access,
      maxBytes: Number.POSITIVE_INFINITY,
      kind: "memory",
      directory: openMemoryDirectory({ device: BigInt(index + 1), room: within, now }),
    };
  });
  for (const { mount, path, bytes: content } of files) {
    const directory = preopens[mount]?.directory;
    if (directory === undefined) throw new Error("a file for a mount that was not named");
    putAt(directory, path, content);
  }
  return { preopens, peakBytes: () => room.peak() };
}

function ownRoom(guest: string, bytes: number, within: Room): Room {
  const full = fullOf(guest, `the files in ${guest}`, "mounts[].bytes");
  return createRoom({ bytes, objects: MAX_SCRATCH_OBJECTS, full, within });
}

function fullOf(target: string, files: string, grant: string): (what: "bytes" | "objects") => Failure {
  return (what) =>
    what === "bytes"
      ? new Refusal(Errno.NOSPC, target, `${files} take up as many bytes as they may`, grant)
      : new Refusal(Errno.NOSPC, target, `${files} are as many as there may be`, null);
}

/** Timestamps say no more than the clock does: where the date is not granted they count from 1970. */
function timestampsOf(grant: GuestClock): () => bigint {
  if (grant.kind === "denied") return () => 0n;
  const clock = createClock(grant);
  const id = grant.kind === "monotonic" ? ClockId.MONOTONIC : ClockId.REALTIME;
  return () => clock.now(id);
}

/** The host checked the paths and that there is room. */
function putAt(root: Directory, path: string, bytes: Uint8Array): void {
  const names = path.split("/");
  const last = names.pop() ?? "";
  const opened: Directory[] = [];
  let directory = root;
  for (const name of names) {
    directory = enterOrMake(directory, name);
    opened.push(directory);
  }
  putFile(directory, last, bytes);
  for (const entered of opened) entered.close();
}

function enterOrMake(directory: Directory, name: string): Directory {
  try {
    directory.mkdir(name);
  } catch (error) {
    if (!(error instanceof Failure && error.errno === Errno.EXIST)) throw error;
  }
  const entered = directory.enter(name);
  if (entered.kind === "link") throw new Error("a link where nobody made one");
  return entered;
}
