import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { z } from "zod";
import { INSTALLATION_PREFIX, type ToolchainLayout } from "./layout.ts";
import { isOurs } from "./private-dir.ts";

// An installation is unpacked where it will stay, because the paths of its dynamic loader and libraries are written into
// its programs. What makes it exist is its pointer: a small file that is renamed into place when all else is done.

/** Makes the directory of a new installation; nothing finds it before `publish`. */
export async function newInstallation(layout: ToolchainLayout): Promise<string> {
  await mkdir(layout.base, { recursive: true, mode: 0o700 });
  return await mkdtemp(join(layout.base, INSTALLATION_PREFIX));
}

/** Makes an installation the one that is found, in one step. */
export async function publish(pointer: string, record: { directory: string }): Promise<void> {
  const temporary = `${pointer}.${randomUUID()}`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(JSON.stringify(record, null, 2));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, pointer);
}

/** The record of the published installation; undefined where there is none, or none that this user may trust. */
export async function readPointer<T extends { directory: string }>(
  pointer: string,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  try {
    const record = schema.parse(JSON.parse(await readFile(pointer, "utf8")));
    const base = join(pointer, "..");
    const trusted = await Promise.all([isOurs(base), isOurs(pointer), isOurs(record.directory)]);
    // A cache directory that was moved or copied: its programs name paths that are not there, or not the same.
    const inPlace = join(base, basename(record.directory)) === record.directory;
    return inPlace && trusted.every(Boolean) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Removes what interrupted set-ups left, and installations that were replaced. Only under the set-up lock. */
export async function removeLeftovers(layout: ToolchainLayout, keep: readonly string[]): Promise<void> {
  const entries = await readdir(layout.base).catch(() => []);
  const kept = new Set(keep.map((path) => basename(path)));
  const isPointerRest = (name: string) =>
    [layout.toolchainPointer, layout.bubblewrapPointer].some((pointer) =>
      name.startsWith(`${basename(pointer)}.`),
    );
  for (const name of entries) {
    const stale = (name.startsWith(INSTALLATION_PREFIX) && !kept.has(name)) || isPointerRest(name);
    if (stale) await rm(join(layout.base, name), { recursive: true, force: true, maxRetries: 5 });
  }
}
