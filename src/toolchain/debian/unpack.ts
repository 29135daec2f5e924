import { rm } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../command.ts";

/** Unpacks `.deb` files into a directory; runs none of their scripts. Manuals and the like are left out. */
export async function unpackPackages(
  files: readonly string[],
  directory: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  // Two at a time: decompression is what takes long, and each uses one core.
  const queue = [...files];
  const worker = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      await runCommand("dpkg-deb", ["--extract", file, directory], { signal });
    }
  };
  // Both have ended when this returns, so that nothing writes into a directory that is being removed.
  const outcomes = await Promise.allSettled([worker(), worker()]);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
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
