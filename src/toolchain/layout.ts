import { join } from "node:path";

/**
 * Where things lie below the cache directory. Every path of the toolchain is made here; a change of format changes
 * the version, so that an older scriptcell and a newer one share a cache directory without reading each other's files.
 */
const VERSION = "v1";

/** Everything that `setup` makes and `find` reads. */
export interface ToolchainLayout {
  /** The directory that holds all below. */
  base: string;
  /** Names the complete toolchain. Written last, by a rename: what it does not name does not exist. */
  toolchainPointer: string;
  /** Names the complete copy of bubblewrap, in the same way. */
  bubblewrapPointer: string;
  /** What `rustc -vV` and the like said, by path, size and modification time. */
  probes: string;
  /** Held while a set-up runs. */
  lock: string;
  /** apt's lists and downloads: kept when a set-up is interrupted, removed when it succeeds. */
  work: string;
}

/** Directories below `base` that start with this hold unpacked packages. */
export const INSTALLATION_PREFIX = "install-";

/** The paths below one cache directory. */
export function toolchainLayout(cacheDir: string): ToolchainLayout {
  const base = join(cacheDir, "toolchain", VERSION);
  return {
    base,
    toolchainPointer: join(base, "toolchain.json"),
    bubblewrapPointer: join(base, "bubblewrap.json"),
    probes: join(base, "probes.json"),
    lock: join(base, "setup.lock"),
    work: join(base, "work"),
  };
}
