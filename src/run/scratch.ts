import type { Mount } from "../capabilities.ts";
import { ScriptcellError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { canGoOn, parseArtifactPattern, progressOf } from "./artifact-pattern.ts";
import { isPlainPath } from "./artifacts.ts";
import type { AttachedFile } from "./cell.ts";
import { guestPath } from "./mounts.ts";
import { MAX_SCRATCH_OBJECTS, SCRATCH_NAME_BYTES, SCRATCH_NODE_BYTES, type WireScratch } from "./protocol.ts";

/** Mounts that the first directories of `files` may become. */
const MAX_FILE_MOUNTS = 64;
/** As on Linux. */
const MAX_PATH_BYTES = 4095;
const MAX_NAME_BYTES = 255;
/** Bytes of contents that count as one object. */
const PIECE_BYTES = 65_536;

/** What a caller wants to have in memory. */
export interface ScratchWish {
  /** All mounts of the run, those of host directories too: what lies in one of them cannot be put in. */
  mounts: readonly Mount[];
  files: Readonly<Record<string, Uint8Array | string>>;
  artifacts: readonly string[];
}

/** What a run has in memory, and the files that are sent with it. */
export interface ScratchPlan {
  scratch: WireScratch | undefined;
  files: readonly AttachedFile[];
}

interface Place {
  guest: string;
  /** Number among the mounts in memory; undefined for a host directory. */
  index: number | undefined;
}

/**
 * Finds a place for everything that a run is to have in memory, so that nothing can fail when it starts.
 * @throws ScriptcellError INVALID_OPTIONS
 */
export function planScratch(wish: ScratchWish, limits: Limits): ScratchPlan {
  const mounts: Array<WireScratch["mounts"][number]> = [];
  const places = new Map<string, Place>();
  for (const mount of wish.mounts) {
    const guest = guestPath(mount.guest);
    if (places.has(guest)) refuse(`two mounts at ${guest}: give each a guest path of its own`);
    places.set(guest, { guest, index: mount.access === "scratch" ? mounts.length : undefined });
    if (mount.access === "scratch") mounts.push({ guest, access: "read-write", bytes: mount.bytes ?? null });
  }
  checkPatterns(wish.artifacts, mounts);
  const own = mounts.length;
  const files = Object.entries(wish.files).map(([path, content]): AttachedFile => {
    checkPath(path);
    if (places.has(path)) refuse(`files: ${path} is a mount; put the file below it`);
    const { guest, index } = placeOf(path, places) ?? firstDirectory(path);
    if (index === undefined) {
      return refuse(
        `files: ${path} lies in the host directory that is mounted at ${guest}, where nothing is put in for a run: give it another path, or write it there yourself`,
      );
    }
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    return { mount: index, path: path.slice(guest === "/" ? 1 : guest.length + 1), bytes };
  });
  checkRoom(files, mounts, limits.scratchBytes);
  if (mounts.length === 0) return { scratch: undefined, files: [] };
  return { scratch: { mounts, bytes: limits.scratchBytes, artifacts: wish.artifacts }, files };

  /** Of a file that lies in no mount: its first directory becomes one, for reading. */
  function firstDirectory(path: string): Place {
    const [, first = "", ...below] = path.split("/");
    if (below.length === 0) {
      refuse(
        `files: ${path} lies directly under /: put it in a directory, as /in${path}, or mount / as scratch`,
      );
    }
    if (mounts.length - own === MAX_FILE_MOUNTS) {
      refuse(`files: they begin with more than ${MAX_FILE_MOUNTS} directories: put them below fewer`);
    }
    const place = { guest: `/${first}`, index: mounts.length };
    places.set(place.guest, place);
    mounts.push({ guest: place.guest, access: "read", bytes: null });
    return place;
  }
}

/** The mount that the guest finds at a path: the innermost. */
function placeOf(path: string, places: ReadonlyMap<string, Place>): Place | undefined {
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
    const place = places.get(path.slice(0, end));
    if (place !== undefined) return place;
  }
  return places.get("/");
}

function checkPath(path: string): void {
  if (!isPlainPath(path) || !path.isWellFormed()) {
    refuse(
      `files: ${JSON.stringify(path)} is no absolute path of plain names: write it as /in/a.txt, without ., .., NUL or doubled slashes`,
    );
  }
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    refuse(`files: ${path.slice(0, 64)}… is longer than ${MAX_PATH_BYTES} bytes: shorten it`);
  }
  const long = path.split("/").find((name) => Buffer.byteLength(name) > MAX_NAME_BYTES);
  if (long !== undefined) {
    refuse(`files: the name ${long.slice(0, 64)}… is longer than ${MAX_NAME_BYTES} bytes: shorten it`);
  }
}

/** What the cell will be charged, counted in the same way. */
function checkRoom(
  files: readonly AttachedFile[],
  mounts: WireScratch["mounts"],
  scratchBytes: number,
): void {
  let total = 0;
  let objects = 0;
  const byMount = mounts.map(() => 0);
  const kinds = new Map<string, "file" | "directory">();
  const add = (mount: number, path: string, kind: "file" | "directory", bytes: number): void => {
    const key = `${mount}:${path}`;
    const known = kinds.get(key);
    if (known === "directory" && kind === "directory") return;
    if (known !== undefined) {
      const at = `${mounts[mount]?.guest === "/" ? "" : mounts[mount]?.guest}/${path}`;
      refuse(`files: ${at} would be a file and a directory: give one of them another name`);
    }
    kinds.set(key, kind);
    const name = Buffer.byteLength(path.slice(path.lastIndexOf("/") + 1));
    const cost = SCRATCH_NODE_BYTES + SCRATCH_NAME_BYTES + name + bytes;
    total += cost;
    byMount[mount] = (byMount[mount] ?? 0) + cost;
    objects += 1 + Math.ceil(bytes / PIECE_BYTES);
  };
  for (const { mount, path, bytes } of files) {
    for (let end = path.indexOf("/"); end !== -1; end = path.indexOf("/", end + 1)) {
      add(mount, path.slice(0, end), "directory", 0);
    }
    add(mount, path, "file", bytes.length);
  }
  if (total > scratchBytes) {
    refuse(
      `files: they take ${total} bytes of memory, and limits.scratchBytes is ${scratchBytes}: raise it, or put in less`,
    );
  }
  if (objects > MAX_SCRATCH_OBJECTS) {
    refuse(`files: they are more than ${MAX_SCRATCH_OBJECTS} files and directories: put in fewer`);
  }
  for (const [index, { guest, bytes }] of mounts.entries()) {
    const taken = byMount[index] ?? 0;
    if (bytes !== null && taken > bytes) {
      refuse(
        `files: those in ${guest} take ${taken} bytes, and its own bytes are ${bytes}: raise them, or put in less`,
      );
    }
  }
}

function checkPatterns(patterns: readonly string[], mounts: WireScratch["mounts"]): void {
  for (const text of patterns) {
    if (!isPlainPath(text) || !text.isWellFormed()) {
      refuse(
        `artifacts: ${JSON.stringify(text)} is no absolute pattern of names: write it as /tmp/*.csv, without ., .., NUL or doubled slashes`,
      );
    }
    const pattern = parseArtifactPattern(text);
    if (!mounts.some(({ guest }) => canGoOn(pattern, progressOf(pattern, guest)))) {
      refuse(
        `artifacts: ${text} matches nothing in a scratch mount: mount its directory with access "scratch", or change the pattern`,
      );
    }
  }
}

function refuse(message: string): never {
  throw new ScriptcellError("INVALID_OPTIONS", message);
}
