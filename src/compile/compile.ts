import { isAbsolute, join } from "node:path";
import { ScriptcellError } from "../errors.ts";
import type { Bubblewrap } from "../jail/jail.ts";
import { findOnPath } from "../toolchain/path.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";
import { boundDiagnostics, translateMessages } from "./collect-diagnostics.ts";
import type { CompileLimits } from "./compile-limits.ts";
import { readDepInfo } from "./dep-info.ts";
import { type Diagnostic, ownDiagnostic } from "./diagnostics.ts";
import { type Confinement, confinedRustc, type ProcessTools, type RustcPaths, rustcPaths } from "./jail.ts";
import { type RustcEnd, runRustc } from "./rustc.ts";
import { type Edition, type Profile, rustcFlags } from "./rustc-flags.ts";
import { checkSource } from "./source-check.ts";
import { spanAt } from "./source-span.ts";
import { describeFailure, describeForeignInput, describeLargeModule, isSelfContained } from "./verdict.ts";
import { createWorkspace, readOutput, type Workspace } from "./workspace.ts";

export { rustcFlags } from "./rustc-flags.ts";

/** How a script is to be compiled. */
export interface CompileStepOptions {
  toolchain: Toolchain;
  /** The jail around the compiler; null: none, and sources that could read the host's files are refused instead. */
  bubblewrap: Bubblewrap | null;
  edition: Edition;
  profile: Profile;
  limits: CompileLimits;
  /** Aborting kills the compiler and rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** What a compile came to. Where `ok` is false, at least one diagnostic is an error. */
export type CompileStep =
  | { ok: true; bytes: Uint8Array; diagnostics: readonly Diagnostic[] }
  | { ok: false; diagnostics: readonly Diagnostic[] };

const MAX_DEP_INFO_BYTES = 1024 * 1024;

/**
 * Compiles a script to a wasm32-wasip1 module. The script is hostile text: rustc runs confined, what it wrote is checked,
 * and nothing of this machine is in the module or in the diagnostics. Every fault of the script is a value.
 *
 * @throws ScriptcellError `COMPILER_FAILED` where rustc could not be started; the signal's reason where it was aborted.
 */
export async function compileScript(source: string, options: CompileStepOptions): Promise<CompileStep> {
  const { toolchain, bubblewrap, edition, profile, limits, signal } = options;
  signal?.throwIfAborted();
  const refusal = refuseSource(source, options);
  if (refusal !== undefined)
    return { ok: false, diagnostics: boundDiagnostics([refusal], limits.diagnosticsBytes) };

  const confinement: Confinement = { bubblewrap, tools: await findTools(), limits };
  await using workspace = await openWorkspace(source);
  const paths = rustcPaths(confinement, workspace);
  const flags = [...rustcFlags(profile, edition, toolchain), ...pathFlags(toolchain, paths)];
  const command = confinedRustc(toolchain, flags, confinement, workspace);
  const end = await runRustc(command, limits.wallTimeMs, signal);
  const step = await judge(end, paths, workspace, options);
  return { ...step, diagnostics: boundDiagnostics(step.diagnostics, limits.diagnosticsBytes) };
}

/** What is wrong with a source before any compiler sees it. */
function refuseSource(
  source: string,
  { bubblewrap, edition, limits }: CompileStepOptions,
): Diagnostic | undefined {
  const bytes = Buffer.byteLength(source);
  if (bytes > limits.sourceBytes) {
    return ownDiagnostic(
      "source-too-large",
      `the source has ${bytes} bytes; ${limits.sourceBytes} are allowed`,
      { help: "give data as input or in a mount, or raise `compileLimits.sourceBytes`" },
    );
  }
  const refusal = bubblewrap === null ? checkSource(source, edition) : undefined;
  if (refusal === undefined) return undefined;
  return ownDiagnostic(
    "source-refused",
    `the script ${refusal.reason}; without a jail around the compiler it is refused`,
    {
      span: spanAt(source, refusal.start, refusal.end),
      ...(refusal.instead !== undefined && { help: refusal.instead }),
    },
  );
}

/** Flags that name paths: no part of a store key. */
function pathFlags({ sysroot, linker }: Toolchain, paths: RustcPaths): string[] {
  return [
    "--sysroot",
    sysroot,
    ...(linker === undefined ? [] : ["-C", `linker=${linker}`]),
    "--out-dir",
    paths.scratch,
    `--emit=link=${paths.module},dep-info=${paths.depInfo}`,
    "--",
    paths.script,
  ];
}

async function judge(
  end: RustcEnd,
  paths: RustcPaths,
  workspace: Workspace,
  { toolchain, limits }: CompileStepOptions,
): Promise<CompileStep> {
  const depInfo = await readOutput(join(workspace.out, workspace.depInfoName), MAX_DEP_INFO_BYTES);
  const text = typeof depInfo === "string" ? undefined : new TextDecoder().decode(depInfo);
  const dependencies =
    depInfo === "too-large" ? "foreign" : readDepInfo(text, paths.script, [paths.depInfo, paths.module]);
  if (!isSelfContained(end, dependencies, paths.script))
    return { ok: false, diagnostics: [describeForeignInput()] };

  const presentation = { script: paths.script, scrub: pathScrubber(toolchain, workspace) };
  if (end.exitCode !== 0) return { ok: false, diagnostics: describeFailure(end, limits, presentation) };

  const module = await readOutput(join(workspace.out, workspace.moduleName), limits.outputBytes);
  const diagnostics = translateMessages(end.messages, presentation);
  if (module === "too-large")
    return { ok: false, diagnostics: [...diagnostics, describeLargeModule(limits)] };
  if (module === "missing") {
    throw new ScriptcellError(
      "COMPILER_FAILED",
      "rustc reports success but wrote no module: run `scriptcell doctor`",
    );
  }
  return { ok: true, bytes: module, diagnostics };
}

/** Takes the paths of this machine out of a text: rustc names its libraries where it finds two of a kind, for example. */
function pathScrubber({ sysroot, rustc, linker }: Toolchain, { root }: Workspace): (text: string) => string {
  // A distribution's sysroot is `/usr`, which scripts may well speak of themselves.
  const places = [join(sysroot, "lib", "rustlib"), sysroot, rustc, linker ?? rustc, root];
  const secret = places.filter((path) => isAbsolute(path) && path.split("/").length > 3);
  return (text) => secret.reduce((cleaned, path) => cleaned.replaceAll(path, "<toolchain>"), text);
}

async function openWorkspace(source: string): Promise<Workspace> {
  try {
    return await createWorkspace(source);
  } catch (cause) {
    throw new ScriptcellError(
      "COMPILER_FAILED",
      "no temporary directory can be made: check TMPDIR and the disk's free space",
      { cause },
    );
  }
}

let tools: Promise<ProcessTools> | undefined;

/** @throws ScriptcellError `COMPILER_FAILED`: without `prlimit` nothing bounds the compiler's memory. */
function findTools(): Promise<ProcessTools> {
  tools ??= locateTools();
  tools.catch(() => {
    tools = undefined;
  });
  return tools;
}

async function locateTools(): Promise<ProcessTools> {
  const [[prlimit], [setpriv]] = await Promise.all([findOnPath("prlimit"), findOnPath("setpriv")]);
  if (prlimit !== undefined) return { prlimit, setpriv };
  const remedy =
    "install util-linux (`apt install util-linux`); other systems than Linux cannot bound a compiler yet";
  throw new ScriptcellError(
    "COMPILER_FAILED",
    `there is no prlimit on PATH to bound the compiler's memory: ${remedy}`,
  );
}
