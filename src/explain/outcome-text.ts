import { inspect } from "node:util";
import type { Outcome, RunResult } from "../result.ts";
import type { Part } from "./budget.ts";
import { cleanLine, cleanLines, fenced, headLines, quote, tailLines } from "./clean.ts";
import { denialLine } from "./denial-text.ts";
import { describeFix, fixNote } from "./fix-text.ts";
import { numberedLine } from "./source-lines.ts";
import { LIMIT_ADVICE, TRAPS } from "./trap-text.ts";

/** The script's name in what the compiler and the panics say. */
const SCRIPT = "script.rs";
/** The path of a file of the standard library, wherever rustc was built. */
const STANDARD_LIBRARY = /\/library\/((?:alloc|core|std)\/src\/[\w./-]{1,200}\.rs)$/;
/** What Rust prints to people at a terminal. */
const BACKTRACE_NOTE = /^note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace$/gm;
const MAX_MESSAGE_LINES = 8;
const MAX_FRAMES = 10;
const MAX_DENIALS = 10;
const MAX_ISSUES = 10;
const MAX_STDERR_LINES = 10;
const MAX_STDOUT_LINES = 10;
const CUT_OFF = ", which was cut off at limits.outputBytes";

type Ran = Exclude<Outcome, { status: "rejected" }>;

/** A run as parts of a text, the most important ones first. */
export function describeRun(result: RunResult & Ran, given: string | undefined): [Part, ...Part[]] {
  const source = result.fix?.source ?? given;
  const failed = result.status !== "ok";
  const [stdout, stderr] = [stdoutPart(result), stderrPart(result)];
  return [
    { lines: [...describeOutcome(result, source), ...fixNote(result.fix)] },
    ...whereAny({ lines: result.hints.map((hint) => `hint: ${cleanLine(hint, 400)}`) }),
    ...whereAny({ lines: denialLines(result) }),
    ...whereAny(backtracePart(result)),
    ...(failed ? [...stderr, ...stdout] : [...stdout, ...stderr]),
    ...describeFix(result.fix),
  ];
}

function whereAny(part: Part): Part[] {
  return part.lines.length === 0 ? [] : [part];
}

function describeOutcome(result: Ran, source: string | undefined): string[] {
  switch (result.status) {
    case "ok":
      return ["The script succeeded."];
    case "failed":
      return [`The script exited with code ${result.exitCode}.`];
    case "invalid-output":
      return ["The script succeeded, but its output is not what was asked for:", ...issueLines(result)];
    case "panicked":
      return describePanic(result, source);
    case "trapped": {
      const said = result.code === "cell-died" || result.code === "other" ? indented(result.message) : [];
      return [`The script trapped (${result.code}): ${TRAPS[result.code]}.`, ...said];
    }
    case "limit-exceeded":
      return [
        `The script was stopped at a limit (${result.limit}): ${cleanLine(result.message)}.`,
        `To do: ${LIMIT_ADVICE[result.limit]}.`,
      ];
    case "cancelled":
      return ["The run was cancelled:", ...indented(describeReason(result.reason))];
  }
}

function describePanic(panic: Extract<Ran, { status: "panicked" }>, source: string | undefined): string[] {
  const { message, file, line } = panic;
  const text = file === SCRIPT && line !== null ? source?.split("\n")[line - 1] : undefined;
  const shown = text === undefined || line === null ? [] : [numberedLine(line, text)];
  return [`The script panicked${placeOfPanic(panic)}:`, ...indented(message), ...shown];
}

/** Where it panicked, in the words of whoever wrote the panic: the file may be made up. */
function placeOfPanic({ file, line, column }: Extract<Ran, { status: "panicked" }>): string {
  if (file === null) return "";
  if (file === SCRIPT) return ` at ${SCRIPT}:${line}:${column}`;
  const inLibrary = STANDARD_LIBRARY.exec(file)?.[1];
  if (inLibrary === undefined) return ` at ${quote(file)}:${line}:${column}`;
  return ` inside Rust's standard library, at ${quote(inLibrary)}:${line}`;
}

function describeReason(reason: unknown): string {
  if (reason instanceof Error) return reason.message;
  return typeof reason === "string" ? reason : inspect(reason, { depth: 1 });
}

function issueLines({ issues }: Extract<Ran, { status: "invalid-output" }>): readonly string[] {
  const told = issues.slice(0, MAX_ISSUES).map(({ path, message }) => {
    const place = path.length === 0 ? "the whole output" : cleanLine(path.map(String).join("."), 120);
    return `  | ${place}: ${cleanLine(message)}`;
  });
  return withUntold(told, issues.length);
}

/** Where the script was when it ended, innermost first. */
function backtracePart(result: Ran): Part {
  const frames = "backtrace" in result ? result.backtrace : [];
  const runs: Array<{ name: string; count: number }> = [];
  for (const { function: name } of frames) {
    const last = runs.at(-1);
    // Recursion is one line, however deep.
    if (last?.name === name) last.count++;
    else runs.push({ name, count: 1 });
  }
  const told = runs
    .slice(0, MAX_FRAMES)
    .map(({ name, count }) => `  at ${cleanLine(name, 160)}${count > 1 ? ` (${count} times)` : ""}`);
  return { title: "backtrace:", lines: withUntold(told, runs.length) };
}

function withUntold(told: readonly string[], count: number): readonly string[] {
  return count > told.length ? [...told, `  and ${count - told.length} more`] : told;
}

function denialLines({ denials }: Pick<RunResult, "denials">): string[] {
  const told = denials.slice(0, MAX_DENIALS).map(denialLine);
  const untold = denials.length - told.length;
  return untold > 0 ? [...told, `denied: ${untold} more`] : told;
}

/** The end of stderr, without the panic message, which is told already. */
function stderrPart(result: RunResult & Ran): Part[] {
  const text = result.status === "panicked" ? withoutPanic(result.stderr) : result.stderr;
  const { lines, cut } = tailLines(text.replace(BACKTRACE_NOTE, ""), MAX_STDERR_LINES);
  const title = `${cut ? "the last lines of stderr" : "stderr"}${result.truncated.stderr ? CUT_OFF : ""}:`;
  return whereAny({ title, lines: lines.map(fenced) });
}

function withoutPanic(stderr: string): string {
  const head = "thread '";
  const at = stderr.lastIndexOf(`\n${head}`);
  if (at >= 0) return stderr.slice(0, at);
  return stderr.startsWith(head) ? "" : stderr;
}

function stdoutPart({ stdout, truncated, status }: RunResult & Ran): Part[] {
  const { lines, cut } = headLines(stdout, MAX_STDOUT_LINES);
  if (lines.length === 0 && status === "ok") return [{ lines: ["stdout: empty"] }];
  const title = `${cut ? "the first lines of stdout" : "stdout"}${truncated.stdout ? CUT_OFF : ""}:`;
  return whereAny({ title, lines: lines.map(fenced) });
}

function indented(text: string): string[] {
  return cleanLines(text, MAX_MESSAGE_LINES).map(fenced);
}
