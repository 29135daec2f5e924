import { readdirSync, statSync } from "node:fs";

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
  return readdirSync("/proc", { withFileTypes: true }).flatMap((entry) => {
    const path = `/proc/${entry.name}`;
    if (/^\d+$/.test(entry.name) || entry.isSymbolicLink()) return [];
    if (entry.isDirectory()) return ["--tmpfs", path, "--remount-ro", path];
    const { mode } = statSync(path);
    const isPublic = (mode & 0o004) !== 0 && (mode & 0o222) === 0;
    return isPublic ? [] : ["--ro-bind", "/dev/null", path];
  });
}
