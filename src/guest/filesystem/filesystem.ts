import type { Position } from "./position.ts";

/**
 * The small filesystem that the preview 1 host stands on. An implementation knows open directories and plain names,
 * and nothing of paths: a name is never empty, `.` or `..` and holds no slash, and no method follows a symbolic link.
 * Paths are walked once, above it, in walk.ts. Every method throws `Failure` with the error number that POSIX gives.
 */

/** What a name stands for. */
export type NodeType =
  | "file"
  | "directory"
  | "symlink"
  | "block-device"
  | "character-device"
  | "socket"
  | "other";

/** Facts about a file or directory. Times are nanoseconds since 1970. */
export interface NodeStat {
  device: bigint;
  inode: bigint;
  type: NodeType;
  links: bigint;
  /** Bytes. */
  size: bigint;
  accessedNs: bigint;
  modifiedNs: bigint;
  changedNs: bigint;
}

/** What becomes of a timestamp: nanoseconds since 1970, the present, or what it was. */
export type TimeChange = bigint | "now" | "keep";

/** How a file is opened. */
export interface OpenMode {
  read: boolean;
  write: boolean;
  /** Empties an existing file; needs no `write`. */
  truncate: boolean;
}

/** A symbolic link that was met where a file or directory was asked for. */
export interface Link {
  kind: "link";
  target: string;
}

/** A device, FIFO or socket that was met: it was not even touched. */
export interface Special {
  kind: "special";
}

/** Something open. Closing it twice is harmless; using it after that is an error of the host. */
export interface Handle {
  stat(): NodeStat;
  setTimes(accessed: TimeChange, modified: TimeChange): void;
  close(): void;
}

/** An open regular file. It has no position of its own. */
export interface File extends Handle {
  readonly kind: "file";
  /** Reads up to `length` bytes to `into[start]`; 0 at the end of the file. */
  read(into: Uint8Array, start: number, length: number, position: Position): number;
  /** Writes up to `length` bytes; returns how many. */
  write(from: Uint8Array, start: number, length: number, position: Position): number;
  /** Writes at the end of the file, wherever that is by then. */
  append(from: Uint8Array, start: number, length: number): number;
  size(): bigint;
  /** Cuts the file, or extends it with zeros. */
  truncate(size: bigint): void;
  /** Waits until the data, or all that there is to know of the file, is on the disk. */
  sync(what: "data" | "all"): void;
}

/** One name in a directory. */
export interface DirectoryEntry {
  name: string;
  inode: bigint;
  type: NodeType;
}

/** The names in a directory, without `.` and `..`, read as they are asked for. */
export interface Listing {
  /** The next entry, or undefined after the last. */
  next(): DirectoryEntry | undefined;
  close(): void;
}

/** An open directory. */
export interface Directory extends Handle {
  readonly kind: "directory";
  /** Opens this directory once more: a handle with a life of its own. */
  reopen(): Directory;
  /**
   * Opens a directory inside this one. `ENOTDIR` for anything else but a link. `before` is what the name was entered as
   * earlier: where it still stands for that very directory, that handle may be given back instead of a new one.
   */
  enter(name: string, before?: Directory): Directory | Link;
  /** Opens a file or a directory, and nothing else. */
  open(name: string, mode: OpenMode): File | Directory | Link | Special;
  /** Makes a file and opens it. `EEXIST` where the name is taken, even by a link to nothing. */
  create(name: string, mode: OpenMode): File;
  statAt(name: string): NodeStat;
  setTimesAt(name: string, accessed: TimeChange, modified: TimeChange): void;
  readlink(name: string): string;
  list(): Listing;
  mkdir(name: string): void;
  rmdir(name: string): void;
  unlink(name: string): void;
  symlink(target: string, name: string): void;
  /** Gives a file a second name. `EXDEV` where the other directory is of another filesystem. */
  link(name: string, to: Directory, toName: string): void;
  rename(name: string, to: Directory, toName: string): void;
}
