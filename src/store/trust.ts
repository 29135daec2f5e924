/** Whose files are believed: a module that somebody else put into the store would run in this user's cells. */
import type { Stats } from "node:fs";

/** Bits of the mode with which others than the owner can write. Access control lists show in the group's. */
const WRITABLE_BY_OTHERS = 0o022;

/** Why a file or directory must not be trusted, as the end of a sentence that starts with its path; undefined where it can be. */
export function reasonForDistrust(stats: Stats): string | undefined {
  const user = process.geteuid?.();
  // Where there are no user ids (Windows), the mode says nothing either; the profile directory's own list guards the store.
  if (user === undefined) return undefined;
  if (stats.uid !== user)
    return `belongs to user ${stats.uid} and not to user ${user}, as whom this process runs`;
  if ((stats.mode & WRITABLE_BY_OTHERS) !== 0) {
    return `is writable by others than its owner (mode ${(stats.mode & 0o777).toString(8).padStart(4, "0")})`;
  }
  return undefined;
}
