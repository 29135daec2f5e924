import { randomBytes } from "node:crypto";
import { rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EXIT } from "./exit-codes.ts";
import { CommandFailure } from "./failure.ts";

/**
 * Writes a file so that whoever looks sees the old one or the whole new one. Something that is no regular file
 * (/dev/null, a pipe) is written to, not replaced.
 * @throws CommandFailure
 */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  try {
    const existing = await stat(path).catch(() => undefined);
    if (existing !== undefined && !existing.isFile()) return await writeFile(path, bytes);
    const temporary = join(dirname(path), `.scriptcell-${randomBytes(8).toString("hex")}.tmp`);
    try {
      await writeFile(temporary, bytes, { flag: "wx" });
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  } catch (cause) {
    throw new CommandFailure(EXIT.cannotCreate, `cannot write ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
}
