import { randomBytes } from "node:crypto";
import { lstat, mkdir, realpath, rename, rm, writeFile } from "node:fs/promises";
import { join, sep } from "node:path";
import type { RunReport } from "../result.ts";
import { EXIT } from "./exit-codes.ts";
import { CommandFailure } from "./failure.ts";

/** A file of the caller's that a script is to find at a path of its own. */
export interface InputFile {
  host: string;
  guest: string;
}

/**
 * Writes the files that a script left below a directory, each at the path that the script gave it: `/tmp/a.csv` at `tmp/a.csv`.
 * Nothing is written through a symbolic link below that directory, whoever made it; a file that is there is replaced as a whole.
 * @throws CommandFailure
 */
export async function writeArtifacts(directory: string, artifacts: RunReport["artifacts"]): Promise<void> {
  const files = Object.entries(artifacts);
  if (files.length === 0) return;
  try {
    await mkdir(directory, { recursive: true });
    // The directory itself may be a link: that was the caller's choice.
    const root = await realpath(directory);
    for (const [path, bytes] of files) await writeBelow(root, path, bytes);
  } catch (cause) {
    throw new CommandFailure(
      EXIT.cannotCreate,
      `cannot write the artifacts to ${directory}: ${(cause as Error).message}`,
      { cause },
    );
  }
}

async function writeBelow(root: string, path: string, bytes: Uint8Array): Promise<void> {
  const names = path.split("/").slice(1);
  const name = names.pop() ?? "";
  let parent = root;
  for (const directory of names) {
    parent = join(parent, hostName(directory));
    await requireDirectory(parent);
  }
  const temporary = join(parent, `.scriptcell-${randomBytes(8).toString("hex")}.tmp`);
  try {
    await writeFile(temporary, bytes, { flag: "wx" });
    // Takes the place of a link, and does not follow it.
    await rename(temporary, join(parent, hostName(name)));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function requireDirectory(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    if (!(await lstat(path)).isDirectory()) throw new Error(`${path} is there and is no directory`);
  }
}

/** A name that the script chose, where this system takes it for nothing else than a name. */
function hostName(name: string): string {
  const isPlain = name !== "" && name !== "." && name !== ".." && !name.includes("\0") && !name.includes(sep);
  // On Windows a colon names a drive or a stream, and a slash of either kind parts directories.
  if (isPlain && !(sep === "\\" && /[/:]/.test(name))) return name;
  throw new Error(`${JSON.stringify(name)} is no name for a file here`);
}
