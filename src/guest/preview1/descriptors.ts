import { Errno, Failure } from "../filesystem/errno.ts";
import type { Directory, File } from "../filesystem/filesystem.ts";
import type { Position } from "../filesystem/position.ts";
import { Trail } from "../filesystem/walk.ts";
import type { MountBudget } from "./budget.ts";
import type { DirectoryReader } from "./directory-reader.ts";
import type { OpenPreopen } from "./preopens.ts";
import { Refusal } from "./refusal.ts";
import { DIRECTORY_RIGHTS, FILE_RIGHTS, INPUT_RIGHTS, OUTPUT_RIGHTS, Right } from "./rights.ts";

interface Rights {
  /** What may be done with the descriptor, and with what is opened through it. */
  rights: number;
  inheriting: number;
}

/** A mount, as one run sees it. */
export interface Mount extends MountBudget {
  preopen: OpenPreopen;
}

export interface InputDescriptor extends Rights {
  kind: "input";
}

export interface OutputDescriptor extends Rights {
  kind: "output";
  stream: "stdout" | "stderr";
}

export interface DirectoryDescriptor extends Rights {
  kind: "directory";
  directory: Directory;
  /** Where paths from it are walked. */
  trail: Trail;
  mount: Mount;
  /** The guest path it was opened by: for what is said about it, never for access. */
  path: string;
  /** Whether it is the mount itself, whose handle belongs to the cell. */
  preopened: boolean;
  reader: DirectoryReader | undefined;
}

export interface FileDescriptor extends Rights {
  kind: "file";
  file: File;
  mount: Mount;
  path: string;
  /** The descriptor flags that the guest set. */
  flags: number;
  position: Position;
  /** The file is at least this long, or its bytes up to here were counted: writing inside leaves no uncounted gap. */
  reach: Position;
}

export type Descriptor = InputDescriptor | OutputDescriptor | DirectoryDescriptor | FileDescriptor;

const FIRST_PREOPEN = 3;

/** Directories that stay open between two paths below one mount. Each is a descriptor of the cell. */
const KEPT_DIRECTORIES = 8;

/** The descriptors of one run. 0 to 2 are its own streams, never those of the cell. */
export class Descriptors {
  readonly #slots: (Descriptor | undefined)[];
  readonly #maxOpen: number;
  #open = 0;
  /** No number below it, and from FIRST_PREOPEN on, is free. */
  #lowestFree = FIRST_PREOPEN;

  constructor(preopens: readonly OpenPreopen[], maxOpen: number) {
    this.#maxOpen = maxOpen;
    this.#slots = [
      { kind: "input", rights: INPUT_RIGHTS, inheriting: INPUT_RIGHTS },
      { kind: "output", stream: "stdout", rights: OUTPUT_RIGHTS, inheriting: OUTPUT_RIGHTS },
      { kind: "output", stream: "stderr", rights: OUTPUT_RIGHTS, inheriting: OUTPUT_RIGHTS },
    ];
    for (const preopen of preopens) {
      this.#slots.push({
        kind: "directory",
        directory: preopen.directory,
        trail: new Trail(preopen.directory, preopen.kind === "disk" ? KEPT_DIRECTORIES : 0),
        mount: {
          preopen,
          guest: preopen.guest,
          bytes: preopen.maxBytes,
          counted: preopen.kind !== "memory",
        },
        path: preopen.guest,
        preopened: true,
        reader: undefined,
        rights: DIRECTORY_RIGHTS,
        inheriting: DIRECTORY_RIGHTS | FILE_RIGHTS,
      });
    }
  }

  /** What stands at a number, the root of nothing included. */
  find(fd: number): Descriptor | undefined {
    return this.#slots[fd];
  }

  get(fd: number): Descriptor {
    const descriptor = this.#slots[fd];
    if (descriptor === undefined || isRootOfNothing(descriptor)) throw new Failure(Errno.BADF);
    return descriptor;
  }

  /** The descriptor, if it has every one of `rights`. */
  capable(fd: number, rights: number): Descriptor {
    const descriptor = this.get(fd);
    requireRights(descriptor, rights);
    return descriptor;
  }

  /** A regular file; `EBADF` for anything else. */
  file(fd: number, rights: number): FileDescriptor {
    const descriptor = this.get(fd);
    if (descriptor.kind !== "file") throw new Failure(Errno.BADF);
    requireRights(descriptor, rights);
    return descriptor;
  }

  /** A file with a position; `ESPIPE` for a stream. */
  seekable(fd: number, rights: number): FileDescriptor {
    const { kind } = this.get(fd);
    if (kind === "input" || kind === "output") throw new Failure(Errno.SPIPE);
    return this.file(fd, rights);
  }

  /** A directory; `ENOTDIR` for a file and `EBADF` for a stream. */
  directory(fd: number, rights: number): DirectoryDescriptor {
    const descriptor = this.find(fd) ?? this.get(fd);
    if (descriptor.kind !== "directory") {
      throw new Failure(descriptor.kind === "file" ? Errno.NOTDIR : Errno.BADF);
    }
    requireRights(descriptor, rights);
    return descriptor;
  }

  /** Checks that one more descriptor may be opened. */
  allowOne(target: string): void {
    if (this.#open < this.#maxOpen) return;
    throw new Refusal(
      Errno.MFILE,
      target,
      "as many files and directories are open as may be",
      "limits.openFiles",
    );
  }

  /** Gives a descriptor the lowest free number that is not one of the streams'. */
  add(descriptor: DirectoryDescriptor | FileDescriptor): number {
    while (this.#slots[this.#lowestFree] !== undefined) this.#lowestFree += 1;
    this.#slots[this.#lowestFree] = descriptor;
    this.#open += 1;
    return this.#lowestFree;
  }

  close(fd: number): void {
    const descriptor = this.get(fd);
    this.#free(fd);
    this.#release(descriptor);
  }

  /** Moves `from` to the number `to`, closing what was there. */
  renumber(from: number, to: number): void {
    const descriptor = this.get(from);
    const replaced = this.get(to);
    if (from === to) return;
    this.#slots[to] = descriptor;
    this.#free(from);
    this.#release(replaced);
  }

  closeAll(): void {
    for (const [fd, descriptor] of this.#slots.entries()) {
      this.#slots[fd] = undefined;
      if (descriptor !== undefined) this.#release(descriptor);
    }
  }

  #free(fd: number): void {
    this.#slots[fd] = undefined;
    if (fd >= FIRST_PREOPEN && fd < this.#lowestFree) this.#lowestFree = fd;
  }

  #release(descriptor: Descriptor): void {
    if (descriptor.kind === "directory") {
      descriptor.reader?.close();
      descriptor.trail.close();
      if (descriptor.preopened) return;
      this.#open -= 1;
      descriptor.directory.close();
    } else if (descriptor.kind === "file") {
      this.#open -= 1;
      descriptor.file.close();
    }
  }
}

/** The root of nothing answers for paths; by its number it is no descriptor. */
function isRootOfNothing(descriptor: Descriptor): boolean {
  return (
    descriptor.kind === "directory" && descriptor.preopened && descriptor.mount.preopen.kind === "nothing"
  );
}

function requireRights(descriptor: Descriptor, rights: number): void {
  const missing = rights & ~descriptor.rights;
  if (missing === 0) return;
  // Reading or writing a descriptor that was not opened for it is POSIX's EBADF; the rest can only be missing because it was dropped.
  const mode = Right.FD_READ | Right.FD_WRITE;
  throw new Failure((missing & mode) !== 0 ? Errno.BADF : Errno.NOTCAPABLE);
}
