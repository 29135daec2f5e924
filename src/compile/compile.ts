import { isAbsolute, join } from "node:path";
import { ScriptcellError } from "../errors.ts";
import type { Bubblewrap } from "../jail/jail.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";
import { type Attempt, attempt, type Build } from "./attempt.ts";
import { boundDiagnostics, translateMessages } from "./collect-diagnostics.ts";
import type { CompileLimits } from "./compile-limits.ts";
import type { Diagnostic } from "./diagnostics.ts";
import type { Confinement } from "./jail.ts";
import { findProcessTools } from "./process-tools.ts";
import type { RustcMessage } from "./rustc-messages.ts";
import { refuseSource } from "./source-refusal.ts";
import { keepSyntaxErrors, switchOff } from "./syntax-only.ts";
import type { Presentation } from "./translate-message.ts";
import {
  describeFailure,
  describeForeignInput,
  describeLargeModule,
  describeWithheld,
  isSelfContained,
} from "./verdict.ts";
import { createWorkspace, readOutput, type Workspace } from "./workspace.ts";

export { rustcFlags } from "./rustc-flags.ts";

/** How a script is to be compiled. */
export interface CompileStepOptions extends Build {
  /** The jail around the compiler; null: none, and sources that could read the host's files are refused instead. */
  bubblewrap: Bubblewrap | null;
  limits: CompileLimits;
}

/** What a compile came to. Where `ok` is false, at least one diagnostic is an error. */
export type CompileStep =
  | { ok: true; bytes: Uint8Array; diagnostics: readonly Diagnostic[] }
  | { ok: false; diagnostics: readonly Diagnostic[] };

/**
 * Compiles a script to a wasm32-wasip1 module. The script is hostile text: rustc runs confined, what it wrote is checked,
 * and nothing of this machine is in the module or in the diagnostics. Every fault of the script is a value.
 *
 * @throws ScriptcellError `COMPILER_FAILED` where rustc could not be started; the signal's reason where it was aborted.
 */
export async function compileScript(source: string, options: CompileStepOptions): Promise<CompileStep> {
  options.signal?.throwIfAborted();
  const step = await compileUnbounded(source, options);
  return { ...step, diagnostics: boundDiagnostics(step.diagnostics, options.limits.diagnosticsBytes) };
}

async function compileUnbounded(source: string, options: CompileStepOptions): Promise<CompileStep> {
  const { bubblewrap, edition, limits } = options;
  const refusal = refuseSource(source, edition, bubblewrap !== null, limits);
  if (refusal !== undefined) return { ok: false, diagnostics: [refusal] };

  const confinement = { bubblewrap, tools: await findProcessTools(), limits };
  await using workspace = await openWorkspace(source);
  const made = await attempt(workspace, confinement, options);
  if (!isSelfContained(made.end, made.dependencies, workspace.scriptName)) {
    return { ok: false, diagnostics: [describeForeignInput()] };
  }
  if (made.end.exitCode === 0) return await collectModule(made, workspace, options);
  return { ok: false, diagnostics: await explain(made, source, workspace, confinement, options) };
}

async function collectModule(
  { end }: Attempt,
  workspace: Workspace,
  options: CompileStepOptions,
): Promise<CompileStep> {
  const { toolchain, limits } = options;
  const module = await readOutput(join(workspace.out, workspace.moduleName), limits.outputBytes);
  const diagnostics = translateMessages(end.messages, presentation(toolchain, workspace));
  if (module === "too-large")
    return { ok: false, diagnostics: [...diagnostics, describeLargeModule(limits)] };
  if (module !== "missing") return { ok: true, bytes: module, diagnostics };
  throw new ScriptcellError(
    "COMPILER_FAILED",
    "rustc reports success but wrote no module: run `scriptcell doctor`",
  );
}

/** Why there is no module. */
async function explain(
  { end, dependencies }: Attempt,
  source: string,
  workspace: Workspace,
  confinement: Confinement,
  options: CompileStepOptions,
): Promise<Diagnostic[]> {
  let { messages } = end;
  if (confinement.bubblewrap === null && dependencies === "missing") {
    messages = end.how === "exited" ? await vouchFor(messages, source, confinement, options) : [];
    // Where something else ended the compile, that is still to be said.
    if (messages.length === 0 && end.how === "exited" && end.exitCode === 1) return [describeWithheld()];
  }
  return describeFailure({ ...end, messages }, options.limits, presentation(options.toolchain, workspace));
}

/** Those messages that are about the script's syntax, and so quote nothing else. */
async function vouchFor(
  messages: readonly RustcMessage[],
  source: string,
  confinement: Confinement,
  options: CompileStepOptions,
): Promise<RustcMessage[]> {
  await using workspace = await openWorkspace(switchOff(source));
  const { end } = await attempt(workspace, confinement, options);
  return keepSyntaxErrors(messages, end.messages);
}

/** Diagnostics name the script alone, and take the paths of this machine out of all texts. */
function presentation({ sysroot, rustc, linker }: Toolchain, { root, scriptName }: Workspace): Presentation {
  // A distribution's sysroot is `/usr`, which scripts may well speak of themselves.
  const places = [join(sysroot, "lib", "rustlib"), sysroot, rustc, linker ?? rustc, root];
  const secret = places.filter((path) => isAbsolute(path) && path.split("/").length > 3);
  const scrub = (text: string) =>
    secret.reduce((cleaned, path) => cleaned.replaceAll(path, "<toolchain>"), text);
  return { script: scriptName, scrub };
}

async function openWorkspace(source: string): Promise<Workspace> {
  try {
    return await createWorkspace(source);
  } catch (cause) {
    const remedy = "check TMPDIR and the disk's free space";
    throw new ScriptcellError("COMPILER_FAILED", `no temporary directory can be made: ${remedy}`, { cause });
  }
}
