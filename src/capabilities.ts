import { z } from "zod";
import { MiB } from "./limits.ts";

/** A host directory that the guest sees at a path of its own. */
export interface HostMount {
  /** Host directory; relative paths count from the working directory. Must exist. `/` and the home directory are refused. */
  host: string;
  /** Absolute path at which the guest sees it, for example `/data`; at most 4,095 bytes. */
  guest: string;
  /** `read`: files can be listed and read. `read-write`: also created, changed, renamed and removed. Default `read`. */
  access?: "read" | "read-write";
  /** Bytes that one run may write below this mount, on top of `limits.diskBytes`. Default: only `limits.diskBytes` counts. */
  maxBytes?: number;
}

/**
 * An empty directory without a host directory behind it: it lies in the memory of the run and is gone with it. Works on every
 * platform and changes nothing about which cell serves. Its files come back as `artifacts` of the result where they are asked for.
 */
export interface ScratchMount {
  /** Absolute path at which the guest sees it, for example `/tmp`. `/` is allowed. */
  guest: string;
  access: "scratch";
  /**
   * Bytes that it may hold, as `limits.scratchBytes` counts them. Default: only `limits.scratchBytes` counts.
   * A write beyond it fails in the guest with `ENOSPC` and is recorded in `denials`.
   */
  bytes?: number;
}

/** A directory that the guest sees: one of the host's, or one that lives in memory for the run. */
export type Mount = HostMount | ScratchMount;

/**
 * What the guest's clocks say.
 * `denied`: reading a clock fails and is recorded. `monotonic`: a stopwatch that starts at zero with the run; the date stays denied.
 * `real`: the date and the stopwatch. `{ frozen }`: the date is always that instant and the stopwatch stands at zero.
 */
export type ClockGrant = "denied" | "monotonic" | "real" | { frozen: Date | string };

/** Where random bytes come from. `secure`: the operating system. `{ seed }`: the same bytes for the same seed, not secret. */
export type RandomGrant = "secure" | { seed: number | string };

/** What a guest may touch. Everything is denied unless it stands here. */
export interface Capabilities {
  /** Host directories, and directories in memory. Default none. */
  mounts?: readonly Mount[];
  /**
   * Environment variables, by name and value; nothing of the host's environment is ever passed on. Default none.
   * Together with the arguments at most 1 MiB, counted in UTF-8 with `NAME=value` and a NUL for each: more is `INVALID_OPTIONS`.
   */
  env?: Readonly<Record<string, string>>;
  /** Program arguments, the first being the program's name; at most 10,000. Default `["script"]`. */
  args?: readonly string[];
  /** Default `"denied"`. */
  clock?: ClockGrant;
  /** Default `"secure"`. */
  random?: RandomGrant;
  /**
   * Whether stdin, stdout and stderr pass for a terminal: `std::io::IsTerminal` and C's `isatty` then say so, and programs colour
   * what they print, show progress, and in C write line by line. It opens nothing: input still comes from the call, output is still
   * captured, and there is no size and no control of a terminal. What else a program looks at, such as `TERM` and `NO_COLOR`, is in `env`.
   * Default false, wherever this process's own output goes; to ask is no denial.
   */
  terminal?: boolean;
}

/** Bytes that the arguments and the environment of a run may take together, counted as a guest gets them. */
export const MAX_TEXT_BYTES = 1 * MiB;

/** What arguments and environment take, as {@link MAX_TEXT_BYTES} counts. */
export function textBytes({ args = [], env = {} }: Pick<Capabilities, "args" | "env">): number {
  const texts = [...args, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0);
}

/** Bytes of the longest path, as for a guest's own calls. */
const MAX_PATH_BYTES = 4095;
const noNul = (text: string): boolean => !text.includes("\0");
const cText = z.string().refine(noNul, "must not contain a NUL character");
const isPlainPath = (path: string): boolean =>
  path.startsWith("/") && !path.split("/").some((part) => part === "." || part === "..");
const guestPath = cText
  .refine(isPlainPath, "must be an absolute path without . or ..")
  .refine(
    (path) => Buffer.byteLength(path) <= MAX_PATH_BYTES,
    `must not be longer than ${MAX_PATH_BYTES} bytes`,
  );
/** WASI's clocks count nanoseconds since 1970 in an unsigned 64-bit number. */
const LAST_INSTANT_MS = 18_446_744_073_709;
const instant = z
  .union([z.date(), z.iso.datetime({ offset: true }).transform((text) => new Date(text))])
  .refine(
    (date) => date.getTime() >= 0 && date.getTime() <= LAST_INSTANT_MS,
    "must lie between 1970 and 2554",
  );

/** Parses the capabilities of a call or an executor; unknown names are errors. */
export const capabilitiesSchema = z.strictObject({
  mounts: z
    .array(
      z.discriminatedUnion("access", [
        z.strictObject({
          host: cText.min(1),
          guest: guestPath,
          access: z.enum(["read", "read-write"]).optional(),
          maxBytes: z.int().min(0).optional(),
        }),
        z.strictObject({ guest: guestPath, access: z.literal("scratch"), bytes: z.int().min(0).optional() }),
      ]),
    )
    .max(64)
    .optional(),
  env: z
    .record(z.string().regex(/^[^=\0]+$/, "a variable name must not be empty or contain = or NUL"), cText)
    .optional(),
  args: z.array(cText).min(1).max(10_000).optional(),
  clock: z.union([z.enum(["denied", "monotonic", "real"]), z.strictObject({ frozen: instant })]).optional(),
  random: z.union([z.literal("secure"), z.strictObject({ seed: z.union([z.int(), z.string()]) })]).optional(),
  terminal: z.boolean().optional(),
});
