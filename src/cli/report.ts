import type { Outcome, RunResult } from "../result.ts";
import { countDiagnostics, printDiagnostics } from "./diagnostics.ts";
import { describeDenial } from "./grants.ts";
import { limitFlag } from "./limit-options.ts";
import { formatBytes, formatMs, printNote, styled } from "./print.ts";
import { visible } from "./terminal.ts";

/** Denials that are told one by one. */
const MAX_DENIALS_TOLD = 10;

/** What wasi-libc says, without asking the host, where no mount covers a path. */
const NO_MOUNT = "failed to find a pre-opened file descriptor";

/** Tells a person on stderr how a run ended, where it did not end well, and what it was refused. */
export function reportRun(file: string, result: RunResult, mounts: number): void {
  if (result.status === "rejected") printDiagnostics(result.diagnostics);
  const ending = describeEnding(file, result);
  if (ending !== undefined) line("red", ending);
  for (const denial of result.denials.slice(0, MAX_DENIALS_TOLD))
    line("yellow", `denied: ${describeDenial(denial)}`);
  const untold = result.denials.length - MAX_DENIALS_TOLD;
  if (untold > 0) line("yellow", `denied: ${untold} more (--json lists them)`);
  if (result.status !== "ok" && result.stderr.includes(NO_MOUNT)) {
    line(
      "yellow",
      `hint: the script asked for a path outside its ${mounts === 0 ? "mounts, of which it has none" : "mounts"}: --mount HOST:GUEST`,
    );
  }
}

/** One line of figures. */
export function printStats(result: RunResult): void {
  const { compileMs, moduleFrom, durationMs, peakMemoryBytes, isolation } = result;
  const facts = [
    moduleFrom === null ? undefined : `module from ${moduleFrom} in ${formatMs(compileMs)}`,
    `run ${formatMs(durationMs)}`,
    peakMemoryBytes === null ? undefined : `peak memory ${formatBytes(peakMemoryBytes)}`,
    isolation === null
      ? undefined
      : `${isolation.cell} cell, ${isolation.jail === "none" ? "no jail" : `in ${isolation.jail}`}`,
  ];
  printNote(facts.filter((fact) => fact !== undefined).join(" · "));
}

function describeEnding(file: string, outcome: Outcome): string | undefined {
  switch (outcome.status) {
    case "ok":
      return undefined;
    case "failed":
      return `exited with code ${outcome.exitCode}`;
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
      return `${file} was not run: ${countDiagnostics(outcome.diagnostics)}`;
  }
}

function line(colour: "red" | "yellow", text: string): void {
  process.stderr.write(`${styled(colour, "scriptcell:")} ${visible(text)}\n`);
}
