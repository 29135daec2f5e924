import { Errno, Escape } from "../filesystem/errno.ts";
import type { DirectoryDescriptor, Mount } from "./descriptors.ts";
import { Refusal } from "./refusal.ts";

/** Characters of a path that are told in a denial. */
const MAX_TOLD = 256;

/** The path as the guest would write it from the root, for what is said about it. */
export function toldPath(base: DirectoryDescriptor, path: string): string {
  if (path.startsWith("/")) return path.slice(0, MAX_TOLD);
  const start = base.path.endsWith("/") ? base.path : `${base.path}/`;
  return (path === "." ? base.path : start + path).slice(0, MAX_TOLD);
}

/** Refuses a change below a mount that is for reading. */
export function requireWritable(mount: Mount, target: string): void {
  if (mount.preopen.access === "read-write") return;
  throw new Refusal(
    Errno.PERM,
    target,
    `${mount.guest} is mounted for reading`,
    mount.preopen.kind === "memory" ? 'mounts[].access: "scratch"' : 'mounts[].access: "read-write"',
  );
}

/** Does something with a path; a path that leads out of the mount is refused and told. */
export function withinMount<Result>(base: DirectoryDescriptor, path: string, body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    if (error instanceof Escape) {
      throw new Refusal(
        error.errno,
        toldPath(base, path),
        `no mount holds this path: ${error.reason}`,
        "mounts",
      );
    }
    throw error;
  }
}
