import { lstat, mkdir, realpath } from "node:fs/promises";
import { ScriptcellError } from "../errors.ts";
import { hasErrorCode } from "../system-error.ts";
import { type StoreLayout, storeLayout } from "./layout.ts";
import { reasonForDistrust } from "./trust.ts";

/** Nobody else has any business in the store: scripts, too, may be secret. */
const PRIVATE_DIRECTORY = 0o700;

/** The store's directory, checked once for as long as the process lives. */
export interface StoreDirectory {
  /** As it was given. */
  readonly path: string;
  /**
   * Where things are; undefined where nothing was ever stored. Makes nothing.
   * @throws ScriptcellError `STORE_FAILED` where the directory must not be trusted.
   */
  find(): Promise<StoreLayout | undefined>;
  /**
   * Where things are; makes what is missing.
   * @throws ScriptcellError `STORE_FAILED` where the directory must not be trusted.
   */
  make(): Promise<StoreLayout>;
}

/** Touches nothing yet. */
export function storeDirectory(path: string): StoreDirectory {
  let checked: StoreLayout | undefined;

  async function find(): Promise<StoreLayout | undefined> {
    if (checked !== undefined) return checked;
    try {
      // Resolved once: the way to the directory is the user's choice, but it must not lead elsewhere later on.
      const resolved = await realpath(path);
      const layout = storeLayout(resolved);
      for (const needed of [resolved, layout.root]) await requireTrusted(needed);
      for (const spare of [layout.temporaries, layout.locks]) await requireTrusted(spare).catch(unlessAbsent);
      checked = layout;
      return layout;
    } catch (error) {
      if (hasErrorCode(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  async function make(): Promise<StoreLayout> {
    await makePrivate(path);
    const resolved = await realpath(path);
    // Before anything is made below it: in a stranger's directory nothing is written at all.
    await requireTrusted(resolved);
    const layout = storeLayout(resolved);
    for (const inner of [layout.root, layout.temporaries, layout.locks]) {
      await makePrivate(inner);
      await requireTrusted(inner);
    }
    checked = layout;
    return layout;
  }

  return { path, find, make };
}

/** Makes a directory for this user alone; one that exists stays as it is. */
export async function makePrivate(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: PRIVATE_DIRECTORY });
}

/** @throws ScriptcellError `STORE_FAILED` where it is no directory (a link to one is none), or others could write to it. */
export async function requireTrusted(path: string): Promise<void> {
  const stats = await lstat(path);
  const reason = stats.isDirectory() ? reasonForDistrust(stats) : "is not a directory";
  if (reason === undefined) return;
  throw new ScriptcellError(
    "STORE_FAILED",
    `The module store ${path} ${reason}: whoever can write there could run code in your cells. ` +
      "Choose a directory of your own, or make this one yours alone (chown, chmod 0700).",
  );
}

function unlessAbsent(error: unknown): void {
  if (!hasErrorCode(error, "ENOENT")) throw error;
}
