import { constants } from "node:fs";
import { mkdir, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newOwner } from "../owner.ts";
import { sweepWorkspaces, WORKSPACE_PREFIX } from "./sweep.ts";

const NAMES = {
  scriptName: "script.rs",
  outName: "out",
  scratchName: "scratch",
  moduleName: "script.wasm",
  depInfoName: "script.d",
} as const;

/** The private directory of one compile. Disposing it removes it. */
export interface Workspace extends AsyncDisposable, Readonly<typeof NAMES> {
  /** Holds the script alone; the compiler's working directory. */
  readonly source: string;
  /** Where the module and the dep-info file are to be. */
  readonly out: string;
  /** For everything else that the compiler writes. */
  readonly scratch: string;
  /** The directory around the three. */
  readonly root: string;
}

/**
 * Makes a directory that only this user can enter, with the script in it. It is called after this process, so that what a
 * killed process left behind is told from what is in use, and removed here.
 */
export async function createWorkspace(source: string): Promise<Workspace> {
  const temporary = tmpdir();
  await sweepWorkspaces(temporary);
  const root = join(temporary, `${WORKSPACE_PREFIX}${newOwner()}`);
  // Fails where anything has that name, a planted link included.
  await mkdir(root, { mode: 0o700 });
  const remove = () => rm(root, { recursive: true, force: true, maxRetries: 3 });
  const [sourceDir, out, scratch] = [
    join(root, "source"),
    join(root, NAMES.outName),
    join(root, NAMES.scratchName),
  ];
  try {
    await Promise.all([sourceDir, out, scratch].map((directory) => mkdir(directory, { mode: 0o700 })));
    await writeFile(join(sourceDir, NAMES.scriptName), source, { mode: 0o600, flag: "wx" });
  } catch (error) {
    await remove();
    throw error;
  }
  return { ...NAMES, root, source: sourceDir, out, scratch, [Symbol.asyncDispose]: remove };
}

/**
 * Reads a file that the compiler was to write. The compiler ran a stranger's text, so its directory is not trusted: only a
 * regular file is opened, and never more read than `maxBytes`.
 * @returns `"missing"` where there is no such file, `"too-large"` where it is longer.
 */
export async function readOutput(
  path: string,
  maxBytes: number,
): Promise<Uint8Array | "missing" | "too-large"> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch(() => undefined);
  if (file === undefined) return "missing";
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return "missing";
    if (stats.size > maxBytes) return "too-large";
    const bytes = new Uint8Array(stats.size);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return bytes.subarray(0, length);
  } finally {
    await file.close();
  }
}
