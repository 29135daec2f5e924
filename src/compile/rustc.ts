import { execa } from "execa";
import { ScriptcellError } from "../errors.ts";
import type { Command } from "./jail.ts";
import { type RustcOutput, readRustcOutput } from "./rustc-messages.ts";
import { toolchainFault } from "./toolchain-fault.ts";

/** How rustc ended. */
export interface RustcEnd extends RustcOutput {
  /**
   * `exited`: by itself, with the code. `killed`: by a signal that scriptcell did not send. `timed-out`: at the deadline.
   * `talked-too-much`: it was stopped because of the size of its diagnostics, of which the first are here.
   */
  how: "exited" | "killed" | "timed-out" | "talked-too-much";
  exitCode: number;
  /** `SIGSEGV`; empty where no signal ended it. */
  signal: string;
}

/** Ten times what a hundred errors come to. A compiler that has more to say is stopped. */
const MAX_STDERR_BYTES = 4 * 1024 * 1024;

/** Exit codes above this are signals: bubblewrap reports those of its child as a shell does. */
const SIGNAL_BASE = 128;
const SIGNALS: Readonly<Record<number, string>> = {
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  9: "SIGKILL",
  11: "SIGSEGV",
  24: "SIGXCPU",
  25: "SIGXFSZ",
};

/** What a program says that never came to run, or whose helper did not. */
const NOT_STARTED =
  /^(?:bwrap|prlimit|setpriv|\S*ld-\S+): |error while loading shared libraries|^error: failed to (?:execute|find)/m;

/**
 * Runs a confined rustc to its end, or to its deadline. Its whole process group dies with it.
 * @throws ScriptcellError `COMPILER_FAILED` where it could not be started; the signal's reason where it was aborted.
 */
export async function runRustc(
  command: Command,
  wallTimeMs: number,
  signal: AbortSignal | undefined,
): Promise<RustcEnd> {
  signal?.throwIfAborted();
  const result = await execa(command.file, command.args, {
    cwd: command.cwd,
    env: command.env,
    extendEnv: false,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    encoding: "buffer",
    maxBuffer: MAX_STDERR_BYTES,
    stripFinalNewline: false,
    reject: false,
    timeout: wallTimeMs,
    killSignal: "SIGKILL",
    killDescendants: true,
    ...(signal !== undefined && { cancelSignal: signal }),
  });
  signal?.throwIfAborted();
  const output = readRustcOutput(new TextDecoder().decode(result.stderr));
  if (result.timedOut) return { ...output, how: "timed-out", exitCode: -1, signal: "SIGKILL" };
  if (result.isMaxBuffer) return { ...output, how: "talked-too-much", exitCode: -1, signal: "SIGKILL" };
  const end = endOf(result.exitCode, result.signal);
  if (end === undefined || wasNotStarted(end.exitCode, output)) {
    throw compilerFailed(
      "rustc could not be started",
      output.plain || result.shortMessage || "it said nothing",
      result,
    );
  }
  const fault = toolchainFault(output.messages);
  if (fault !== undefined) throw compilerFailed("the toolchain is not complete", fault, result);
  return { ...output, ...end };
}

function compilerFailed(what: string, said: string, cause: unknown): ScriptcellError {
  const remedy = "Run `scriptcell doctor` to see what is missing";
  return new ScriptcellError("COMPILER_FAILED", `${what}: ${said.slice(0, 500)}. ${remedy}`, { cause });
}

function endOf(
  exitCode: number | undefined,
  signal: string | undefined,
): Pick<RustcEnd, "how" | "exitCode" | "signal"> | undefined {
  if (signal !== undefined) return { how: "killed", exitCode: -1, signal };
  if (exitCode === undefined) return undefined;
  const name = exitCode > SIGNAL_BASE ? SIGNALS[exitCode - SIGNAL_BASE] : undefined;
  return name === undefined
    ? { how: "exited", exitCode, signal: "" }
    : { how: "killed", exitCode, signal: name };
}

/** rustc itself reports everything about a script as JSON. */
function wasNotStarted(exitCode: number, { messages, plain }: RustcOutput): boolean {
  return (
    exitCode > 0 && messages.length === 0 && (exitCode === 126 || exitCode === 127 || NOT_STARTED.test(plain))
  );
}
