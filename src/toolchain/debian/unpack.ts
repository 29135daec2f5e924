import { rm } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../command.ts";

/** Unpacks `.deb` files into a directory; runs none of their scripts. Manuals and the like are left out. */
export async function unpackPackages(
  files: readonly string[],
  directory: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const file of files) await runCommand("dpkg-deb", ["--extract", file, directory], { signal });
  for (const unused of [
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/locale",
    "etc",
  ]) {
    await rm(join(directory, unused), { recursive: true, force: true });
  }
}
