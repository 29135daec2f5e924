import type { Denial, StackFrame } from "../result.ts";
import { type ArtifactIntake, type Artifacts, createArtifactIntake, NO_ARTIFACTS } from "./artifacts.ts";
import { stackFrame } from "./backtrace.ts";
import type { AttachedFile, CellListener, PreparedModule } from "./cell.ts";
import type { Frame } from "./framing.ts";
import type { Lease } from "./pool.ts";
import { type CellMessage, type GuestEnd, MAX_DENIALS, MAX_FRAMES, type RunRequest } from "./protocol.ts";
import type { Stdin } from "./stdin.ts";

/** Milliseconds after a kill until a run is settled even if its cell has not confirmed its end. */
const KILL_GRACE_MS = 1_000;

/** Milliseconds that a cell may take to start, on a machine that is busy with other things. */
const START_MS = 30_000;

/** One run, with everything resolved. */
export interface RunJob {
  module: PreparedModule;
  request: Omit<RunRequest, "module" | "stdin">;
  stdin: Stdin;
  /** Files of the request's scratch mounts. Default none. */
  files?: readonly AttachedFile[];
  wallTimeMs: number;
  onStdout?: ((chunk: Uint8Array) => void) | undefined;
  onStderr?: ((chunk: Uint8Array) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** How a run ended, as seen from the host. */
export type RunEnd =
  | GuestEnd
  | { how: "deadline" }
  | { how: "cancelled"; reason: unknown }
  | { how: "cell-died"; message: string };

/** What a run left. */
export interface RunRecord {
  end: RunEnd;
  stdout: Uint8Array;
  stderr: Uint8Array;
  truncated: { stdout: boolean; stderr: boolean };
  durationMs: number;
  /** Below zero where the guest ran out of it; null where its cell did not live to say it. */
  fuelLeft: number | null;
  peakMemoryBytes: number | null;
  refusedGrowths: number;
  denials: Denial[];
  /** Empty where the cell did not live to send all of them. */
  artifacts: Artifacts;
  /** The guest's functions that were running when it was stopped; empty where its cell did not live to say it. */
  backtrace: readonly StackFrame[];
}

/** What a cell says of a run when it is over. */
type LastWords = Pick<
  RunRecord,
  "fuelLeft" | "peakMemoryBytes" | "refusedGrowths" | "artifacts" | "backtrace"
>;

/** Of a cell that did not live to say it. */
const NOTHING_SAID: LastWords = {
  fuelLeft: null,
  peakMemoryBytes: null,
  refusedGrowths: 0,
  artifacts: NO_ARTIFACTS,
  backtrace: [],
};

/**
 * Runs a job in a leased cell and gives the lease back. Rejects only where there is no run to report on: a callback or a
 * stdin stream that threw, a cell that could not be started, or the signal's reason where that was aborted before the start.
 */
export async function runInCell(lease: Lease, job: RunJob): Promise<RunRecord> {
  const { cell } = lease;
  if (cell.runs === 0) await started(lease, job.signal);
  return new Promise((resolve, reject) => new ActiveRun(lease, job, resolve, reject).start());
}

async function started({ cell, release }: Lease, signal: AbortSignal | undefined): Promise<void> {
  // Cells do not keep Node alive; this timer does while one starts.
  const deadline = setTimeout(() => cell.kill(), START_MS);
  let abort = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
  });
  try {
    signal?.throwIfAborted();
    await Promise.race([cell.ready, aborted]);
  } catch (error) {
    release(false);
    throw error;
  } finally {
    clearTimeout(deadline);
    signal?.removeEventListener("abort", abort);
  }
}

/** A run between its start and its settling: the one place that knows both the cell's messages and the host's deadline. */
class ActiveRun implements CellListener {
  readonly #lease: Lease;
  readonly #job: RunJob;
  readonly #resolve: (record: RunRecord) => void;
  readonly #reject: (error: unknown) => void;
  readonly #stdout: CappedOutput;
  readonly #stderr: CappedOutput;
  readonly #denials: Denial[] = [];
  readonly #backtrace: StackFrame[] = [];
  readonly #artifacts: ArtifactIntake;
  #startedAt = 0;
  #deadline: NodeJS.Timeout | undefined;
  /** Set once the host has decided to end the run, whatever the cell says after that. */
  #verdict: RunEnd | undefined;
  #settled = false;
  #pulling = false;

  constructor(
    lease: Lease,
    job: RunJob,
    resolve: (record: RunRecord) => void,
    reject: (error: unknown) => void,
  ) {
    this.#lease = lease;
    this.#job = job;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#stdout = new CappedOutput(job.request.outputBytes, job.onStdout);
    this.#stderr = new CappedOutput(job.request.outputBytes, job.onStderr);
    this.#artifacts = createArtifactIntake(job.request.scratch);
  }

