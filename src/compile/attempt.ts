import { join } from "node:path";
import type { Toolchain } from "../toolchain/toolchain.ts";
import { type Dependencies, readDepInfo } from "./dep-info.ts";
import { type Confinement, confinedRustc, type RustcPaths, rustcPaths } from "./jail.ts";
import { type RustcEnd, runRustc } from "./rustc.ts";
import { type Edition, type Profile, rustcFlags } from "./rustc-flags.ts";
import { readOutput, type Workspace } from "./workspace.ts";

/** What rustc is to make of a script, and with what. */
export interface Build {
  toolchain: Toolchain;
  edition: Edition;
  profile: Profile;
  signal?: AbortSignal;
}

const MAX_DEP_INFO_BYTES = 1024 * 1024;

/** One run of rustc, and what it read. */
export interface Attempt {
  end: RustcEnd;
  dependencies: Dependencies;
}

/** Runs rustc on the script of a workspace. @throws ScriptcellError `COMPILER_FAILED`; the signal's reason */
export async function attempt(
  workspace: Workspace,
  confinement: Confinement,
  { toolchain, edition, profile, signal }: Build,
): Promise<Attempt> {
  const paths = rustcPaths(confinement, workspace);
  const flags = [...rustcFlags(profile, edition, toolchain), ...pathFlags(toolchain, paths)];
  const end = await runRustc(
    confinedRustc(toolchain, flags, confinement, workspace),
    confinement.limits.wallTimeMs,
    signal,
  );
  const depInfo = await readOutput(join(workspace.out, workspace.depInfoName), MAX_DEP_INFO_BYTES);
  if (depInfo === "too-large") return { end, dependencies: "foreign" };
  const text = depInfo === "missing" ? undefined : new TextDecoder().decode(depInfo);
  return { end, dependencies: readDepInfo(text, paths.script, [paths.depInfo, paths.module]) };
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
