import { InvalidArgumentError } from "commander";
import type { ClockGrant, HostMount, ScratchMount } from "../capabilities.ts";
import { GiB, KiB, MiB } from "../limits.ts";
import type { InputFile } from "./artifacts.ts";

/** The parsers of option values. Each says what it expects; the bounds of limits are the library's to check. */

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB,
  MiB,
  GiB,
  TiB: 1024 * GiB,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

/** `2s`, `500ms`, `1.5m` → whole milliseconds. */
export function parseDuration(text: string): number {
  return scaled(text, DURATION_UNITS, "a duration is a number and its unit: 500ms, 2s, 1m, 1h or 30d");
}

/** `64MiB`, `1GB`, `4096` → whole bytes. */
export function parseSize(text: string): number {
  const expected =
    "a size is a number of bytes or a number and its unit: 4096, 64KiB, 64MiB, 1GiB, or kB, MB, GB for powers of ten";
  return scaled(/^\d+$/.test(text) ? `${text}B` : text, SIZE_UNITS, expected);
}

/** `64` → 64, `50_000_000` → 50000000. */
export function parseCount(text: string): number {
  const digits = /^\d+(?:_\d+)*$/.test(text) ? text.replaceAll("_", "") : text;
  return scaled(`${digits}x`, { x: 1 }, "give a whole number");
}

function scaled(text: string, units: Readonly<Record<string, number>>, expected: string): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)([a-zA-Z]+)$/.exec(text) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (factor === undefined || (factor === 1 && number.includes(".")))
    throw new InvalidArgumentError(expected);
  const value = Math.round(Number(number) * factor);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError(expected);
  return value;
}

const ACCESS: Readonly<Record<string, NonNullable<HostMount["access"]>>> = {
  ro: "read",
  read: "read",
  rw: "read-write",
  "read-write": "read-write",
};

/** `host:guest[:ro|rw]`, one more of them. Read from the end, so that the host's path may hold colons. */
export function collectMount(text: string, mounts: readonly HostMount[] = []): HostMount[] {
  const [, host = "", guest = "", access = "ro"] = /^(.+):(\/[^:]*)(?::([^:/]*))?$/s.exec(text) ?? [];
  if (host === "") {
    throw new InvalidArgumentError(
      "a mount is HOST:GUEST[:ro|rw], GUEST being absolute: ./data:/data or ./out:/out:rw",
    );
  }
  if (!Object.hasOwn(ACCESS, access)) throw new InvalidArgumentError(`a mount is ro or rw, not "${access}"`);
  return [...mounts, { host, guest, access: ACCESS[access] ?? "read" }];
}

/** `guest[:size]`, one more of them. */
export function collectScratch(text: string, mounts: readonly ScratchMount[] = []): ScratchMount[] {
  const [, guest = "", size] = /^(\/[^:]*)(?::([^:]*))?$/s.exec(text) ?? [];
  if (guest === "") {
    throw new InvalidArgumentError(
      "a scratch mount is GUEST[:SIZE], GUEST being absolute: /tmp or /tmp:16MiB",
    );
  }
  return [...mounts, { guest, access: "scratch", ...(size !== undefined && { bytes: parseSize(size) }) }];
}

/** `host:guest`, one more of them. Read from the end, so that the host's path may hold colons. */
export function collectFile(text: string, files: readonly InputFile[] = []): InputFile[] {
  const [, host = "", guest = ""] = /^(.+):(\/[^:]*)$/s.exec(text) ?? [];
  if (host === "") {
    throw new InvalidArgumentError("a file is HOST:GUEST, GUEST being absolute: ./a.csv:/in/a.csv");
  }
  if (host === "-") {
    throw new InvalidArgumentError("stdin is the script's own input: pipe it in, and name a file here");
  }
  if (files.some((file) => file.guest === guest)) {
    throw new InvalidArgumentError(`there are two files for ${guest}: give each a path of its own`);
  }
  return [...files, { host, guest }];
}

/** `NAME=VALUE`, one more of them; of two with one name the later holds. */
export function collectEnv(text: string, env: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf("=");
  if (at === -1) {
    throw new InvalidArgumentError(
      `a variable is NAME=VALUE; nothing is taken from your environment: --env "${text}=$${text}"`,
    );
  }
  if (at === 0) throw new InvalidArgumentError("a variable is NAME=VALUE, and this one has no name");
  return { ...env, [text.slice(0, at)]: text.slice(at + 1) };
}

/** A path. An unset variable in a shell script makes an empty one, which would mean this directory. */
export function parsePath(text: string): string {
  if (text === "") throw new InvalidArgumentError("it is empty");
  return text;
}

/** One more of a list. */
export function collectText(text: string, texts: readonly string[] = []): string[] {
  return [...texts, text];
}

/** `denied`, `monotonic`, `real`, or the instant at which the clock stands still. */
export function parseClock(text: string): ClockGrant {
  if (text === "denied" || text === "monotonic" || text === "real") return text;
  const [, date] =
    /^(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/.exec(text) ?? [];
  const frozen = new Date(text);
  // JavaScript makes 2 March of 30 February; the day as written has to come back.
  const exists =
    date !== undefined && !Number.isNaN(frozen.getTime()) && new Date(date).toISOString().startsWith(date);
  if (exists) return { frozen };
  throw new InvalidArgumentError(
    "the clock is denied, monotonic, real, or the instant at which it stands still: 2026-01-31 or 2026-01-31T12:00:00Z (with a time zone)",
  );
}
