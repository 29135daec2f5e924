import type { z } from "zod";
import type { HostMount, Mount, RandomGrant } from "./capabilities.ts";
import { ScriptcellError } from "./errors.ts";
import { type Given, hintsFor } from "./explain/hints.ts";
import { ModuleRefused } from "./instrument/instrument.ts";
import type { Limits } from "./limits.ts";
import type { CompileOptions, ExecuteOptions, ExecutorOptions, RunOptions } from "./options.ts";
import {
  type ParsedExecuteOptions,
  parseCompileOptions,
  parseExecuteOptions,
  parseRunOptions,
} from "./parse-options.ts";
import {
  mergeCapabilities,
  mergeLimits,
  type ParsedCapabilities,
  type ResolvedOptions,
  resolveExecutorOptions,
} from "./resolve-options.ts";
import type { CompiledModule, CompileResult, Outcome, RunReport, RunResult } from "./result.ts";
import { NO_ARTIFACTS } from "./run/artifacts.ts";
import type { AttachedFile, PreparedModule } from "./run/cell.ts";
import { checkEngineGrants, checkEnginePlace } from "./run/engine.ts";
import { foreignModules } from "./run/foreign-modules.ts";
import { resolveMounts } from "./run/mounts.ts";
import { refusedModule, toOutcome, usedFuel } from "./run/outcome.ts";
import type { RunRequest, WireClock } from "./run/protocol.ts";
import type { RunRecord } from "./run/run.ts";
import { type Placement, Runner } from "./run/runner.ts";
import { planScratch } from "./run/scratch.ts";
import { openStdin } from "./run/stdin.ts";
import { requireJail, ScriptCompiler, type ScriptRequest } from "./script-compiler.ts";

/** What `execute` runs: a compiled module, the hash of one in the store, or the bytes of any preview 1 module. */
export type ModuleSource = CompiledModule | string | Uint8Array;

const NO_BYTES = new Uint8Array(0);
const COMPILED_NOTHING: Origin = { moduleFrom: null, compileMs: 0, fix: null };

/**
 * Compiles untrusted Rust scripts and runs each in a cell of its own.
 * Make one per process and keep it: its cells and its store are what makes the second run fast.
 */
export class ScriptExecutor implements AsyncDisposable {
  readonly #options: ResolvedOptions;
  readonly #compiler: ScriptCompiler;
  readonly #runner: Runner;
  readonly #ownBytes = foreignModules();
  readonly #closing = new AbortController();

  /** Starts nothing yet. @throws ScriptcellError INVALID_OPTIONS */
  constructor(options: ExecutorOptions = {}) {
    this.#options = resolveExecutorOptions(options);
    this.#compiler = new ScriptCompiler(this.#options);
    const { isolation, cells } = this.#options;
    this.#runner = new Runner({ isolation, cells, jail: () => requireJail(this.#options) });
  }

  /**
   * Compiles a script, or finds it in the store. A script that does not compile is a value.
   * @throws ScriptcellError INVALID_OPTIONS, RUSTC_MISSING, TARGET_MISSING, RUSTC_TOO_OLD, COMPILER_FAILED,
   * JAIL_UNAVAILABLE, OVERLOADED, EXECUTOR_CLOSED; the signal's reason when aborted
   */
  async compile(source: string, options: CompileOptions = {}): Promise<CompileResult> {
    const { signal, ...parsed } = parseCompileOptions(options);
    const request = this.#scriptRequest(source, parsed, signal);
    return this.#compiler.peek(request) ?? this.#compiler.compile(request);
  }

