import { ScriptcellError } from "../errors.ts";
import { EXIT, EXIT_OF_ERROR } from "./exit-codes.ts";
import { Interruption } from "./interruption.ts";
import { printError, printJson } from "./print.ts";

/** A command cannot do what it was asked, for a reason that lies with the request: the message says what to do. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Does a command's work, and makes of what it throws a message (with `json`, a document on stdout) and an exit code. */
export async function conclude(json: boolean, work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work();
  } catch (error) {
    process.exitCode = reportFailure(error, json);
  }
}

/** Says why nothing came of a command. Returns the exit code. */
export function reportFailure(error: unknown, json: boolean): number {
  const { code, message, exitCode } = explain(error);
  if (json) printJson({ status: "error", code, message });
  else if (exitCode !== EXIT.brokenPipe) printError(message);
  return exitCode;
}

function explain(error: unknown): { code: string; message: string; exitCode: number } {
  if (error instanceof ScriptcellError) {
    return { code: error.code, message: error.message, exitCode: EXIT_OF_ERROR[error.code] };
  }
  if (error instanceof Interruption)
    return { code: "INTERRUPTED", message: error.message, exitCode: error.exitCode };
  if (error instanceof CommandFailure) {
    return {
      code: FAILURE_CODES[error.exitCode] ?? "FAILED",
      message: error.message,
      exitCode: error.exitCode,
    };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: "INTERNAL", message: `this should not have happened: ${message}`, exitCode: EXIT.internal };
}

const FAILURE_CODES: Readonly<Record<number, string>> = {
  [EXIT.usage]: "INVALID_OPTIONS",
  [EXIT.rejected]: "REJECTED",
  [EXIT.noInput]: "UNREADABLE",
  [EXIT.cannotCreate]: "UNWRITABLE",
};
