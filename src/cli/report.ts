import type { Outcome, RunResult } from "../result.ts";
import { printBacktrace } from "./backtrace.ts";
import { countDiagnostics, printDiagnostics } from "./diagnostics.ts";
import { MAX_EXIT_CODE } from "./exit-codes.ts";
import { describeDenial } from "./grants.ts";
import { nameOf } from "./input.ts";
import { limitFlag } from "./limit-options.ts";
import { formatBytes, formatCount, formatMs, printNote, styled } from "./print.ts";
import { visible } from "./terminal.ts";

/** Denials that are told one by one. */
const MAX_DENIALS_TOLD = 10;

/** Tells a person on stderr how a run ended, where it did not end well, what it was refused, and what to do instead. */
export function reportRun(file: string, result: RunResult): void {
  if (result.status === "rejected") printDiagnostics(result.diagnostics);
  const ending = describeEnding(file, result);
  if (ending !== undefined) line("red", ending);
  printBacktrace(result);
  for (const denial of result.denials.slice(0, MAX_DENIALS_TOLD))
    line("yellow", `denied: ${describeDenial(denial)}`);
  const untold = result.denials.length - MAX_DENIALS_TOLD;
  if (untold > 0) line("yellow", `denied: ${untold} more (--json lists them)`);
  for (const hint of result.hints) line("cyan", `hint: ${hint}`);
}

/** One line of figures. */
export function printStats(result: RunResult): void {
  const { compileMs, moduleFrom, durationMs, fuelUsed, peakMemoryBytes, isolation } = result;
  const facts = [
    moduleFrom === null ? undefined : `module from ${moduleFrom} in ${formatMs(compileMs)}`,
    `run ${formatMs(durationMs)}`,
    fuelUsed === null ? undefined : `fuel ${formatCount(fuelUsed)}`,
    peakMemoryBytes === null ? undefined : `peak memory ${formatBytes(peakMemoryBytes)}`,
    isolation === null
      ? undefined
      : `${isolation.cell} cell, ${isolation.jail === "none" ? "no jail" : `in ${isolation.jail}`}, ${isolation.engine}`,
  ];
  printNote(facts.filter((fact) => fact !== undefined).join(" · "));
}

function describeEnding(file: string, outcome: Outcome): string | undefined {
  switch (outcome.status) {
    case "ok":
      return undefined;
    case "failed":
      return outcome.exitCode <= MAX_EXIT_CODE
        ? `exited with code ${outcome.exitCode}`
        : `exited with code ${outcome.exitCode}, passed on as ${MAX_EXIT_CODE}`;
    case "invalid-output":
      return "its output is not what was asked for";
    case "panicked":
      // The message is on stderr already: the script printed it.
      return outcome.file === null
        ? "panicked"
        : `panicked at ${outcome.file}:${outcome.line}:${outcome.column}`;
    case "trapped":
      return `trapped (${outcome.code}): ${outcome.message}`;
    case "limit-exceeded":
      return `stopped at a limit: ${outcome.message}; ${limitFlag(outcome.limit)} raises it`;
    case "cancelled":
      return `cancelled: ${outcome.reason instanceof Error ? outcome.reason.message : outcome.reason}`;
    case "rejected":
      return `${nameOf(file)} was not run: ${countDiagnostics(outcome.diagnostics)}`;
  }
}

function line(colour: "red" | "yellow" | "cyan", text: string): void {
  process.stderr.write(`${styled(colour, "scriptcell:")} ${visible(text)}\n`);
}
