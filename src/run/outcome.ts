import type { z } from "zod";
import { type Diagnostic, ownDiagnostic } from "../compile/diagnostics.ts";
import type { Limits } from "../limits.ts";
import type { Outcome, TrapCode } from "../result.ts";
import type { RunRecord } from "./run.ts";

/** Characters of stderr that are searched for a panic message, from its end. */
const PANIC_WINDOW = 64 * 1024;

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
  const { end } = record;
  switch (end.how) {
    case "exit":
      if (end.exitCode !== 0) return { status: "failed", exitCode: end.exitCode, output: parseJson(stdout) };
      return okOutcome(stdout, outputSchema);
    case "trap":
      return trapOutcome(end.code, end.message, record, stderr, limits);
    case "deadline":
      return exceeded("wallTimeMs", `the run took longer than ${limits.wallTimeMs} ms and was killed`);
    case "stack-overflow":
      return exceeded("stackBytes", `the call stack outgrew ${limits.stackBytes} bytes`);
    case "output-limit":
      return exceeded(
        "outputBytes",
        `the guest wrote more than ${limits.outputBytes} bytes to ${end.stream}`,
      );
    case "cancelled":
      return { status: "cancelled", reason: end.reason };
    case "cell-died":
      return {
        status: "trapped",
        code: "cell-died",
        message: `the cell died under the guest: ${end.message}`,
      };
    case "load-failed":
      return { status: "rejected", diagnostics: [refusedModule(end.message)] };
  }
}

/** The diagnostic of a module that may not run. */
export function refusedModule(message: string): Diagnostic {
  return ownDiagnostic("module-refused", message);
}

function exceeded(limit: keyof Limits, message: string): Outcome {
  return { status: "limit-exceeded", limit, message };
}

function okOutcome(stdout: string, outputSchema: z.ZodType | undefined): Outcome {
  const output = parseJson(stdout);
  if (outputSchema === undefined) return { status: "ok", exitCode: 0, output };
  const parsed = outputSchema.safeParse(output);
  return parsed.success
    ? { status: "ok", exitCode: 0, output: parsed.data }
    : { status: "invalid-output", exitCode: 0, issues: parsed.error.issues };
}

function trapOutcome(
  code: string,
  message: string,
  record: RunRecord,
  stderr: string,
  limits: Limits,
): Outcome {
  if (code === "unreachable") {
    // Rust aborts by `unreachable` after a panic and after a failed allocation alike. A panic has said so on stderr;
    // of the others, the counter of refused growths, which the guest cannot touch, tells.
    const panic = parsePanic(stderr);
    if (panic !== null) return { status: "panicked", ...panic };
    if (record.refusedGrowths > 0) {
      return exceeded("memoryBytes", `the guest needed more than ${limits.memoryBytes} bytes of memory`);
    }
  }
  return { status: "trapped", code: TRAP_CODES.has(code) ? (code as TrapCode) : "other", message };
}

interface Panic {
  message: string;
  file: string | null;
  line: number | null;
  column: number | null;
}

/**
 * The last panic on stderr, as Rust's default hook prints it since 1.73:
 * `thread 'main' panicked at src/main.rs:2:5:`, the message, and often a note on backtraces.
 */
export function parsePanic(stderr: string): Panic | null {
  const text = stderr.slice(-PANIC_WINDOW);
  const start = text.lastIndexOf("\nthread '") + 1;
  const match = /^thread '[^'\n]*'(?: \(\d+\))? panicked at ([^\n]*?):(\d+):(\d+):\n/.exec(text.slice(start));
  if (match === null) return null;
  const [head, file = null, line, column] = match;
  const message = text
    .slice(start + head.length)
    .replace(/\n(?:note: run with `RUST_BACKTRACE=|stack backtrace:)[\s\S]*$/, "")
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
