import { dirname, join } from "node:path";
import type { Bubblewrap } from "../jail/jail.ts";
import { WALLS } from "../jail/walls.ts";
import { EXTENSION, PACKAGE_JSON, SOURCE_ROOT } from "./cell-code.ts";
import { inliningFlags } from "./inlining.ts";
import { hideKernelProc } from "./kernel-proc.ts";
import type { CellCommand } from "./process-cell.ts";
import type { WireMount } from "./protocol.ts";

/** All of scriptcell's own code that runs in a cell, relative to the source root. */
const CELL_CODE = [
  "guest",
  `run/protocol${EXTENSION}`,
  `run/framing${EXTENSION}`,
  `run/artifact-pattern${EXTENSION}`,
  `wasm/reserved${EXTENSION}`,
] as const;
/** Where that code lies inside the jail. */
const JAIL_CODE = "/cell/src";
const KIB = 1024;
const MIB = 1024 * KIB;

/** What the operating system needs to confine a cell. */
export interface CellConfinement {
  /** Null: no jail. */
  bubblewrap: Bubblewrap | null;
  /** Shared libraries and ELF interpreter of the Node binary; used inside the jail only. */
  nodeLibraries: readonly string[];
  /** `prlimit` and `setpriv` of util-linux, where they are there: absolute paths. */
  prlimit: string | undefined;
  setpriv: string | undefined;
}

/** A caller's mount with its host directory resolved. */
export type CellMount = WireMount;

/**
 * The command that starts a process cell, and its mounts as the cell will see them.
 * Outside in: `prlimit` bounds the process, `bwrap` takes the host away (or `setpriv` ties the cell's life to the host's),
 * then Node with a cleared environment.
 */
export function cellCommand(
  confinement: CellConfinement,
  stackBytes: number,
  mounts: readonly CellMount[],
): { command: CellCommand; mounts: readonly WireMount[] } {
  const { bubblewrap } = confinement;
  const bound =
    bubblewrap === null
      ? mounts
      : mounts.map((mount, i) => ({ ...mount, source: `/mounts/${i}`, fixed: true as const }));
  const code = bubblewrap === null ? SOURCE_ROOT : `${JAIL_CODE}/`;
  const node = [process.execPath, ...nodeFlags(stackBytes), join(code, "guest", `main${EXTENSION}`)];
  const around =
    bubblewrap === null ? lifeline(confinement) : [bubblewrap.path, ...jailArgs(confinement, mounts)];
  const [file = process.execPath, ...args] = [...processLimits(confinement, stackBytes), ...around, ...node];
  return { command: { file, args, env: bubblewrap?.env ?? {} }, mounts: bound };
}

/**
 * Settings of a cell's V8 and Node. The heap bound covers this host's own objects; guest memory is capped in the module.
 * A cell is meant for one core, because the others have cells of their own. Measured with the benchmark on two cores:
 * collecting garbage with helper threads takes twice the processor time (a third fewer runs per second), and collecting in
 * steps puts a millisecond on every twentieth run; the heap is small enough to be done with at once.
 */
export function nodeFlags(stackBytes: number): string[] {
  return [
    `--stack-size=${Math.floor(stackBytes / KIB)}`,
    "--max-old-space-size=256",
    "--max-semi-space-size=2",
    "--single-threaded-gc",
    "--no-incremental-marking",
    // For `guest/collect.ts`. Guests are wasm and reach no JavaScript.
    "--expose-gc",
    // One helper thread: it optimises hot code.
    "--v8-pool-size=1",
    ...inliningFlags(process.versions.node),
    // The paths of this package's own files are resolved already; looking for links in each costs a cell's start 9 ms.
    "--preserve-symlinks",
    "--preserve-symlinks-main",
    "--no-warnings",
    "--no-addons",
  ];
}

/** Limits of the process as a whole, inherited by all it starts. The engine's stack lies within the operating system's. */
function processLimits({ prlimit }: CellConfinement, stackBytes: number): string[] {
  if (prlimit === undefined) return [];
  const stack = stackBytes + 8 * MIB;
  return [prlimit, "--core=0:0", `--stack=${stack}:${stack}`, "--nofile=16384:16384"];
}

/** Without a jail, the kernel kills the cell when the host dies: a spinning guest never looks at its closed pipe. */
function lifeline({ setpriv }: CellConfinement): string[] {
  return setpriv === undefined ? [] : [setpriv, "--pdeathsig", "KILL", "--"];
}

function jailArgs({ nodeLibraries }: CellConfinement, mounts: readonly CellMount[]): string[] {
  const readOnly = (from: string, to = from): string[] => ["--ro-bind", from, to];
  return [
    ...WALLS,
    "--as-pid-1",
    ...readOnly(process.execPath),
    ...nodeLibraries.flatMap((library) => readOnly(library)),
    "--setenv",
    "LD_LIBRARY_PATH",
    [...new Set(nodeLibraries.map((library) => dirname(library)))].join(":"),
    ...CELL_CODE.flatMap((path) => readOnly(join(SOURCE_ROOT, path), `${JAIL_CODE}/${path}`)),
    ...readOnly(PACKAGE_JSON, "/cell/package.json"),
    "--proc",
    "/proc",
    ...hideKernelProc(),
    ...mounts.flatMap((mount, i) => [
      mount.access === "read" ? "--ro-bind" : "--bind",
      mount.source,
      `/mounts/${i}`,
    ]),
    "--remount-ro",
    "/",
    "--chdir",
    "/",
    "--",
  ];
}
