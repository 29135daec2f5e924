/**
 * The contract between a cell and its preview 1 host. Everything in here is already resolved by the host side;
 * this folder shares no code with it, so that it can be read, and attacked, on its own.
 */

import type { OpenPreopen } from "./preopens.ts";

/** A host directory, opened for the guest. */
export interface Preopen {
  /** The directory in this process's view of the file system (inside a jail not the caller's path). */
  source: string;
  /** Nothing can come in the place of what `source` leads to: a jail holds it there. */
  fixed?: true;
  /** Absolute path at which the guest sees it. */
  guest: string;
  access: "read" | "read-write";
  /** Bytes that one run may write below it; undefined: only the run's `diskBytes` counts. */
  maxBytes: number | undefined;
}

/** Clock of one run. `monotonic` starts at zero with the run. Frozen time is nanoseconds since 1970. */
export type GuestClock =
  | { kind: "denied" }
  | { kind: "monotonic" }
  | { kind: "real" }
  | { kind: "frozen"; epochNs: bigint };

/** Random bytes of one run. */
export type GuestRandom = { kind: "secure" } | { kind: "seeded"; seed: string };

/** What one run was granted and may use up. */
export interface Preview1Grants {
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  clock: GuestClock;
  random: GuestRandom;
  /** Bytes of stdout, and of stderr. */
  outputBytes: number;
  diskBytes: number;
  openFiles: number;
  /** Bytes of its memory that the guest may name in one call. */
  hostCallBytes: number;
  /** Whether stdin, stdout and stderr pass for a terminal. */
  terminal: boolean;
  /** Directories in memory, made for this run. */
  memory?: readonly OpenPreopen[];
}

/** A refusal, as it happens. The receiver folds repeats and caps their number. */
export interface GuestDenial {
  call: string;
  target: string;
  reason: string;
  grant: string | null;
}

/** The way out of the cell. All calls block. */
export interface Preview1Io {
  /** Up to `maxBytes` bytes of stdin; empty at its end. */
  readStdin(maxBytes: number): Uint8Array;
  /** Passes output on before it returns. Copies what it keeps. */
  writeOutput(stream: "stdout" | "stderr", bytes: Uint8Array): void;
  deny(denial: GuestDenial): void;
}

/**
 * Thrown through the guest by `proc_exit`, and on every later host call: an exit cannot be caught. Not an `Error`: nobody asks where
 * a program left from, and to write the stack down is half of what leaving costs.
 */
export class GuestExit {
  readonly exitCode: number;
  constructor(exitCode: number) {
    this.exitCode = exitCode;
  }
}

/** Thrown through the guest when it writes beyond `outputBytes`; sticky as an exit is. What fitted was passed on before. */
export class OutputLimit extends Error {
  readonly stream: "stdout" | "stderr";
  constructor(stream: "stdout" | "stderr") {
    super(`${stream} is full`);
    this.stream = stream;
  }
}

/** The host of one run. */
export interface Preview1 {
  /** All 46 functions of `wasi_snapshot_preview1`. */
  imports: WebAssembly.ModuleImports;
  /** Gives the host the instance's memory; before that every function that touches memory answers `EFAULT`. */
  bind(memory: WebAssembly.Memory): void;
  /** Closes every descriptor of the run. */
  close(): void;
}
