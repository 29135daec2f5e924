import type { z } from "zod";
import { type Diagnostic, ownDiagnostic } from "../compile/diagnostics.ts";
import { ScriptcellError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Outcome, StackFrame, TrapCode } from "../result.ts";
import type { RunRecord } from "./run.ts";

const TRAP_CODES: ReadonlySet<string> = new Set<TrapCode>([
  "unreachable",
  "out-of-bounds-memory",
  "out-of-bounds-table",
  "indirect-call-type-mismatch",
  "integer-divide-by-zero",
  "integer-overflow",
  "invalid-conversion",
]);

/** What a run's end means: exit, trap or kill → outcome. */
export function toOutcome(
  record: RunRecord,
  stdout: string,
  stderr: string,
  limits: Limits,
  outputSchema: z.ZodType | undefined,
): Outcome {
  const { end, fuelLeft } = record;
  // However it ended after that: a guest that is beyond its fuel may get as far as to its exit before it is looked.
  if (fuelLeft !== null && fuelLeft < 0) {
    return exceeded("fuel", `the guest needed more than ${limits.fuel} units of fuel`, record.backtrace);
  }
  switch (end.how) {
    case "exit":
      if (end.exitCode !== 0) return { status: "failed", exitCode: end.exitCode, output: parseJson(stdout) };
      return okOutcome(stdout, outputSchema);
    case "trap":
      return trapOutcome(end.code, end.message, record, stderr, limits);
    case "deadline":
      return exceeded(
        "wallTimeMs",
        `the run took longer than ${limits.wallTimeMs} ms and was killed`,
        record.backtrace,
      );
    case "stack-overflow":
      return exceeded("stackBytes", `the call stack outgrew ${limits.stackBytes} bytes`, record.backtrace);
    case "output-limit":
      return exceeded(
        "outputBytes",
        `the guest wrote more than ${limits.outputBytes} bytes to ${end.stream}`,
        record.backtrace,
      );
    case "cancelled":
      return { status: "cancelled", reason: end.reason };
    case "cell-died":
      return {
        status: "trapped",
        code: "cell-died",
        message: `the cell died under the guest: ${end.message}`,
        backtrace: record.backtrace,
      };
    case "load-failed":
      return { status: "rejected", diagnostics: [refusedModule(end.message)] };
  }
}

/** Units of fuel that a run has used, of those that it had. */
export function usedFuel({ fuel }: Limits, left: number | null): number | null {
  if (left === null) return null;
  const had = Number(fuel);
  // What stopped it may have cost more than was left; and what a cell says is not trusted to make sense.
  return Math.min(Math.max(had - left, 0), had);
}

/** The diagnostic of a module that may not run. */
export function refusedModule(message: string): Diagnostic {
  return ownDiagnostic("module-refused", message);
}

function exceeded(limit: keyof Limits, message: string, backtrace: readonly StackFrame[]): Outcome {
  return { status: "limit-exceeded", limit, message, backtrace };
}

function okOutcome(stdout: string, outputSchema: z.ZodType | undefined): Outcome {
  const output = parseJson(stdout);
  if (outputSchema === undefined) return { status: "ok", exitCode: 0, output };
  const parsed = parseOutput(output, outputSchema);
  return parsed.success
    ? { status: "ok", exitCode: 0, output: parsed.data }
    : { status: "invalid-output", exitCode: 0, issues: parsed.error.issues };
}

function parseOutput(output: unknown, outputSchema: z.ZodType): z.ZodSafeParseResult<unknown> {
  try {
    return outputSchema.safeParse(output);
  } catch (cause) {
    throw new ScriptcellError(
      "INVALID_OPTIONS",
      `outputSchema threw instead of answering: ${(cause as Error).message}; give a schema whose transforms and refinements are synchronous and do not throw`,
      { cause },
    );
  }
}

function trapOutcome(
  code: string,
  message: string,
  record: RunRecord,
  stderr: string,
  limits: Limits,
): Outcome {
  const { backtrace } = record;
  if (code === "unreachable") {
    // Rust aborts by `unreachable` after a panic and after a failed allocation alike. A panic has said so on stderr;
    // of the others, the counter of refused growths, which the guest cannot touch, tells.
    const panic = parsePanic(stderr);
    if (panic !== null) return { status: "panicked", ...panic, backtrace };
    if (record.refusedGrowths > 0) {
      return exceeded(
        "memoryBytes",
        `the guest needed more than ${limits.memoryBytes} bytes of memory`,
        backtrace,
      );
    }
  }
  return { status: "trapped", code: TRAP_CODES.has(code) ? (code as TrapCode) : "other", message, backtrace };
}

interface Panic {
  message: string;
  file: string | null;
  line: number | null;
  column: number | null;
}

/** The first line of a panic message, as Rust's default hook prints it since 1.73: `thread 'main' panicked at src/main.rs:2:5:`. */
const PANIC_HEAD = /^thread '[^'\n]*'(?: \(\d+\))? panicked at ([^\n]*?):(\d+):(\d+):\n/gm;
/** What the hook prints below the message. */
const PANIC_FOOT = /\n(?:note: run with `RUST_BACKTRACE=|stack backtrace:)[\s\S]*$/;

/** The last panic on stderr. It is the guest's own account of itself, and no more to be trusted than its output is. */
export function parsePanic(stderr: string): Panic | null {
  let last: RegExpExecArray | undefined;
  for (const match of stderr.matchAll(PANIC_HEAD)) last = match;
  if (last === undefined) return null;
  const [head, file = null, line, column] = last;
  const message = stderr
    .slice(last.index + head.length)
    .replace(PANIC_FOOT, "")
    .trimEnd();
  return { message, file, line: Number(line), column: Number(column) };
}

/** The value, or undefined where the text is not JSON. */
function parseJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
