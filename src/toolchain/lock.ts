import { once } from "node:events";
import { execa } from "execa";
import { ScriptcellError } from "../errors.ts";

/** How to wait for the lock. */
export interface LockOptions {
  signal?: AbortSignal | undefined;
  /** Called once where somebody else holds the lock. */
  onWait: () => void;
}

/**
 * Runs `work` while holding a lock that no other process holds.
 *
 * The kernel holds it (flock), on behalf of a child that lives as long as the pipe from this process does: a lock
 * whose holder died, however it died, is free at once, and there is no stale file to judge by its age.
 * @throws ScriptcellError `SETUP_FAILED` where the lock cannot be taken; the signal's reason where it was aborted.
 */
export async function withLock<T>(file: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const { signal, onWait } = options;
  const holder = await takeLock(file, ["--nonblock"], signal);
  if (holder !== undefined) return await workThenRelease(holder, work);
  onWait();
  const waited = await takeLock(file, [], signal);
  if (waited === undefined)
    throw new ScriptcellError(
      "SETUP_FAILED",
      `the lock ${file} could not be taken: is it on a file system that supports flock?`,
    );
  return await workThenRelease(waited, work);
}

interface Holder {
  release(): Promise<void>;
}

/** Exit code of `flock --nonblock` when the lock is taken. */
const TAKEN = 75;

async function takeLock(
  file: string,
  flags: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Holder | undefined> {
  signal?.throwIfAborted();
  const child = execa(
    "flock",
    ["--exclusive", "--conflict-exit-code", `${TAKEN}`, ...flags, file, "sh", "-c", "echo; exec cat"],
    {
      reject: false,
      stdin: "pipe",
      stderr: "pipe",
      buffer: { stdout: false, stderr: true },
    },
  );
  // Only the wait can be aborted: killing flock while it holds the lock would leave the lock to its child.
  const stop = () => child.kill("SIGKILL");
  signal?.addEventListener("abort", stop, { once: true });
  const held = await Promise.race([once(child.stdout, "data").then(() => true), child.then(() => false)]);
  signal?.removeEventListener("abort", stop);
  if (held) {
    child.stdout.resume();
    return {
      release: async () => {
        child.stdin.end();
        await child;
      },
    };
  }
  if (signal?.aborted === true) throw signal.reason;
  const result = await child;
  if (result.exitCode === TAKEN) return undefined;
  throw new ScriptcellError(
    "SETUP_FAILED",
    `the lock ${file} could not be taken: ${result.stderr || result.shortMessage}`,
    { cause: result },
  );
}

async function workThenRelease<T>(holder: Holder, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await holder.release();
  }
}
