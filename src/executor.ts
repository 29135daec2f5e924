import type { z } from "zod";
import { ScriptcellError } from "./errors.ts";
import { ModuleRefused } from "./instrument/instrument.ts";
import type { CompileOptions, ExecuteOptions, ExecutorOptions, RunOptions } from "./options.ts";
import { parseCompileOptions, parseExecuteOptions, parseRunOptions } from "./parse-options.ts";
import { planRun, type RunPlan } from "./plan-run.ts";
import { type ResolvedOptions, resolveExecutorOptions } from "./resolve-options.ts";
import type { CompiledModule, CompileResult, RunResult } from "./result.ts";
import type { PreparedModule } from "./run/cell.ts";
import { foreignModules } from "./run/foreign-modules.ts";
import { refusedModule } from "./run/outcome.ts";
import { Runner } from "./run/runner.ts";
import { openStdin } from "./run/stdin.ts";
import { type CellRecord, type Origin, resultOf, unstarted } from "./run-result.ts";
import { requireJail, ScriptCompiler, type ScriptRequest } from "./script-compiler.ts";

/** What `execute` runs: a compiled module, the hash of one in the store, or the bytes of any preview 1 module. */
export type ModuleSource = CompiledModule | string | Uint8Array;

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
    const plan = planRun(this.#options, parsed);
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
    const plan = planRun(this.#options, parsed, source);
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

  async #compileAndRun(request: ScriptRequest, plan: RunPlan): Promise<RunResult> {
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

  async #runModule(bytes: Uint8Array, plan: RunPlan, origin: Origin): Promise<RunResult> {
    let module: PreparedModule;
    try {
      module = this.#runner.prepare(bytes, plan.limits);
    } catch (error) {
      if (!(error instanceof ModuleRefused)) throw error;
      return unstarted({ status: "rejected", diagnostics: [refusedModule(error.message)] }, origin);
    }
    const { options, limits, placement, request, files } = plan;
    const { signal, onStdout, onStderr } = options;
    let record: CellRecord;
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
    return resultOf(record, plan, origin);
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

type CompileChoices = { [Key in "edition" | "profile" | "fix"]?: CompileOptions[Key] | undefined };

function isAbortOf(signal: AbortSignal | undefined, error: unknown): boolean {
  return signal?.aborted === true && error === signal.reason;
}
