import { hintsFor } from "./explain/hints.ts";
import type { RunPlan } from "./plan-run.ts";
import type { Outcome, RunReport, RunResult } from "./result.ts";
import { NO_ARTIFACTS } from "./run/artifacts.ts";
import { toOutcome, usedFuel } from "./run/outcome.ts";
import type { RunRecord } from "./run/run.ts";

const NO_BYTES = new Uint8Array(0);

/** Where the module of a run comes from, as its result tells. */
export type Origin = Pick<RunReport, "moduleFrom" | "compileMs" | "fix">;

/** What a cell tells of a run. */
export type CellRecord = RunRecord & Pick<RunReport, "isolation">;

/** The result of a run that a cell has ended. */
export function resultOf(record: CellRecord, { options, limits, given }: RunPlan, origin: Origin): RunResult {
  const stdout = decode(record.stdout);
  const stderr = decode(record.stderr);
  const outcome = toOutcome(record, stdout, stderr, limits, options.outputSchema);
  const { denials } = record;
  return {
    ...outcome,
    stdout,
    stderr,
    stdoutBytes: record.stdout,
    stderrBytes: record.stderr,
    truncated: record.truncated,
    durationMs: record.durationMs,
    fuelUsed: usedFuel(limits, record.fuelLeft),
    peakMemoryBytes: record.peakMemoryBytes,
    denials,
    hints: hintsFor(outcome, { stderr, denials }, { ...given, source: origin.fix?.source ?? given.source }),
    artifacts: record.artifacts,
    isolation: record.isolation,
    ...origin,
  };
}

/** The result of a run that never reached a cell. */
export function unstarted(outcome: Outcome, origin: Origin): RunResult {
  return {
    ...outcome,
    stdout: "",
    stderr: "",
    stdoutBytes: NO_BYTES,
    stderrBytes: NO_BYTES,
    truncated: { stdout: false, stderr: false },
    durationMs: 0,
    fuelUsed: 0,
    peakMemoryBytes: null,
    denials: [],
    hints: [],
    artifacts: NO_ARTIFACTS,
    isolation: null,
    ...origin,
  };
}

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
