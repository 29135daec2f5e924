import { readFile } from "node:fs/promises";

/** A kernel setting that forbids user namespaces to ordinary users, and how to turn it. */
interface Switch {
  file: string;
  forbids: (value: number) => boolean;
  reason: string;
  remedy: string;
}

const SWITCHES: readonly Switch[] = [
  {
    file: "/proc/sys/kernel/unprivileged_userns_clone",
    forbids: (value) => value === 0,
    reason: "kernel.unprivileged_userns_clone is 0",
    remedy: "allow user namespaces: `sudo sysctl -w kernel.unprivileged_userns_clone=1`",
  },
  {
    file: "/proc/sys/user/max_user_namespaces",
    forbids: (value) => value === 0,
    reason: "user.max_user_namespaces is 0",
    remedy: "allow user namespaces: `sudo sysctl -w user.max_user_namespaces=15000`",
  },
  {
    file: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    forbids: (value) => value !== 0,
    reason: "AppArmor restricts user namespaces",
    remedy:
      "install your distribution's package `bubblewrap` and allow it to AppArmor, or `sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`",
  },
];

/** What the kernel's switches say about user namespaces of ordinary users. */
export type UserNamespaces = { ok: true } | { ok: false; reason: string; remedy: string };

/** Reads the switches. A missing one forbids nothing: not every kernel has every switch. */
export async function checkUserNamespaces(
  read: (file: string) => Promise<string | undefined> = (file) =>
    readFile(file, "utf8").catch(() => undefined),
): Promise<UserNamespaces> {
  if (process.platform !== "linux") {
    return {
      ok: false,
      reason: `${process.platform} has no user namespaces`,
      remedy: "run on Linux (a virtual machine or WSL 2 will do)",
    };
  }
  for (const { file, forbids, reason, remedy } of SWITCHES) {
    const value = await read(file);
    if (value !== undefined && value.trim() !== "" && forbids(Number(value)))
      return { ok: false, reason, remedy };
  }
  return { ok: true };
}
