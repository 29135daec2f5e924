import { DEFAULT_LIMITS, type LimitName } from "../limits.ts";
import type { Denial } from "../result.ts";
import { limitFlag } from "./limit-options.ts";

/** What to add to the command line, where a denial names the library's option that would have allowed it. */
export function grantFlag(grant: string): string {
  const limit = /^limits\.(\w+)/.exec(grant)?.[1];
  if (limit !== undefined && Object.hasOwn(DEFAULT_LIMITS, limit)) return limitFlag(limit as LimitName);
  const clock = /^clock\b.*?(monotonic|real)/.exec(grant)?.[1];
  if (clock !== undefined) return `--clock ${clock}`;
  if (/^mounts\b.*scratch/.test(grant)) return "--scratch GUEST";
  if (grant === "mounts[].bytes") return "--scratch GUEST:SIZE";
  if (/^mounts\b.*read-write/.test(grant)) return "--mount HOST:GUEST:rw";
  if (/^mounts\b/.test(grant)) return "--mount HOST:GUEST";
  return grant;
}

/** One line on a denial. */
export function describeDenial({ call, target, reason, grant, count }: Denial): string {
  const times = count > 1 ? ` (${count} times)` : "";
  const remedy = grant === null ? "nothing grants it" : `grant it with ${grantFlag(grant)}`;
  return `${call} ${target}${times}: ${reason}; ${remedy}`;
}