  /**
   * Runs a module. However the guest ends is a value.
   * @throws ScriptcellError INVALID_OPTIONS, MODULE_NOT_FOUND, MOUNT_REFUSED, JAIL_UNAVAILABLE, OVERLOADED, CELL_FAILED,
   * EXECUTOR_CLOSED; what a callback or a stdin stream threw
   */
  async execute<Schema extends z.ZodType = z.ZodUnknown>(
    module: ModuleSource,
    options: ExecuteOptions<Schema> = {},
  ): Promise<RunResult<z.output<Schema>>> {
    const parsed = parseExecuteOptions(options);
    this.#checkOpen();
    const plan = this.#plan(parsed);
    const bytes = await this.#bytesOf(module);
    return (await this.#runModule(bytes, plan, COMPILED_NOTHING)) as RunResult<z.output<Schema>>;
  }

  /**
   * Compiles a script and runs it: {@link compile}, then {@link execute}. A script that does not compile comes back as
   * `status: "rejected"` with its diagnostics.
   * @throws ScriptcellError as both do
   */
  async run<Schema extends z.ZodType = z.ZodUnknown>(
    source: string,
    options: RunOptions<Schema> = {},
  ): Promise<RunResult<z.output<Schema>>> {
    const parsed = parseRunOptions(options);
    const request = this.#scriptRequest(source, parsed, parsed.signal);
    const plan = this.#plan(parsed, source);
    return (await this.#compileAndRun(request, plan)) as RunResult<z.output<Schema>>;
  }

  /** Ends every run and compile and every cell, and waits until the last process is gone. Safe to call twice. */
  async close(): Promise<void> {
    this.#closing.abort(
      new ScriptcellError("EXECUTOR_CLOSED", "the executor was closed while this was under way"),
    );
    await Promise.all([this.#runner.close(), this.#compiler.store.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #compileAndRun(request: ScriptRequest, plan: Plan): Promise<RunResult> {
    let compiled = this.#compiler.peek(request);
    if (compiled === undefined) {
      // A cell starts while rustc works. If it cannot, the run says so.
      this.#runner.warm(plan.placement).catch(() => {});
      try {
        compiled = await this.#compiler.compile(request);
      } catch (error) {
        if (!isAbortOf(request.signal, error)) throw error;
        return unstarted({ status: "cancelled", reason: error }, COMPILED_NOTHING);
      }
    }
    const { durationMs: compileMs, diagnostics, fix } = compiled;
    if (!compiled.ok)
      return unstarted({ status: "rejected", diagnostics }, { moduleFrom: null, compileMs, fix });
    return this.#runModule(compiled.module.bytes, plan, { moduleFrom: compiled.from, compileMs, fix });
  }

  async #runModule(bytes: Uint8Array, plan: Plan, origin: Origin): Promise<RunResult> {
    let module: PreparedModule;
    try {
      module = this.#runner.prepare(bytes, plan.limits);
    } catch (error) {
      if (!(error instanceof ModuleRefused)) throw error;
      return unstarted({ status: "rejected", diagnostics: [refusedModule(error.message)] }, origin);
    }
    const { options, limits, placement, request, files } = plan;
    const { signal, onStdout, onStderr } = options;
    let record: RunRecord & Pick<RunReport, "isolation">;
    try {
      signal?.throwIfAborted();
      const stdin = openStdin(options.stdin);
      const { wallTimeMs } = limits;
      record = await this.#runner.run(placement, {
        module,
        request,
        stdin,
        files,
        wallTimeMs,
        onStdout,
        onStderr,
        signal,
      });
    } catch (error) {
      if (isAbortOf(signal, error)) return unstarted({ status: "cancelled", reason: error }, origin);
      // A cell that was ended while it started.
      const closing = this.#closing.signal;
      if (closing.aborted && error instanceof ScriptcellError && error.code === "CELL_FAILED")
        throw closing.reason;
      throw error;
    }
    if (this.#closing.signal.aborted && record.end.how === "cell-died") {
      record.end = { how: "cancelled", reason: this.#closing.signal.reason };
    }
    return this.#result(record, plan, origin);
  }

  #result(
    record: RunRecord & Pick<RunReport, "isolation">,
    { options, limits, given }: Plan,
    origin: Origin,
  ): RunResult {
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

  /** Everything about a run but its module. @throws ScriptcellError INVALID_OPTIONS, MOUNT_REFUSED */
  #plan(options: ParsedExecuteOptions, source?: string): Plan {
    const limits = mergeLimits(this.#options.limits, options.limits, this.#options.ceilings);
    const capabilities = mergeCapabilities(this.#options.capabilities, options.capabilities);
    const engine = options.engine ?? this.#options.engine;
    checkEnginePlace(engine, this.#options);
    const all = (capabilities.mounts ?? []) as readonly Mount[];
    const mounts = resolveMounts(
      all.filter((mount): mount is HostMount => mount.access !== "scratch"),
      this.#options.cacheDir,
    );
    const { scratch, files } = planScratch(
      { mounts: all, files: options.files ?? {}, artifacts: options.artifacts ?? [] },
      limits,
    );
    checkEngineGrants(engine, { ...capabilities, scratch });
    const request = { ...runRequest(capabilities, limits), scratch };
    return {
      options,
      limits,
      // What lies in memory is no part of it: any warm cell can have it.
      placement: { tenant: options.tenant ?? "", engine, mounts, stackBytes: limits.stackBytes },
      request,
      files,
      given: { args: request.args.length, stdin: options.stdin !== undefined, source },
    };
  }

  #scriptRequest(source: string, options: CompileChoices, signal?: AbortSignal): ScriptRequest {
    this.#checkOpen();
    if (typeof source !== "string")
      throw new ScriptcellError("INVALID_OPTIONS", "the script must be a string of Rust source");
    return {
      source,
      edition: options.edition ?? this.#options.edition,
      profile: options.profile ?? this.#options.profile,
      fix: options.fix ?? false,
      signal,
      closing: this.#closing.signal,
    };
  }

  async #bytesOf(module: ModuleSource): Promise<Uint8Array> {
    if (module instanceof Uint8Array) return this.#ownBytes(module);
    if (typeof module === "string") return (await this.#compiler.lookUp(module)).module.bytes;
    if (module?.bytes instanceof Uint8Array) return module.bytes;
    throw new ScriptcellError(
      "INVALID_OPTIONS",
      "execute takes a compiled module, the hash of one, or the bytes of one",
    );
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted)
      throw new ScriptcellError("EXECUTOR_CLOSED", "the executor was closed; make a new one");
  }
}

/** Everything about a run but its module. */
interface Plan {
  options: ParsedExecuteOptions;
  limits: Limits;
  placement: Placement;
  request: Omit<RunRequest, "module" | "stdin">;
  files: readonly AttachedFile[];
  given: Given;
}

type Origin = Pick<RunReport, "moduleFrom" | "compileMs" | "fix">;

type CompileChoices = { [Key in "edition" | "profile" | "fix"]?: CompileOptions[Key] | undefined };

function runRequest(capabilities: ParsedCapabilities, limits: Limits): Plan["request"] {
  const { fuel, outputBytes, diskBytes, openFiles, hostCallBytes } = limits;
  return {
    args: capabilities.args ?? ["script"],
    env: capabilities.env ?? {},
    clock: wireClock(capabilities.clock ?? "denied"),
    random: wireRandom(capabilities.random ?? "secure"),
    fuel: Number(fuel),
    outputBytes,
    diskBytes,
    openFiles,
    hostCallBytes,
    terminal: capabilities.terminal ?? false,
  };
}

function wireClock(clock: NonNullable<ParsedCapabilities["clock"]>): WireClock {
  if (typeof clock === "string") return { kind: clock };
  return { kind: "frozen", epochNs: (BigInt(clock.frozen.getTime()) * 1_000_000n).toString() };
}

function wireRandom(random: RandomGrant): RunRequest["random"] {
  return random === "secure" ? { kind: "secure" } : { kind: "seeded", seed: String(random.seed) };
}

/** The result of a run that never reached a cell. */
function unstarted(outcome: Outcome, origin: Origin): RunResult {
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

function isAbortOf(signal: AbortSignal | undefined, error: unknown): boolean {
  return signal?.aborted === true && error === signal.reason;
}

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
