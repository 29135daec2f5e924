import { openDiskDirectory } from "../filesystem/disk.ts";
import type { Directory } from "../filesystem/filesystem.ts";
import { nowhere } from "../filesystem/nowhere.ts";
import type { Preopen } from "./preview1.ts";

/** A directory that every run of a cell finds open. */
export interface OpenPreopen {
  readonly guest: string;
  /** The guest path as the guest reads it. */
  readonly guestBytes: Uint8Array;
  readonly access: "read" | "read-write";
  readonly maxBytes: number;
  /** `memory` counts what it holds itself, `nothing` is the root of nothing. */
  readonly kind: "disk" | "memory" | "nothing";
  readonly directory: Directory;
}

/** The directories of a cell; they outlive its runs. */
export interface OpenPreopens {
  readonly list: readonly OpenPreopen[];
  close(): void;
}

/** Opens the directories of a cell, once. Throws the system's error where one cannot be opened, with none left open. */
export function openPreopens(preopens: readonly Preopen[]): OpenPreopens {
  if (preopens.length > 0 && process.platform !== "linux") {
    throw new Error(`mounts cannot be confined on ${process.platform}`);
  }
  const list: OpenPreopen[] = [];
  const close = (): void => {
    for (const { directory } of list) directory.close();
  };
  try {
    for (const { source, fixed, guest, access, maxBytes } of preopens) {
      list.push({
        guest,
        guestBytes: new TextEncoder().encode(guest),
        access,
        maxBytes: maxBytes ?? Number.POSITIVE_INFINITY,
        kind: "disk",
        directory: openDiskDirectory(source, fixed === true ? "fixed" : "movable"),
      });
    }
  } catch (error) {
    close();
    throw error;
  }
  return { list: withRoot(list), close };
}

/** The directories of one run: those of its cell, and those that it has in memory. */
export function withMemory(
  preopens: readonly OpenPreopen[],
  memory: readonly OpenPreopen[],
): readonly OpenPreopen[] {
  if (memory.length === 0) return preopens;
  return withRoot([...preopens.filter(({ kind }) => kind !== "nothing"), ...memory]);
}

function withRoot(list: readonly OpenPreopen[]): readonly OpenPreopen[] {
  return list.some(({ guest }) => guest === "/") ? list : [...list, rootOfNothing()];
}

/** Last, so that the first mount is descriptor 3 as programs expect. Changing it is refused by what it is, not as reading a mount is. */
function rootOfNothing(): OpenPreopen {
  return {
    guest: "/",
    guestBytes: new TextEncoder().encode("/"),
    access: "read-write",
    maxBytes: 0,
    kind: "nothing",
    directory: nowhere(),
  };
}
