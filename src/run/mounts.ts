import { realpathSync, statSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import type { HostMount } from "../capabilities.ts";
import { ScriptcellError } from "../errors.ts";
import type { WireMount } from "./protocol.ts";

/** A caller's mount, resolved. */
export interface ResolvedMount extends WireMount {
  /** Device and inode. A cell keeps its directories open, so another directory that has come to the same path needs another cell. */
  identity: string;
}

/** Kernel interfaces: what is in them is not files. */
const KERNEL_TREES = ["/proc", "/sys", "/dev"];

/**
 * Resolves a caller's mounts for a cell: host directories made absolute and free of symlinks, guest paths normalised.
 * @throws ScriptcellError MOUNT_REFUSED, INVALID_OPTIONS
 */
export function resolveMounts(mounts: readonly HostMount[], cacheDir: string): ResolvedMount[] {
  if (mounts.length > 0 && process.platform !== "linux") {
    throw new ScriptcellError(
      "MOUNT_REFUSED",
      `host directories cannot be confined on ${process.platform}: run on Linux, or give the data as files and use scratch mounts`,
    );
  }
  if (mounts.length === 0) return [];
  const homes = [...new Set(homeDirectories())].map(realpathOf);
  const cache = realpathOf(cacheDir);
  const seen = new Set<string>();
  return mounts.map((mount) => {
    const guest = guestPath(mount.guest);
    if (seen.has(guest))
      throw new ScriptcellError(
        "INVALID_OPTIONS",
        `two mounts at ${guest}: give each a guest path of its own`,
      );
    seen.add(guest);
    return {
      ...hostDirectory(mount.host, homes, cache),
      guest,
      access: mount.access ?? "read",
      maxBytes: mount.maxBytes ?? null,
    };
  });
}

/** The path at which a guest sees a mount, without needless slashes. */
export function guestPath(path: string): string {
  return path.replace(/\/+/g, "/").replace(/(?<=.)\/$/, "");
}

/** The directory free of symbolic links; `homes` and `cache` already are. */
function hostDirectory(
  host: string,
  homes: readonly string[],
  cache: string,
): Pick<ResolvedMount, "source" | "identity"> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new ScriptcellError("MOUNT_REFUSED", `cannot mount ${host}: ${why}`, { cause });
  };
  let directory: string;
  let identity: string;
  try {
    // Every run looks again, because a link may have changed; `native` is one call where the other is several for each part of a path.
    directory = realpathSync.native(resolve(host));
    const stat = statSync(directory, { bigint: true });
    identity = `${stat.dev}:${stat.ino}`;
    if (!stat.isDirectory()) refuse("it is not a directory; mount the directory that holds it");
  } catch (error) {
    if (error instanceof ScriptcellError) throw error;
    return refuse((error as Error).message, error);
  }
  for (const home of homes) {
    if (contains(directory, home))
      refuse("it holds the home directory; mount the one directory that the script needs");
  }
  for (const tree of KERNEL_TREES) {
    if (contains(tree, directory)) refuse(`${tree} is the kernel's and no place for files`);
  }
  if (contains(directory, cache) || contains(cache, directory)) {
    refuse("it holds scriptcell's own cache, or lies in it: a script could replace other scripts' modules");
  }
  return { source: directory, identity };
}

/** Whether `inner` is `outer` or lies below it; both are absolute and have nothing needless in them. */
function contains(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer === "/" ? outer : `${outer}/`);
}

/** What `HOME` names, and the account's own: each may hold keys. */
function homeDirectories(): string[] {
  const account = accountHome();
  return account === undefined ? [homedir()] : [homedir(), account];
}

/** By user: to look an account up is to read the system's list of them or to ask a server for it, and blocks. */
const accountHomes = new Map<number | undefined, string>();

function accountHome(): string | undefined {
  const user = process.geteuid?.();
  const known = accountHomes.get(user);
  if (known !== undefined) return known;
  try {
    const home = userInfo().homedir;
    accountHomes.set(user, home);
    return home;
  } catch {
    // A user without an account, as in some containers. Not remembered: a server that did not answer may do so next time.
    return undefined;
  }
}

/** The path free of symbolic links, as far as it exists yet. */
function realpathOf(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync.native(absolute);
  } catch {
    const parent = dirname(absolute);
    return parent === absolute ? absolute : join(realpathOf(parent), basename(absolute));
  }
}
