import type { z } from "zod";
import type { Diagnostic } from "./compile/diagnostics.ts";
import type { Fix } from "./compile/fix.ts";
import type { LimitName } from "./limits.ts";

/** A capability that the guest asked for and was refused. */
export interface Denial {
  /** The WASI call, `path_open`. */
  call: string;
  /** What it was asked for: a path as the guest sees it, a clock's name, an address. Capped at 256 characters. */
  target: string;
  /** Why it was refused, one sentence. */
  reason: string;
  /** The option that would allow it, or null where nothing can. */
  grant: string | null;
  /** How often it was refused in this run (repeats are folded into one entry). */
  count: number;
}

/** What a run ran under. */
export interface Isolation {
  /** `process`: a child process of its own. `worker`: a thread of this process. */
  cell: "process" | "worker";
  /** `bubblewrap`, or `none`. */
  jail: "bubblewrap" | "none";
  /** Whose WASI host served it: scriptcell's own `preview1`, or Node's `node-wasi`. */
  engine: "preview1" | "node-wasi";
}

/** Where a module came from. */
export type ModuleOrigin = "memory" | "disk" | "rustc";

/** A compiled script. Immutable: change neither fields nor bytes. */
export interface CompiledModule {
  /** The store's key: SHA-256 over source, edition, flags, target, compiler and format version. 64 hex digits. */
  readonly hash: string;
  readonly bytes: Uint8Array;
  readonly target: "wasm32-wasip1";
}

/** What a compile came to. A script that does not compile is a value. */
export type CompileResult =
  | {
      ok: true;
      module: CompiledModule;
      /** Warnings. They speak of `fix.source` where there is a `fix`. */
      diagnostics: readonly Diagnostic[];
      /** What the option `fix` has changed so that it compiles; null where it changed nothing. */
      fix: Fix | null;
      from: ModuleOrigin;
      /** Wall time of this call in milliseconds. */
      durationMs: number;
    }
  | {
      ok: false;
      /** Why: at least one error. They speak of `fix.source` where there is a `fix`: correct that one. */
      diagnostics: readonly Diagnostic[];
      /** What the option `fix` has changed, though it still does not compile; null where it changed nothing. */
      fix: Fix | null;
      durationMs: number;
    };

/** What every run has, however it ended. */
export interface RunReport {
  /** Captured output as text; bytes that are not UTF-8 become U+FFFD. */
  stdout: string;
  stderr: string;
  /** Captured output as it was written. */
  stdoutBytes: Uint8Array;
  stderrBytes: Uint8Array;
  /** Whether output beyond `limits.outputBytes` was dropped. */
  truncated: { stdout: boolean; stderr: boolean };
  /** Milliseconds from the start of the run in its cell to its end; 0 where it never started. */
  durationMs: number;
  /**
   * Units of fuel that the guest has used, never more than `limits.fuel`; 0 where it never started, null where its cell was
   * killed before it could say. Exact after every exit, panic and `unreachable`. After another trap (of unsafe or foreign
   * code, or because Rust's own stack overflowed) what was used since the last call was made may be missing.
   */
  fuelUsed: number | null;
  /** Highest size of linear memory in bytes; null where the cell was killed before it could say. */
  peakMemoryBytes: number | null;
  /** Every capability that was asked for and refused; at most 64 distinct ones. */
  denials: readonly Denial[];
  /**
   * Why a run failed that a script for another system would have survived, and what to do instead, one sentence each: threads,
   * sockets, processes, clocks, files, arguments, input and variables that it did not have. Empty where the run did not
   * exit with a code of its own, panic, or miss its `outputSchema`, and where nothing is known. For readers; the wording may change.
   */
  hints: readonly string[];
  /** Where the module came from; null where `execute` was given one. */
  moduleFrom: ModuleOrigin | null;
  /** Milliseconds spent on getting the module (compiles and look-ups); 0 for `execute`. */
  compileMs: number;
  /**
   * What the option `fix` has changed in the script before it was run, or rejected. Diagnostics, and the lines of a panic, are
   * those of `fix.source`. null where nothing was changed, where the run was cancelled before, and for `execute`.
   */
  fix: Fix | null;
  /**
   * The regular files in scratch mounts that the `artifacts` of the call asked for, by the path that the guest gave them. Also of
   * a run that failed, panicked or trapped; of one whose cell was killed (a deadline, a cancellation) they are lost, and this is
   * empty. At most 10,000 files with paths of up to 4,096 bytes, together no larger than `limits.scratchBytes`; what is left out
   * for that is recorded in `denials`, but for files whose path is longer. An object without a prototype: `Object.keys` and `in` are safe.
   */
  artifacts: Readonly<Record<string, Uint8Array>>;
  /** What the run ran under; null where it never started. */
  isolation: Isolation | null;
}

/** Why a guest trapped. */
export type TrapCode =
  | "unreachable"
  | "out-of-bounds-memory"
  | "out-of-bounds-table"
  | "indirect-call-type-mismatch"
  | "integer-divide-by-zero"
  | "integer-overflow"
  | "invalid-conversion"
  | "cell-died"
  | "other";

/** A function that was running when the guest was stopped. */
export interface StackFrame {
  /**
   * Its path in Rust, without hashes: `script::Shape::area`, `<script::Circle as script::Area>::area`, `script::main::{closure#0}`.
   * At most 256 characters in one line; `…` stands for what is left out.
   */
  readonly function: string;
  /** Its index in the module as it was compiled, imported functions counted; null where that is not known. */
  readonly index: number | null;
}

/**
 * How a run ended.
 *
 * `backtrace` has the functions that were running, the innermost first and at most 64. Those of Rust's runtime are left out: the
 * first is the one that panicked, or the function of std that did so for the one below it (`core::option::unwrap_failed`). It
 * is empty where nothing is known: the cell was killed (a deadline) or died, or the module names no functions. Functions that
 * the compiler has put into their callers are not in it. Like all else that a guest says of itself, its names are not to be
 * trusted: whoever makes a module chooses them.
 */
export type Outcome<Output = unknown> =
  /** The guest exited with 0. `output` is stdout parsed as JSON (undefined where it is not JSON), or what `outputSchema` made of it. */
  | { status: "ok"; exitCode: 0; output: Output }
  /** The guest exited with 0 and stdout is not what `outputSchema` asks for; the text is in `stdout`. */
  | { status: "invalid-output"; exitCode: 0; issues: readonly z.core.$ZodIssue[] }
  /** The guest exited with a code of its own. */
  | { status: "failed"; exitCode: number; output: unknown }
  /** The guest panicked. `file` is as the compiler names it. */
  | {
      status: "panicked";
      message: string;
      file: string | null;
      line: number | null;
      column: number | null;
      backtrace: readonly StackFrame[];
    }
  /** The guest did what WebAssembly forbids. */
  | { status: "trapped"; code: TrapCode; message: string; backtrace: readonly StackFrame[] }
  /** The guest reached a limit that ends runs. `backtrace` says where, such as in which recursion. */
  | { status: "limit-exceeded"; limit: LimitName; message: string; backtrace: readonly StackFrame[] }
  /** The signal was aborted. `reason` is the signal's. */
  | { status: "cancelled"; reason: unknown }
  /** The guest never ran: it did not compile, or its module was refused. */
  | { status: "rejected"; diagnostics: readonly Diagnostic[] };

/** What came of a run. One union on `status`; every variant carries the {@link RunReport}. */
export type RunResult<Output = unknown> = Outcome<Output> & RunReport;
