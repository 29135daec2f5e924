import { Errno, Escape, Failure } from "./errno.ts";
import type { Directory } from "./filesystem.ts";

/** Symbolic links that one path may lead through, as on Linux. */
const MAX_LINKS = 40;
/** Directories that one path may be inside of at a time: each is an open descriptor of the cell while the path is walked. */
const MAX_DEPTH = 256;

/**
 * Walks a path from a directory, one component at a time, and never above it: `..` goes back to the directory that the walk
 * came through, not to whatever the disk now calls its parent, and the target of a symbolic link is walked like the path itself.
 *
 * `next` stops before the last component, for the caller to do with that name what it came for. Where the path ends in a
 * slash, `.` or `..`, it stands for `current` itself and there is no such name.
 */
export class Walk {
  readonly #start: Directory;
  readonly #entered: Directory[] = [];
  /** Components still to walk, the next one last. */
  readonly #ahead: string[];
  #links = 0;

  constructor(start: Directory, path: string) {
    this.#start = start;
    this.#ahead = components(path, "the path is absolute").reverse();
  }

  /** The directory that the walk is in; the walk closes it. */
  get current(): Directory {
    return this.#entered.at(-1) ?? this.#start;
  }

  /** Walks on; returns the last component, or undefined where the path stands for `current` itself. */
  next(): string | undefined {
    for (;;) {
      const component = this.#ahead.pop();
      if (component === undefined) return undefined;
      if (component === ".") continue;
      if (component === "..") this.#leave();
      else if (this.#ahead.length === 0) return component;
      else this.#enter(component);
    }
  }

  /** Walks on to where a symbolic link in `current` leads: after `next` gave its name. */
  follow(target: string): void {
    this.#links += 1;
    if (this.#links > MAX_LINKS) throw new Failure(Errno.LOOP);
    this.#ahead.push(...components(target, "a symbolic link on it is absolute").reverse());
  }

  /** Closes every directory that the walk opened. */
  close(): void {
    for (const directory of this.#entered.splice(0)) directory.close();
  }

  #enter(name: string): void {
    if (this.#entered.length === MAX_DEPTH) throw new Failure(Errno.NAMETOOLONG);
    const found = this.current.enter(name);
    if (found.kind === "link") this.follow(found.target);
    else this.#entered.push(found);
  }

  #leave(): void {
    const left = this.#entered.pop();
    if (left === undefined) throw new Escape("it leads out of the directory it starts at");
    left.close();
  }
}

/** A path whose last component is a name to make, remove or rename: that component is not followed. */
export interface Place {
  /** The path of the directory that holds the name. */
  parent: string;
  /** The name, or undefined where the path ends in `.` or `..`. */
  name: string | undefined;
  /** Whether the path ends in a slash: it then stands for a directory only. */
  slash: boolean;
}

/** Splits the last component from a path. */
export function placeOf(path: string): Place {
  if (path === "") throw new Failure(Errno.NOENT);
  let end = path.length;
  while (path.endsWith("/", end)) end -= 1;
  const bare = path.slice(0, end);
  if (bare === "") throw new Escape("the path is absolute");
  const cut = bare.lastIndexOf("/");
  const last = bare.slice(cut + 1);
  const named = last !== "." && last !== "..";
  return {
    // A last `..` is still walked, so that a path that leads out is refused as such and not for its form.
    parent: named ? bare.slice(0, cut + 1) || "." : bare,
    name: named ? last : undefined,
    slash: bare !== path,
  };
}

/** The components of a path; a trailing slash is one more `.`, since both ask for a directory. */
function components(path: string, absolute: string): string[] {
  if (path === "") throw new Failure(Errno.NOENT);
  if (path.startsWith("/")) throw new Escape(absolute);
  const names = path.split("/").filter((component) => component !== "");
  if (path.endsWith("/")) names.push(".");
  return names;
}
