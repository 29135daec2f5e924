import type { Dir } from "node:fs";
import { fs } from "../builtins.ts";
import { nodeType } from "./disk-stat.ts";
import { attempt, Failure } from "./errno.ts";
import type { DirectoryEntry, Listing } from "./filesystem.ts";
import { decodeName } from "./names.ts";

const { lstatSync, opendirSync } = fs;

/** Names fetched from the system at a time. */
const BATCH = 128;

/** Reads a directory given by the path of its descriptor, a batch at a time: its size never matters. */
export function listDirectory(path: string): Listing {
  // The declared types know no buffer encoding, though Node does; a name that is not UTF-8 must not be misread as one that is.
  const directory = attempt(() =>
    opendirSync(path, { encoding: "buffer" as BufferEncoding, bufferSize: BATCH }),
  );
  let open = true;
  const close = (): void => {
    if (open) directory.closeSync();
    open = false;
  };
  return {
    next() {
      while (open) {
        const bytes = nextName(directory);
        if (bytes === undefined) {
          close();
          break;
        }
        const entry = describe(path, bytes);
        if (entry !== undefined) return entry;
      }
      return undefined;
    },
    close,
  };
}

function nextName(directory: Dir): Uint8Array | undefined {
  const found = attempt(() => directory.readSync());
  return found === null ? undefined : (found.name as unknown as Uint8Array);
}

/** The entry, or undefined where it has gone meanwhile or has a name that a guest could not say. */
function describe(path: string, bytes: Uint8Array): DirectoryEntry | undefined {
  try {
    const name = decodeName(bytes);
    const stats = attempt(() => lstatSync(`${path}/${name}`, { bigint: true }));
    return { name, inode: stats.ino, type: nodeType(Number(stats.mode)) };
  } catch (error) {
    if (error instanceof Failure) return undefined;
    throw error;
  }
}
