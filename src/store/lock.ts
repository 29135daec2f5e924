import { lstat, lutimes, readlink, rename, symlink, unlink } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { newOwner, ownerIsGone } from "../owner.ts";
import { hasErrorCode, isSystemError } from "../system-error.ts";

// A lock spares work and guards nothing: two compiles of one key write the same entry, each of them whole. So wherever a
// lock cannot be had or judged, going on without one is right, and the rare race in taking over a dead owner's lock costs
// one compile. The lock is a dangling symbolic link because that is made, with its owner inside, in one step.

/** The owner says this often that it is still at it … */
const HEARTBEAT_MS = 3_000;
/** … and a lock that has been silent for this long is nobody's: its owner died on another machine, or stands still. */
const SILENCE_MS = 20_000;

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 50;

/** How {@link acquireLock} ended. */
export interface LockTurn {
  /**
   * Lets the others in. Does nothing where there is no lock to be had here, the wait ran out, or another held the lock and
   * let go of it: then what it made should be there, and where it is not, the others need not queue to fail one by one.
   */
  release(): Promise<void>;
}

const NO_LOCK: LockTurn = { release: async () => {} };

/**
 * Takes the lock, or waits until the process that has it lets go or dies, `waitMs` at most.
 * Rejects with the signal's reason when it is aborted; never for what the file system says.
 */
export async function acquireLock(path: string, waitMs: number, signal: AbortSignal): Promise<LockTurn> {
  const own = newOwner();
  const until = performance.now() + waitMs;
  let pauseMs = FIRST_PAUSE_MS;
  let waited = false;
  try {
    for (;;) {
      if (!waited && (await take(path, own))) return holdLock(path, own);
      const holder = await readHolder(path);
      if (holder === undefined) {
        if (waited) return NO_LOCK;
        continue;
      }
      if (await ownerIsGone(holder.owner, holder.sinceMs, SILENCE_MS)) {
        await breakLock(path, holder.owner);
        waited = false;
        continue;
      }
      if (performance.now() >= until) return NO_LOCK;
      waited = true;
      await sleep(pauseMs, undefined, { signal });
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (isSystemError(error)) return NO_LOCK;
    throw error;
  }
}

/** Removes the lock if its owner is gone. True where it was. */
export async function removeStaleLock(path: string): Promise<boolean> {
  try {
    const holder = await readHolder(path);
    if (holder === undefined || !(await ownerIsGone(holder.owner, holder.sinceMs, SILENCE_MS))) return false;
    await breakLock(path, holder.owner);
    return true;
  } catch (error) {
    // No link: nothing that a store made.
    if (hasErrorCode(error, "EINVAL")) return false;
    throw error;
  }
}

function holdLock(path: string, own: string): LockTurn {
  const heartbeat = setInterval(() => {
    lutimes(path, new Date(), new Date()).catch(() => undefined);
  }, HEARTBEAT_MS).unref();
  return {
    async release() {
      clearInterval(heartbeat);
      await letGo(path, own);
    },
  };
}

async function take(path: string, own: string): Promise<boolean> {
  try {
    await symlink(own, path);
    return true;
  } catch (error) {
    if (hasErrorCode(error, "EEXIST")) return false;
    throw error;
  }
}

/** Rejects where something else than a lock is in the way. */
async function readHolder(path: string): Promise<{ owner: string; sinceMs: number } | undefined> {
  try {
    return { owner: await readlink(path), sinceMs: (await lstat(path)).mtimeMs };
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

async function letGo(path: string, own: string): Promise<void> {
  try {
    if ((await readHolder(path))?.owner === own) await unlink(path);
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/**
 * Removes the lock of an owner that was found gone. Two can find so at once: moving the lock aside first makes only one of
 * them the one who removes it.
 */
export async function breakLock(path: string, owner: string): Promise<void> {
  const aside = `${path}.${newOwner()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return;
    throw error;
  }
  const moved = await readHolder(aside);
  // The other one was faster, and this is its new lock: it goes back, unless a third has the place by now.
  if (moved !== undefined && moved.owner !== owner) await take(path, moved.owner);
  await unlink(aside);
}
