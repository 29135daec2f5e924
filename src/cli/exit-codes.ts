import type { ScriptcellErrorCode } from "../errors.ts";
import type { RunResult } from "../result.ts";

/**
 * What the command line exits with, besides a script's own code. Taken from where shells and scripts know them:
 * sysexits.h for what is wrong with the request or the machine, timeout(1) for a limit, rustc's runtime for a panic,
 * 128 + signal for what a native program would have died of.
 */
export const EXIT = Object.freeze({
  ok: 0,
  /** EX_USAGE */
  usage: 64,
  /** EX_DATAERR */
  rejected: 65,
  /** EX_NOINPUT */
  noInput: 66,
  /** EX_UNAVAILABLE */
  unavailable: 69,
  /** EX_SOFTWARE */
  internal: 70,
  /** EX_CANTCREAT */
  cannotCreate: 73,
  /** A native Rust program's code after a panic. */
  panicked: 101,
  /** As timeout(1). */
  limitExceeded: 124,
  /** 128 + SIGABRT. */
  trapped: 134,
  /** 128 + SIGPIPE. */
  brokenPipe: 141,
});

/** The highest code that a process can exit with. */
export const MAX_EXIT_CODE = 255;

/** For `--help`. */
export const EXIT_CODE_HELP = `Exit codes:
  0        the script succeeded
  1-255    the script's own exit code (255 stands for larger ones)
  64       usage: an option is wrong, or what it asks for cannot be granted
  65       the script does not compile, or the module was refused
  66       the script or its input cannot be read
  69       something is missing on this machine: see \`scriptcell doctor\`
  70       scriptcell itself failed
  73       the output cannot be written
  101      the script panicked
  124      the script reached a limit (time, memory, stack, output)
  130 143  interrupted by Ctrl-C; by SIGTERM (128 + the signal)
  134      the script trapped: it did what WebAssembly forbids
  141      whoever read the output went away
A script can exit with these codes too; \`status\` in the document of --json tells which it was.`;

/** The exit code of a run. `cancelled` has none of its own: who cancelled knows it. */
export function exitCodeOf(result: RunResult): number {
  switch (result.status) {
    case "ok":
      return EXIT.ok;
    case "failed":
      // Cut to eight bits, 256 would pass for success.
      return Math.min(result.exitCode, MAX_EXIT_CODE);
    case "invalid-output":
    case "rejected":
      return EXIT.rejected;
    case "panicked":
      return EXIT.panicked;
    case "trapped":
      return EXIT.trapped;
    case "limit-exceeded":
      return EXIT.limitExceeded;
    case "cancelled":
      return EXIT.internal;
  }
}

/** The exit code of a failure of scriptcell's own. */
export const EXIT_OF_ERROR: Readonly<Record<ScriptcellErrorCode, number>> = Object.freeze({
  INVALID_OPTIONS: EXIT.usage,
  MOUNT_REFUSED: EXIT.usage,
  MODULE_NOT_FOUND: EXIT.usage,
  RUSTC_MISSING: EXIT.unavailable,
  TARGET_MISSING: EXIT.unavailable,
  RUSTC_TOO_OLD: EXIT.unavailable,
  JAIL_UNAVAILABLE: EXIT.unavailable,
  SETUP_UNSUPPORTED: EXIT.unavailable,
  SETUP_FAILED: EXIT.unavailable,
  COMPILER_FAILED: EXIT.internal,
  CELL_FAILED: EXIT.internal,
  OVERLOADED: EXIT.internal,
  EXECUTOR_CLOSED: EXIT.internal,
  STORE_FAILED: EXIT.internal,
});
