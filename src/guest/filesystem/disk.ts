import { fs } from "../builtins.ts";
import { accessFlags, DiskFile } from "./disk-file.ts";
import { listDirectory } from "./disk-listing.ts";
import { DIRECTORY, DIRECTORY_ITSELF, openFound } from "./disk-open.ts";
import { descriptorPath, leave, lookInto, pathIn } from "./disk-path.ts";
import { createStatReader, lookAt, type StatReader, toSystemTime } from "./disk-stat.ts";
import { attempt, Errno, Failure } from "./errno.ts";
import type {
  Directory,
  File,
  Link,
  Listing,
  NodeStat,
  OpenMode,
  Special,
  TimeChange,
} from "./filesystem.ts";
import { decodeName } from "./names.ts";

const {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
} = fs;

/**
 * The disk, reached only as `/proc/self/fd/N/name`, or as `name` where `N` is the working directory: the kernel starts at a
 * directory that is already open and is given one name, so whatever others rename or link meanwhile, no step can leave that
 * directory. A path that always leads to the directory is as good a start, and a quicker one. Linux only.
 */

/**
 * Opens a host directory, whose path the caller has chosen and may lead over links. Throws the system's error where that
 * fails, and an error that names /proc where the directory could not be used afterwards. The path is `fixed` where it always
 * leads to this directory: no component of it is a link, and none can be moved or replaced.
 */
export function openDiskDirectory(path: string, place: "fixed" | "movable" = "movable"): Directory {
  const fixedPath = place === "fixed" ? path : undefined;
  const directory = new DiskDirectory(openSync(path, DIRECTORY), createStatReader(), fixedPath);
  try {
    directory.reopen().close();
    return directory;
  } catch (error) {
    directory.close();
    throw new Error("mounts need /proc, and /proc/self/fd cannot be used here", { cause: error });
  }
}

class DiskDirectory implements Directory {
  readonly kind = "directory";
  readonly #stats: StatReader;
  readonly #fixedPath: string | undefined;
  #fd: number;
  #identity: { dev: bigint; ino: bigint } | undefined;

  constructor(fd: number, stats: StatReader, fixedPath?: string) {
    this.#fd = fd;
    this.#stats = stats;
    this.#fixedPath = fixedPath;
  }

  reopen(): Directory {
    // No O_NOFOLLOW: the path is the kernel's own link to this very directory.
    const fd = attempt(() => openSync(this.#self(), DIRECTORY));
    return new DiskDirectory(fd, this.#stats, this.#fixedPath);
  }

  enter(name: string, before?: Directory): Directory | Link {
    if (before instanceof DiskDirectory && this.#holds(name, before)) return before;
    try {
      const fd = attempt(() => openSync(this.#at(name), DIRECTORY_ITSELF));
      return new DiskDirectory(fd, this.#stats);
    } catch (error) {
      if (!(error instanceof Failure && (error.errno === Errno.NOTDIR || error.errno === Errno.LOOP)))
        throw error;
      return this.#linkOr(name, Errno.NOTDIR);
    }
  }

  open(name: string, mode: OpenMode): File | Directory | Link | Special {
    const found = openFound(this.#towards(name), mode);
    switch (found.kind) {
      case "file":
        return new DiskFile(found.fd, this.#stats);
      case "directory":
        return new DiskDirectory(found.fd, this.#stats);
      case "symlink":
        return this.#linkOr(name, Errno.LOOP);
      case "special":
        return { kind: "special" };
    }
  }

  create(name: string, mode: OpenMode): File {
    const flags = accessFlags(mode) | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    return new DiskFile(
      attempt(() => openSync(this.#at(name), flags, 0o666)),
      this.#stats,
    );
  }

  stat(): NodeStat {
    return this.#stats.read(attempt(() => fstatSync(this.#open(), { bigint: true })));
  }

  statAt(name: string): NodeStat {
    return this.#stats.read(lookAt(this.#towards(name)));
  }

  setTimes(accessed: TimeChange, modified: TimeChange): void {
    attempt(() => utimesSync(this.#self(), toSystemTime(accessed), toSystemTime(modified)));
    this.#stats.remember(accessed, modified, () => fstatSync(this.#open(), { bigint: true }));
  }

  setTimesAt(name: string, accessed: TimeChange, modified: TimeChange): void {
    attempt(() => lutimesSync(this.#at(name), toSystemTime(accessed), toSystemTime(modified)));
    this.#stats.remember(accessed, modified, () => lstatSync(this.#at(name), { bigint: true }));
  }

  readlink(name: string): string {
    const target = attempt(() => readlinkSync(this.#at(name), { encoding: "buffer" }));
    return decodeName(target);
  }

  list(): Listing {
    return listDirectory(this.#self());
  }

  mkdir(name: string): void {
    attempt(() => mkdirSync(this.#at(name), 0o777));
  }

  rmdir(name: string): void {
    attempt(() => rmdirSync(this.#at(name)));
  }

  unlink(name: string): void {
    attempt(() => unlinkSync(this.#at(name)));
  }

  symlink(target: string, name: string): void {
    attempt(() => symlinkSync(target, this.#at(name)));
  }

  link(name: string, to: Directory, toName: string): void {
    const target = this.#inSameFilesystem(to).#at(toName);
    attempt(() => linkSync(this.#at(name), target));
  }

  rename(name: string, to: Directory, toName: string): void {
    const target = this.#inSameFilesystem(to).#at(toName);
    attempt(() => renameSync(this.#at(name), target));
  }

  close(): void {
    if (this.#fd === -1) return;
    leave(this.#fd);
    closeSync(this.#fd);
    this.#fd = -1;
  }

  /** Whether a name stands for the directory that `entered` has open. Its inode is no other's for as long as it is open. */
  #holds(name: string, entered: DiskDirectory): boolean {
    const { dev, ino } = lookAt(this.#at(name));
    entered.#identity ??= attempt(() => fstatSync(entered.#open(), { bigint: true }));
    return entered.#identity.ino === ino && entered.#identity.dev === dev;
  }

  #open(): number {
    if (this.#fd === -1) throw new Error("a directory was used after it was closed");
    return this.#fd;
  }

  #self(): string {
    return descriptorPath(this.#open());
  }

  /** The one place where a name becomes a path. What is not a plain name is the host's own mistake and never reaches the disk. */
  #at(name: string): string {
    if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0")) {
      throw new Error("the disk was given something that is not a plain name");
    }
    const fd = this.#open();
    return this.#fixedPath === undefined ? pathIn(fd, name) : `${this.#fixedPath}/${name}`;
  }

  /** The same on the way to look at it: where one name is looked at, others will be. */
  #towards(name: string): string {
    if (this.#fixedPath === undefined) lookInto(this.#open());
    return this.#at(name);
  }

  #linkOr(name: string, errno: number): Link {
    try {
      return { kind: "link", target: this.readlink(name) };
    } catch (error) {
      if (error instanceof Failure && error.errno === Errno.INVAL) throw new Failure(errno);
      throw error;
    }
  }

  #inSameFilesystem(other: Directory): DiskDirectory {
    if (other instanceof DiskDirectory) return other;
    throw new Failure(Errno.XDEV);
  }
}
