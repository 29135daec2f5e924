/**
 * Every message between the host and a cell. Both sides import this file and `framing.ts`, and nothing else of each other.
 * The host trusts nothing that a cell says: `cell-messages.ts` checks all of it.
 */

/** Mount as the cell sees it. */
export interface WireMount {
  source: string;
  /** Nothing can come in the place of what `source` leads to: a jail holds it there. */
  fixed?: true;
  guest: string;
  access: "read" | "read-write";
  maxBytes: number | null;
}

/** Whose preview 1 host serves a cell's guests: scriptcell's own, or Node's. */
export type WireEngine = "preview1" | "node-wasi";

/** Clock of one run; frozen time is nanoseconds since 1970 as decimal digits. */
export type WireClock = { kind: "denied" | "monotonic" | "real" } | { kind: "frozen"; epochNs: string };

/** A directory that lives in the cell's memory for one run. */
export interface WireScratchMount {
  guest: string;
  /** `read`: it holds what the host put there. */
  access: "read" | "read-write";
  /** Bytes that it may hold; null: only the bytes of all of them count. */
  bytes: number | null;
}

/** What one run has in memory. Its mounts are apart from those of the cell: any cell can have them. */
export interface WireScratch {
  mounts: readonly WireScratchMount[];
  /** Bytes that all of them may hold. */
  bytes: number;
  /** Patterns of the files that are sent back at the end. */
  artifacts: readonly string[];
}

/** One run. */
export interface RunRequest {
  /** The module, sent before with `module`. */
  module: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  clock: WireClock;
  random: { kind: "secure" } | { kind: "seeded"; seed: string };
  /** `attached`: the payload is all of stdin. `pulled`: the cell asks for it with `pull`. */
  stdin: "attached" | "pulled";
  fuel: number;
  outputBytes: number;
  diskBytes: number;
  openFiles: number;
  hostCallBytes: number;
  terminal: boolean;
  /** Undefined: nothing in memory. */
  scratch?: WireScratch | undefined;
}

/** The memory of a module, in pages of 64 KiB. */
export interface MemorySize {
  minimum: number;
  maximum: number;
}

/** What the host says. */
export type HostMessage =
  /** Once, first: opens the mounts. */
  | { kind: "open"; engine: WireEngine; mounts: readonly WireMount[] }
  /** Payload: a capped, metered module, kept under `key` until `forget`. */
  | { kind: "module"; key: string; memory: MemorySize }
  | { kind: "forget"; key: string }
  | ({ kind: "run" } & RunRequest)
  /** The answer to `pull`. Payload: the next bytes; `end` with the last of them. */
  | { kind: "stdin"; end: boolean }
  /** Before `run`: a file of that run. Payload: its bytes. `path` is below the run's scratch mount of that number. */
  | { kind: "file"; mount: number; path: string };

/** How the guest's `_start` ended. */
export type GuestEnd =
  | { how: "exit"; exitCode: number }
  | { how: "trap"; code: string; message: string }
  | { how: "stack-overflow" }
  | { how: "output-limit"; stream: "stdout" | "stderr" }
  /** The module did not compile or link: the gate let something through that the engine refuses. */
  | { how: "load-failed"; message: string };

/** A function on the guest's stack. */
export interface WireStackFrame {
  /** As it is called in Rust. */
  function: string;
  /** In the module. */
  index: number | null;
}

/** What a cell says. */
export type CellMessage =
  /** Once, after `open`. `failed`: a mount could not be opened. */
  | { kind: "ready"; failed: string | null }
  /** Payload: output, in order. */
  | { kind: "stdout" }
  | { kind: "stderr" }
  /** Asks for stdin; the cell waits for `stdin`. */
  | { kind: "pull"; maxBytes: number }
  /** A refusal, sent when it first happens. */
  | { kind: "denial"; call: string; target: string; reason: string; grant: string | null }
  /** A file that the guest left, before `done`. Payload: its path as UTF-8. Its bytes follow in as many frames as they need. */
  | { kind: "artifact"; bytes: number }
  | { kind: "artifact-bytes" }
  /** A function that was running when the guest was stopped, before `done`: the innermost first. */
  | ({ kind: "stack-frame" } & WireStackFrame)
  /** The run is over. `denialCounts[i]` belongs to the i-th `denial` of the run. */
  | {
      kind: "done";
      end: GuestEnd;
      /** Below zero where the guest ran out of it. */
      fuelLeft: number;
      peakMemoryBytes: number;
      refusedGrowths: number;
      denialCounts: readonly number[];
    };

/** Bytes of output or stdin in one frame, at most. */
export const MAX_CHUNK_BYTES = 64 * 1024;
/** Distinct denials in one run, at most; later ones are dropped. */
export const MAX_DENIALS = 64;
/** Characters of each text in a denial, at most. */
export const MAX_DENIAL_TEXT = 256;

/** Frames of one backtrace, at most; those further out are left out. */
export const MAX_FRAMES = 64;
/** Characters of the name of a function in a frame, at most. */
export const MAX_FUNCTION_NAME = 256;

/** Stdin up to this size travels with the run; beyond it is pulled. */
export const MAX_ATTACHED_STDIN_BYTES = 256 * 1024;

/** What a file, directory or link in memory is charged besides its contents, and what each of its names is besides its length. */
export const SCRATCH_NODE_BYTES = 512;
export const SCRATCH_NAME_BYTES = 128;
/** Files, directories, links, further names and pieces of contents (64 KiB each) in the memory of one run, at most. */
export const MAX_SCRATCH_OBJECTS = 250_000;
/** Artifacts of one run, and bytes of the path of each, at most. */
export const MAX_ARTIFACTS = 10_000;
export const MAX_ARTIFACT_PATH_BYTES = 4096;
