import {
  type ArtifactPattern,
  advance,
  canGoOn,
  isMatch,
  type PatternProgress,
  parseArtifactPattern,
  progressOf,
} from "../run/artifact-pattern.ts";
import {
  MAX_ARTIFACT_PATH_BYTES,
  MAX_ARTIFACTS,
  MAX_CHUNK_BYTES,
  type WireScratch,
} from "../run/protocol.ts";
import type { Channel } from "./channel.ts";
import type { Directory, File, Listing } from "./filesystem/filesystem.ts";
import type { OpenPreopen } from "./preview1/preopens.ts";
import type { GuestDenial } from "./preview1/preview1.ts";

/** A directory on the way down, half listed. */
interface Level {
  directory: Directory;
  listing: Listing;
  /** With a slash at its end. */
  path: string;
  progress: readonly PatternProgress[];
}

/** What is still to be sent, and to be said. */
interface Quota {
  files: number;
  bytes: bigint;
  deny: (denial: GuestDenial) => void;
}

/**
 * Sends the files that a guest left in its scratch mounts and that were asked for. Links are not followed. Where one mount lies
 * inside another, what the outer one holds at that path is hidden from the guest, and so is no artifact.
 */
export function sendArtifacts(
  { artifacts, bytes }: WireScratch,
  mounts: readonly OpenPreopen[],
  deny: (denial: GuestDenial) => void,
  channel: Channel,
): void {
  if (artifacts.length === 0) return;
  const patterns = artifacts.map(parseArtifactPattern);
  const hidden = new Set(mounts.map(({ guest }) => guest));
  const quota: Quota = { files: MAX_ARTIFACTS, bytes: BigInt(bytes), deny };
  for (const { guest, access, directory } of mounts) {
    if (access === "read-write") sendBelow(directory, guest, patterns, hidden, quota, channel);
  }
}

/** Without recursion, and no deeper than a path is long: how deep the tree is was the guest's choice. */
function sendBelow(
  root: Directory,
  guest: string,
  patterns: readonly ArtifactPattern[],
  hidden: ReadonlySet<string>,
  quota: Quota,
  channel: Channel,
): void {
  const levels: Level[] = [
    {
      directory: root.reopen(),
      listing: root.list(),
      path: guest === "/" ? "/" : `${guest}/`,
      progress: patterns.map((pattern) => progressOf(pattern, guest)),
    },
  ];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const entry = level.listing.next();
    if (entry === undefined) {
      level.directory.close();
      levels.pop();
      continue;
    }
    const { name, type } = entry;
    const path = level.path + name;
    if (Buffer.byteLength(path) > MAX_ARTIFACT_PATH_BYTES || hidden.has(path)) continue;
    const progress = patterns.map((pattern, index) => advance(pattern, level.progress[index] ?? [], name));
    if (type === "directory" && patterns.some((pattern, index) => canGoOn(pattern, progress[index] ?? []))) {
      const directory = level.directory.enter(name);
      if (directory.kind === "directory") {
        levels.push({ directory, listing: directory.list(), path: `${path}/`, progress });
      }
    } else if (
      type === "file" &&
      patterns.some((pattern, index) => isMatch(pattern, progress[index] ?? []))
    ) {
      const file = level.directory.open(name, { read: true, write: false, truncate: false });
      if (file.kind !== "file") continue;
      if (hasRoom(quota, guest, path, file)) send(path, file, channel);
      file.close();
    }
  }
}

function hasRoom(quota: Quota, guest: string, path: string, file: File): boolean {
  const { deny } = quota;
  const size = file.size();
  if (quota.files === 0) {
    // The mount's name, so that thousands of them are one entry.
    deny({
      call: "artifacts",
      target: guest,
      reason: `a run gives back at most ${MAX_ARTIFACTS} artifacts`,
      grant: null,
    });
    return false;
  }
  if (size > quota.bytes) {
    deny({
      call: "artifacts",
      target: path,
      reason: "the artifacts are together larger than the files in memory may be",
      grant: "limits.scratchBytes",
    });
    return false;
  }
  quota.files -= 1;
  quota.bytes -= size;
  return true;
}

function send(path: string, file: File, channel: Channel): void {
  const size = Number(file.size());
  channel.send({ kind: "artifact", bytes: size }, Buffer.from(path));
  const chunk = new Uint8Array(Math.min(size, MAX_CHUNK_BYTES));
  for (let sent = 0; sent < size; ) {
    const length = file.read(chunk, 0, Math.min(chunk.length, size - sent), BigInt(sent));
    channel.send({ kind: "artifact-bytes" }, chunk.subarray(0, length));
    sent += length;
  }
}
