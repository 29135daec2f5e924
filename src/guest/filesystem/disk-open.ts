import { fs } from "../builtins.ts";
import { accessFlags } from "./disk-file.ts";
import { descriptorPath } from "./disk-path.ts";
import { lookAt, nodeType } from "./disk-stat.ts";
import { attempt } from "./errno.ts";
import type { OpenMode } from "./filesystem.ts";

const { closeSync, constants, fstatSync, openSync } = fs;

/** Opens an inode as a mere reference: nothing is read, no permission on it is needed, and no device or FIFO notices. */
const O_PATH = 0o10000000;
const REFERENCE = O_PATH | constants.O_NOFOLLOW;

/** Opens a directory, over links where the path leads over any. */
export const DIRECTORY = O_PATH | constants.O_DIRECTORY;
/** Opens a directory and nothing else. */
export const DIRECTORY_ITSELF = REFERENCE | constants.O_DIRECTORY;

/** What was found at a path, a regular file or directory with a descriptor of it. */
export type Found = { kind: "file" | "directory"; fd: number } | { kind: "symlink" | "special" };

/** Opens a regular file for use and a directory as a reference; anything else is not even touched. */
export function openFound(path: string, mode: OpenMode): Found {
  // Also because guests open much that is not there, to make it: Node would make an error of each.
  const type = nodeType(Number(lookAt(path).mode));
  // Of what is emptied it must be known before what it is.
  const fd = type === "file" && !mode.truncate ? openKnownFile(path, mode) : undefined;
  return fd === undefined ? openByReference(path, mode) : { kind: "file", fd };
}

/**
 * The short way for what is most often opened: a path at which there was a regular file a moment ago. Whoever puts something
 * else there in that moment has it opened, which neither waits, nor follows a link, nor takes a terminal, and closed again.
 * Undefined where this way does not lead to a file; why is then said by the other.
 */
function openKnownFile(path: string, mode: OpenMode): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, accessFlags(mode) | constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
  let isFile = false;
  try {
    isFile = nodeType(attempt(() => fstatSync(fd)).mode) === "file";
    return isFile ? fd : undefined;
  } finally {
    if (!isFile) closeSync(fd);
  }
}

/** The way that knows what it opens: it holds on to the inode, looks what that is, and opens that very inode. */
function openByReference(path: string, mode: OpenMode): Found {
  const reference = attempt(() => openSync(path, REFERENCE));
  let kept = false;
  try {
    const type = nodeType(attempt(() => fstatSync(reference)).mode);
    switch (type) {
      case "file":
        return { kind: type, fd: attempt(() => openSync(descriptorPath(reference), accessFlags(mode))) };
      case "directory":
        kept = true;
        return { kind: type, fd: reference };
      case "symlink":
        return { kind: type };
      default:
        return { kind: "special" };
    }
  } finally {
    if (!kept) closeSync(reference);
  }
}
