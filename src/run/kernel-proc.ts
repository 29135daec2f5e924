import { lstatSync, readdirSync } from "node:fs";

/**
 * bubblewrap arguments that take the kernel's own part of /proc out of a jail, where the host runs as root.
 *
 * A jail's user is the user who started it under another number. For the kernel that user is still root, who needs no
 * capability to write to `/proc/sys/kernel/core_pattern`, a program that the kernel starts outside of every jail. So
 * what is no process's is hidden: every directory, and every file that only root may read or that somebody may write.
 * (bubblewrap covers only what it finds writable itself, and the directory /proc/sys is not; its files are.)
 */
export function hideKernelProc(): readonly string[] {
  if (process.getuid?.() !== 0) return [];
  // Names alone: asked for types as well, Node fails over every process that ends while it looks.
  const names = readdirSync("/proc").filter((name) => !/^\d+$/.test(name));
  return names.flatMap((name) => {
    const path = `/proc/${name}`;
    const stats = lstatSync(path);
    if (stats.isSymbolicLink()) return [];
    if (stats.isDirectory()) return ["--tmpfs", path, "--remount-ro", path];
    const { mode } = stats;
    const isPublic = (mode & 0o004) !== 0 && (mode & 0o222) === 0;
    return isPublic ? [] : ["--ro-bind", "/dev/null", path];
  });
}
