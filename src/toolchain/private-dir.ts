import { lstat, mkdir } from "node:fs/promises";

/** Makes a directory, and the missing ones above it, that only this user can enter. */
export async function makePrivateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

/**
 * Whether nobody but this user (and root) can have changed what lies at `path`.
 * A compiler is started from the cache directory, so a file that a stranger could have put there counts as absent.
 */
export async function isOurs(path: string): Promise<boolean> {
  if (process.getuid === undefined) return true;
  try {
    const { uid, mode } = await lstat(path);
    return (uid === process.getuid() || uid === 0) && (mode & 0o022) === 0;
  } catch {
    return false;
  }
}
