import type { Denial } from "../result.ts";
import { cleanLine, quote } from "./clean.ts";

/** WASI's calls as what a script tried to do. */
const VERBS: Readonly<Record<string, string>> = {
  path_open: "open",
  path_filestat_get: "look up",
  path_create_directory: "create the directory",
  path_unlink_file: "remove",
  path_remove_directory: "remove the directory",
  path_rename: "rename",
  path_link: "link",
  path_symlink: "make the link",
  path_readlink: "read the link",
  path_filestat_set_times: "set the times of",
  fd_readdir: "list",
  fd_read: "read from",
  fd_pread: "read from",
  fd_write: "write to",
  fd_pwrite: "write to",
  fd_allocate: "write to",
  fd_filestat_set_size: "resize",
  clock_time_get: "read the clock",
  random_get: "get",
  poll_oneoff: "wait for",
};

/** `denied: open "/etc/passwd": no mount holds this path; grant it with mounts`. All of it comes from the cell, which is not trusted. */
export function denialLine({ call, target, reason, grant, count }: Denial): string {
  const verb = Object.hasOwn(VERBS, call) ? VERBS[call] : cleanLine(call, 40);
  const times = count > 1 ? ` (${count} times)` : "";
  const remedy = grant === null ? "nothing grants it" : `grant it with ${cleanLine(grant, 80)}`;
  return `denied: ${verb} ${quote(target, 120)}${times}: ${cleanLine(reason, 160)}; ${remedy}`;
}
