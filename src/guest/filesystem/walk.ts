import { Errno, Escape, Failure } from "./errno.ts";
import type { Directory } from "./filesystem.ts";

/** Symbolic links that one path may lead through, as on Linux. */
const MAX_LINKS = 40;
/** Directories that one path may be inside of at a time: each is an open descriptor of the cell while the path is walked. */
const MAX_DEPTH = 256;

/** A directory on a path, and the name that it was entered by. */
interface Step {
  name: string;
  directory: Directory;
}

/**
 * The way that the last path from a directory took: its first directories stay open, because the next path often leads through
 * them again. That they are open says nothing of where they are: each is asked for by its name on every walk.
 */
export class Trail {
  readonly start: Directory;
  readonly #maxKept: number;
  #kept: Step[] = [];

  /** `maxKept` directories at most stay open between walks. The start is not closed with the trail. */
  constructor(start: Directory, maxKept: number) {
    this.start = start;
    this.#maxKept = maxKept;
  }

  /** Hands over what was kept. A second walk at the same time gets nothing: each has its own directories. */
  take(): Step[] {
    const kept = this.#kept;
    this.#kept = [];
    return kept;
  }

  /** Keeps the first directories of a walk that has ended, instead of another's that ended meanwhile. */
  keep(steps: Step[]): void {
    closeFrom(this.#kept, 0);
    closeFrom(steps, this.#maxKept);
    this.#kept = steps;
  }

  close(): void {
    closeFrom(this.#kept, 0);
  }
}

/**
 * Walks a path from a directory, one component at a time, and never above it: `..` goes back to the directory that the walk
 * came through, not to whatever the disk now calls its parent, and the target of a symbolic link is walked like the path itself.
 *
 * `next` stops before the last component, for the caller to do with that name what it came for. Where the path ends in a
 * slash, `.` or `..`, it stands for `current` itself and there is no such name.
 */
export class Walk {
  readonly #trail: Trail;
  /** Components still to walk, the next one last. */
  readonly #ahead: string[] = [];
  /** The directories that the walk is inside of, `#depth` of them, and beyond them those that were on the way before. */
  readonly #steps: Step[];
  #depth = 0;
  #links = 0;

  constructor(trail: Trail, path: string) {
    this.#trail = trail;
    pushComponents(this.#ahead, path, "the path is absolute");
    this.#steps = trail.take();
  }

  /** The directory that the walk is in. It is open until the walk is closed. */
  get current(): Directory {
    return this.#steps[this.#depth - 1]?.directory ?? this.#trail.start;
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
    pushComponents(this.#ahead, target, "a symbolic link on it is absolute");
  }

  /** Leaves the directories that the walk opened to the trail. */
  close(): void {
    this.#trail.keep(this.#steps);
  }

  #enter(name: string): void {
    if (this.#depth === MAX_DEPTH) throw new Failure(Errno.NAMETOOLONG);
    const before = this.#steps[this.#depth];
    const found = this.current.enter(name, before?.name === name ? before.directory : undefined);
    if (found.kind === "link") {
      this.follow(found.target);
      return;
    }
    if (found !== before?.directory) {
      closeFrom(this.#steps, this.#depth);
      this.#steps.push({ name, directory: found });
    }
    this.#depth += 1;
  }

  #leave(): void {
    if (this.#depth === 0) throw new Escape("it leads out of the directory it starts at");
    this.#depth -= 1;
  }
}

function closeFrom(steps: Step[], index: number): void {
  if (steps.length <= index) return;
  for (const { directory } of steps.splice(index)) directory.close();
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

/** Puts the components of a path before those that are ahead; a trailing slash is one more `.`, since both ask for a directory. */
function pushComponents(ahead: string[], path: string, absolute: string): void {
  if (path === "") throw new Failure(Errno.NOENT);
  if (path.startsWith("/")) throw new Escape(absolute);
  if (path.endsWith("/")) ahead.push(".");
  for (let end = path.length; end > 0; ) {
    const start = path.lastIndexOf("/", end - 1) + 1;
    if (start < end) ahead.push(path.slice(start, end));
    end = start - 1;
  }
}
