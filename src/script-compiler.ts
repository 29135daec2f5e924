import { admission } from "./compile/admission.ts";
import { compileScript, rustcFlags } from "./compile/compile.ts";
import { compileWithFixes } from "./compile/fix.ts";
import { ScriptcellError } from "./errors.ts";
import { findBubblewrap } from "./jail/bubblewrap.ts";
import type { Bubblewrap } from "./jail/jail.ts";
import type { Edition, Profile } from "./options.ts";
import type { ResolvedOptions } from "./resolve-options.ts";
import type { CompiledModule, CompileResult, ModuleOrigin } from "./result.ts";
import { storeKey } from "./store/key.ts";
import { modulesDirectory } from "./store/layout.ts";
import type { FoundModule, MadeModule, StoredModule, TieredStore } from "./store/store.ts";
import { openStore } from "./store/tiered.ts";
import { findToolchain } from "./toolchain/find.ts";
import type { Toolchain } from "./toolchain/toolchain.ts";

const TARGET = "wasm32-wasip1";

/** A script, and how it is to be compiled. */
export interface ScriptRequest {
  source: string;
  edition: Edition;
  profile: Profile;
  /** Whether rustc's own corrections are applied where it does not compile. */
  fix: boolean;
  signal: AbortSignal | undefined;
  /** The executor's own end. */
  closing: AbortSignal;
}

/** The first half of an executor: source → module, from memory, disk or rustc, whichever has it first. */
export class ScriptCompiler {
  readonly store: TieredStore;
  readonly #options: ResolvedOptions;
  #toolchain: Toolchain | undefined;
  #bubblewrap: Promise<Bubblewrap | null> | undefined;
  /** One module object per stored module, so that whoever knows the object knows the bytes. */
  readonly #modules = new WeakMap<StoredModule, CompiledModule>();

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.store = openStore({
      ...options.store,
      directory: modulesDirectory(options.cacheDir),
      ...(options.onWarning !== undefined && { onWarning: options.onWarning }),
    });
  }

  /** The module if it is in memory: the synchronous path of a warm run. */
  peek(request: ScriptRequest): CompileResult | undefined {
    if (this.#toolchain === undefined) return undefined;
    const key = this.#key(request, this.#toolchain);
    const module = this.store.peek(key);
    return module && this.#found(key, { ok: true, module, from: "memory" });
  }

  /** @throws ScriptcellError, or the signal's reason */
  async compile(request: ScriptRequest): Promise<CompileResult> {
    const startedAt = performance.now();
    const compile = (source: string) => this.#compileAsIs({ ...request, source });
    const { result, fix } = request.fix
      ? await compileWithFixes(request.source, compile)
      : { result: await compile(request.source), fix: null };
    return { ...result, fix, durationMs: performance.now() - startedAt };
  }

  async #compileAsIs(request: ScriptRequest): Promise<CompileResult> {
    request.signal?.throwIfAborted();
    const toolchain = await this.#findToolchain();
    const key = this.#key(request, toolchain);
    const found = await this.store.getOrCompile(
      key,
      (signal) => this.#admitted(request, toolchain, signal),
      AbortSignal.any(request.signal === undefined ? [request.closing] : [request.closing, request.signal]),
    );
    return this.#found(key, found);
  }

  /** The module that the store holds under a hash. @throws ScriptcellError MODULE_NOT_FOUND */
  async lookUp(hash: string): Promise<{ module: CompiledModule; from: ModuleOrigin }> {
    const inMemory = this.store.peek(hash);
    const stored = inMemory ?? (await this.store.get(hash));
    if (stored === undefined) {
      throw new ScriptcellError(
        "MODULE_NOT_FOUND",
        `the store holds no module ${hash}: compile its script again`,
      );
    }
    return { module: this.#module(hash, stored), from: inMemory === undefined ? "disk" : "memory" };
  }

  async #findToolchain(): Promise<Toolchain> {
    const { cacheDir, toolchain: rustc } = this.#options;
    const toolchain =
      this.#toolchain ?? (await findToolchain({ cacheDir, ...(rustc !== undefined && { rustc }) }));
    this.#toolchain = toolchain;
    return toolchain;
  }

  #admitted(request: ScriptRequest, toolchain: Toolchain, signal: AbortSignal): Promise<MadeModule> {
    const { memoryBytes } = this.#options.compileLimits;
    return admission.run(memoryBytes, () => this.#rustc(request, toolchain, signal), signal);
  }

  async #rustc(
    { source, edition, profile }: ScriptRequest,
    toolchain: Toolchain,
    signal: AbortSignal,
  ): Promise<MadeModule> {
    signal.throwIfAborted();
    this.#bubblewrap ??= requireJail(this.#options);
    const bubblewrap = await this.#bubblewrap;
    const limits = this.#options.compileLimits;
    const step = await compileScript(source, { toolchain, bubblewrap, edition, profile, limits, signal });
    return step.ok ? { ok: true, module: { bytes: step.bytes, diagnostics: step.diagnostics } } : step;
  }

  #key({ source, edition, profile }: ScriptRequest, toolchain: Toolchain): string {
    const flags = rustcFlags(profile, edition, toolchain);
    return storeKey({ source, edition, flags, target: TARGET, rustc: toolchain.versionVerbose });
  }

  #found(key: string, found: FoundModule): CompileResult {
    const rest = { fix: null, durationMs: 0 };
    if (!found.ok) return { ok: false, diagnostics: found.diagnostics, ...rest };
    const { module, from } = found;
    return { ok: true, module: this.#module(key, module), diagnostics: module.diagnostics, from, ...rest };
  }

  #module(hash: string, stored: StoredModule): CompiledModule {
    let module = this.#modules.get(stored);
    if (module === undefined) {
      module = Object.freeze({ hash, bytes: stored.bytes, target: TARGET });
      this.#modules.set(stored, module);
    }
    return module;
  }
}

/** The jail that the options ask for. @throws ScriptcellError JAIL_UNAVAILABLE */
export async function requireJail({
  jail,
  cacheDir,
}: Pick<ResolvedOptions, "jail" | "cacheDir">): Promise<Bubblewrap | null> {
  if (jail === "off") return null;
  const probe = await findBubblewrap({ cacheDir });
  if (probe.ok) return probe.bubblewrap;
  if (jail === "auto") return null;
  throw new ScriptcellError("JAIL_UNAVAILABLE", `${probe.reason}: ${probe.remedy}`);
}
