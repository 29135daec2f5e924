/**
 * Whether the operating system's sandbox is put around cells and the compiler.
 * `auto`: where one can be had. `required`: fail with `JAIL_UNAVAILABLE` where none can. `off`: never.
 */
export type JailMode = "auto" | "required" | "off";

/** A bubblewrap that works on this machine: it was tried. */
export interface Bubblewrap {
  /** Absolute path of the executable. */
  path: string;
  /** `0.8.0`. */
  version: string;
  origin: "PATH" | "scriptcell";
  /** Environment that the executable itself needs (`LD_LIBRARY_PATH` of an unpacked copy); the jailed program never sees it. */
  env: Readonly<Record<string, string>>;
}

/** The answer to "can a jail be had here?", with the reason and the remedy where not. */
export type BubblewrapProbe =
  | { ok: true; bubblewrap: Bubblewrap }
  | { ok: false; reason: string; remedy: string };
