import { constants } from "node:fs";
import { type FileHandle, open, readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { ownerState } from "../owner.ts";

/** What the names of all workspaces begin with; their owner follows. */
export const WORKSPACE_PREFIX = "scriptcell-compile-";

/** A temporary directory is looked through again after this time at the earliest: it may be large. */
const SWEEP_EVERY_MS = 60_000;
/** Of an owner that cannot be asked for, a workspace is left alone for this long: many times what a compile may take. */
const MAX_AGE_ELSEWHERE_MS = 7 * 24 * 3_600_000;

const sweptAt = new Map<string, number>();

/**
 * Removes the workspaces of processes that are gone: a process that is killed cannot do so itself. Those of a process that
 * runs are never touched, nor is anything that another user made. What cannot be removed is left: it is no fault of the compile.
 */
export async function sweepWorkspaces(temporary: string): Promise<void> {
  const now = performance.now();
  const last = sweptAt.get(temporary);
  if (last !== undefined && now - last < SWEEP_EVERY_MS) return;
  sweptAt.set(temporary, now);
  const names = await readdir(temporary).catch(() => []);
  const workspaces = names.filter((name) => name.startsWith(WORKSPACE_PREFIX));
  await Promise.all(workspaces.map((name) => removeAbandoned(temporary, name).catch(() => {})));
}

async function removeAbandoned(temporary: string, name: string): Promise<void> {
  const state = await ownerState(name.slice(WORKSPACE_PREFIX.length));
  if (state !== "gone" && state !== "elsewhere") return;
  const path = join(temporary, name);
  // Others can write to a temporary directory: what is emptied is what was opened and looked at, whatever has its name by then.
  await using directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  const { uid, mtimeMs } = await directory.stat();
  if (uid !== process.getuid?.()) return;
  if (state === "elsewhere" && Date.now() - mtimeMs < MAX_AGE_ELSEWHERE_MS) return;
  await empty(directory);
  await rmdir(path);
}

/** Nobody but this user can change what is inside: workspaces are made so. */
async function empty(directory: FileHandle): Promise<void> {
  const inside = `/proc/self/fd/${directory.fd}`;
  for (const name of await readdir(inside)) await rm(join(inside, name), { recursive: true, force: true });
}
