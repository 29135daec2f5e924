import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";

/**
 * Every executable of this name on PATH, first match first.
 * Relative and empty entries of PATH are passed over: what the working directory holds must not be started by chance.
 */
export async function findOnPath(name: string): Promise<readonly string[]> {
  const file = process.platform === "win32" ? `${name}.exe` : name;
  const found: string[] = [];
  for (const directory of new Set((process.env.PATH ?? "").split(delimiter))) {
    if (!isAbsolute(directory)) continue;
    const path = join(directory, file);
    if (await isExecutable(path)) found.push(path);
  }
  return found;
}

/** Whether there is a file at this path that this user may execute. */
export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
