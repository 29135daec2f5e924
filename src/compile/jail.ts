import type { Bubblewrap } from "../jail/jail.ts";
import { WALLS } from "../jail/walls.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";
import type { CompileLimits } from "./compile-limits.ts";
import type { ProcessTools } from "./process-tools.ts";
import { CODEGEN_UNITS } from "./rustc-flags.ts";
import type { Workspace } from "./workspace.ts";

/** A program with all that it is started with. */
export interface Command {
  file: string;
  args: readonly string[];
  /** The whole environment. */
  env: Readonly<Record<string, string>>;
  cwd: string;
}

/** rustc's files, named as rustc itself sees them. */
export interface RustcPaths {
  /** The source, relative to the working directory: this name is in diagnostics and panics. */
  script: string;
  module: string;
  depInfo: string;
  /** Directory for object files and the like. */
  scratch: string;
}

/** What confines one compile. */
export interface Confinement {
  /** Null: no jail. */
  bubblewrap: Bubblewrap | null;
  tools: ProcessTools;
  limits: CompileLimits;
}

const MIB = 1024 * 1024;
/** `--size` for a tmpfs came with bubblewrap 0.7. */
const SIZED_TMPFS = [0, 7];

const JAIL_SOURCE = "/script";
const JAIL_OUT = "/out";
const JAIL_SCRATCH = "/scratch";

/** Where rustc finds and puts its files. Relative outside of a jail, so that nothing can print where this machine keeps them. */
export function rustcPaths(confinement: Confinement, workspace: Workspace): RustcPaths {
  const jailed = confinement.bubblewrap !== null;
  const out = jailed ? JAIL_OUT : `../${workspace.outName}`;
  const scratch = jailed ? JAIL_SCRATCH : `../${workspace.scratchName}`;
  return {
    script: workspace.scriptName,
    module: `${out}/${workspace.moduleName}`,
    depInfo: `${out}/${workspace.depInfoName}`,
    scratch,
  };
}

/**
 * The command that runs rustc confined. Outside in: `prlimit` bounds each process, then `bwrap` takes the host away, or
 * `setpriv` ties the compiler's life to this process.
 */
export function confinedRustc(
  toolchain: Toolchain,
  flags: readonly string[],
  confinement: Confinement,
  workspace: Workspace,
): Command {
  const { bubblewrap, tools, limits } = confinement;
  const variables = rustcVariables(rustcPaths(confinement, workspace).scratch);
  const rustc = [toolchain.rustc, ...flags];
  const around =
    bubblewrap === null
      ? tools.setpriv === undefined
        ? []
        : [tools.setpriv, "--pdeathsig", "KILL", "--"]
      : [
          bubblewrap.path,
          ...jailArgs(bubblewrap, toolchain, { ...toolchain.env, ...variables }, limits, workspace),
          "--",
        ];
  return {
    file: tools.prlimit,
    args: [...processLimits(limits), "--", ...around, ...rustc],
    // Not the toolchain's own variables: outside of a jail it finds its libraries by itself, and `prlimit` must not find them.
    env: bubblewrap === null ? variables : bubblewrap.env,
    cwd: workspace.source,
  };
}

/** All that rustc finds in its environment besides what its toolchain needs. */
function rustcVariables(scratch: string): Record<string, string> {
  return {
    // Scripts get the stable language even from a nightly compiler, whose unstable features reach further.
    RUSTC_BOOTSTRAP: "-1",
    // No report of a compiler crash in the working directory.
    RUSTC_ICE: "0",
    // glibc sets 64 MiB of address space aside for each arena, and makes one for nearly every thread: `memoryBytes` would go there.
    MALLOC_ARENA_MAX: "2",
    TMPDIR: scratch,
  };
}

/** Limits of each process. A file may be larger than the module, because objects are linked into it and then stripped. */
function processLimits({ memoryBytes, wallTimeMs, outputBytes }: CompileLimits): string[] {
  const cpuSeconds = Math.ceil((wallTimeMs / 1000) * CODEGEN_UNITS) + 1;
  return [
    `--as=${memoryBytes}`,
    `--cpu=${cpuSeconds}:${cpuSeconds + 1}`,
    `--fsize=${fileBytes(outputBytes)}`,
    "--core=0",
    "--nofile=256",
  ];
}

function fileBytes(outputBytes: number): number {
  return 2 * outputBytes + 8 * MIB;
}

/** Nothing but the toolchain and the script to read, and one directory to write, which holds the two results. */
function jailArgs(
  bubblewrap: Bubblewrap,
  toolchain: Toolchain,
  variables: Readonly<Record<string, string>>,
  { outputBytes }: CompileLimits,
  workspace: Workspace,
): string[] {
  // Parents first: a file below a directory that is bound as well is mounted over, not under it.
  const roots = [...new Set(toolchain.roots)].sort();
  return [
    ...WALLS,
    ...Object.entries(variables).flatMap(([name, value]) => ["--setenv", name, value]),
    ...roots.flatMap((root) => ["--ro-bind", root, root]),
    "--ro-bind",
    workspace.source,
    JAIL_SOURCE,
    "--bind",
    workspace.out,
    JAIL_OUT,
    ...(hasSizedTmpfs(bubblewrap)
      ? ["--size", String((CODEGEN_UNITS + 1) * fileBytes(outputBytes)), "--tmpfs", JAIL_SCRATCH]
      : ["--bind", workspace.scratch, JAIL_SCRATCH]),
    "--remount-ro",
    "/",
    "--chdir",
    JAIL_SOURCE,
  ];
}

function hasSizedTmpfs({ version }: Bubblewrap): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [needMajor = 0, needMinor = 0] = SIZED_TMPFS;
  return major > needMajor || (major === needMajor && minor >= needMinor);
}
