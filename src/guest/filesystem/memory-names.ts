import { Errno, Failure } from "./errno.ts";
import type { Listing } from "./filesystem.ts";
import type { MemoryNode } from "./memory-node.ts";

/** Bytes of the longest name, as on Linux. */
const MAX_NAME_BYTES = 255;

/** What is not a plain name is the host's own mistake; what is too long is the guest's. */
export function requirePlain(name: string): void {
  if (name === "" || name === "." || name === ".." || name.includes("/") || name.includes("\0")) {
    throw new Error("the filesystem was given something that is not a plain name");
  }
  // A character takes three bytes at most.
  if (name.length * 3 > MAX_NAME_BYTES && Buffer.byteLength(name) > MAX_NAME_BYTES) {
    throw new Failure(Errno.NAMETOOLONG);
  }
}

/** A part of a string keeps the whole of it alive: of a long path this keeps the name alone. */
export function ownCopy(text: string): string {
  return Buffer.from(text).toString();
}

/** The names in a directory, as they are asked for. */
export function listEntries(names: ReadonlyMap<string, MemoryNode>): Listing {
  // A Map's own iterator: it copes with names that come and go, and costs nothing to start.
  let entries: Iterator<[string, MemoryNode]> | undefined = names.entries();
  // No more than there were: who renames each name that is listed must come to an end.
  let left = names.size;
  return {
    next() {
      const found = left > 0 ? entries?.next() : undefined;
      left -= 1;
      if (found === undefined || found.done === true) return undefined;
      const [name, { inode, type }] = found.value;
      return { name, inode, type };
    },
    close() {
      entries = undefined;
    },
  };
}
