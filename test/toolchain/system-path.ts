import { mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";

const HIDDEN = new Set(["rustc", "rustup", "cargo", "bwrap"]);

/**
 * Makes a directory with links to the system's programs, without any Rust or bubblewrap, to be the whole PATH of a test:
 * what this machine happens to have must not decide what a test sees.
 */
export async function pathWithoutRust(directory: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  const seen = new Set(HIDDEN);
  for (const source of ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]) {
    for (const name of await readdir(source).catch(() => [])) {
      if (seen.has(name)) continue;
      seen.add(name);
      await symlink(join(source, name), join(directory, name));
    }
  }
  return directory;
}