  start(): void {
    const { module, request, stdin, files = [], wallTimeMs, signal } = this.#job;
    this.#startedAt = performance.now();
    if (signal?.aborted === true) {
      this.#settle({ how: "cancelled", reason: signal.reason }, NOTHING_SAID, true);
      return;
    }
    signal?.addEventListener("abort", this.#abort, { once: true });
    const attached = { stdin: stdin.attached, files };
    this.#lease.cell.run(module, { ...request, stdin: stdin.mode }, attached, this);
    // This timer is also what keeps Node alive during the run: cells never do.
    this.#deadline = setTimeout(() => this.#end({ how: "deadline" }), wallTimeMs);
  }

  onMessage({ message, payload }: Frame<CellMessage>): void {
    if (this.#settled) return;
    switch (message.kind) {
      case "stdout":
      case "stderr":
        this.#output(message.kind === "stdout" ? this.#stdout : this.#stderr, message.kind, payload);
        break;
      case "pull":
        if (this.#pulling) throw new Error("pull before the last one was answered");
        void this.#answerPull(message.maxBytes);
        break;
      case "denial": {
        const { kind: _, ...denial } = message;
        if (this.#denials.length < MAX_DENIALS) this.#denials.push({ ...denial, count: 1 });
        break;
      }
      case "artifact":
        this.#artifacts.begin(payload, message.bytes);
        break;
      case "artifact-bytes":
        this.#artifacts.push(payload);
        break;
      case "stack-frame":
        if (this.#backtrace.length === MAX_FRAMES) throw new Error("more frames than a backtrace has");
        this.#backtrace.push(stackFrame(message));
        break;
      case "done": {
        const artifacts = this.#artifacts.finish();
        for (const [i, denial] of this.#denials.entries())
          denial.count = Math.max(1, message.denialCounts[i] ?? 1);
        // Of a run that the host has ended nobody can say whether it sent all that it left.
        const ended = this.#verdict !== undefined;
        const said = {
          ...message,
          artifacts: ended ? NO_ARTIFACTS : artifacts,
          backtrace: ended ? [] : this.#backtrace,
        };
        this.#settle(this.#verdict ?? message.end, said, message.end.how === "exit" && !ended);
        break;
      }
      case "ready":
        throw new Error("ready twice");
    }
  }

  onGone(reason: string): void {
    this.#settle(this.#verdict ?? { how: "cell-died", message: reason }, NOTHING_SAID, false);
  }

  readonly #abort = (): void => this.#end({ how: "cancelled", reason: this.#job.signal?.reason });

  /** The host ends the run: the cell is killed, and what it had sent before is still collected. */
  #end(verdict: RunEnd): void {
    if (this.#verdict !== undefined || this.#settled) return;
    this.#verdict = verdict;
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#settle(verdict, NOTHING_SAID, false), KILL_GRACE_MS);
    this.#lease.cell.kill();
  }

  #output(sink: CappedOutput, stream: "stdout" | "stderr", payload: Uint8Array): void {
    try {
      // The cell stops its guest at the cap; one that does not is not ours any more.
      if (!sink.push(payload)) this.#end({ how: "output-limit", stream });
    } catch (error) {
      this.#fail(error);
    }
  }

  async #answerPull(maxBytes: number): Promise<void> {
    this.#pulling = true;
    try {
      const answer = this.#job.stdin.pull(maxBytes);
      const { chunk, end } = answer instanceof Promise ? await answer : answer;
      this.#pulling = false;
      if (!this.#settled) this.#lease.cell.sendStdin(chunk, end);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The caller's own code threw. */
  #fail(error: unknown): void {
    if (this.#settled) return;
    this.#close(false);
    this.#reject(error);
  }

  #settle(end: RunEnd, said: LastWords, reusable: boolean): void {
    if (this.#settled) return;
    const durationMs = performance.now() - this.#startedAt;
    this.#close(reusable);
    if (end.how === "output-limit") (end.stream === "stdout" ? this.#stdout : this.#stderr).truncated = true;
    this.#resolve({
      end,
      stdout: this.#stdout.bytes(),
      stderr: this.#stderr.bytes(),
      truncated: { stdout: this.#stdout.truncated, stderr: this.#stderr.truncated },
      durationMs,
      fuelLeft: said.fuelLeft,
      peakMemoryBytes: said.peakMemoryBytes,
      refusedGrowths: said.refusedGrowths,
      denials: this.#denials,
      artifacts: said.artifacts,
      backtrace: said.backtrace,
    });
  }

  #close(reusable: boolean): void {
    this.#settled = true;
    clearTimeout(this.#deadline);
    this.#job.signal?.removeEventListener("abort", this.#abort);
    this.#job.stdin.cancel();
    this.#lease.release(reusable);
  }
}

/** One captured stream. */
class CappedOutput {
  truncated = false;
  readonly #chunks: Uint8Array[] = [];
  readonly #onChunk: ((chunk: Uint8Array) => void) | undefined;
  #room: number;

  constructor(maxBytes: number, onChunk: ((chunk: Uint8Array) => void) | undefined) {
    this.#room = maxBytes;
    this.#onChunk = onChunk;
  }

  /** Keeps what fits; false where something did not. */
  push(payload: Uint8Array): boolean {
    // A copy: the payload is part of a large receive buffer that should not live as long as the result.
    const kept = new Uint8Array(payload.subarray(0, this.#room));
    this.#room -= kept.length;
    if (kept.length > 0) {
      this.#chunks.push(kept);
      this.#onChunk?.(kept);
    }
    if (kept.length === payload.length) return true;
    this.truncated = true;
    return false;
  }

  bytes(): Uint8Array {
    const [first] = this.#chunks;
    if (first !== undefined && this.#chunks.length === 1) return first;
    const whole = new Uint8Array(this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    let offset = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, offset);
      offset += chunk.length;
    }
    return whole;
  }
}
