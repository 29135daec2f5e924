import { availableParallelism } from "node:os";
import type { z } from "zod";
import type { Capabilities } from "./capabilities.ts";
import type { CompileLimits } from "./compile/compile-limits.ts";
import type { JailMode } from "./jail/jail.ts";
import type { Limits } from "./limits.ts";
import type { Engine } from "./run/engine.ts";
import type { PoolOptions } from "./run/pool.ts";
import type { StdinSource } from "./run/stdin.ts";
import type { StoreOptions } from "./store/store.ts";

/** Rust edition of a script. */
export type Edition = "2015" | "2018" | "2021" | "2024";
/** `fast-compile`: seconds count until the first result. `fast-run`: the module will run often or long. */
export type Profile = "fast-compile" | "fast-run";
/** Where guests run: a child process of their own, or a thread of this process. */
export type IsolationMode = "process" | "worker";

/** How much the store keeps. */
export type StoreBounds = Required<Pick<StoreOptions, "memoryBytes" | "diskBytes" | "maxAgeMs">>;

/** What an executor is made with. All of it is optional. */
export interface ExecutorOptions {
  /** Path of the rustc to use. Default: `RUSTC`, then rustc on PATH, then the one that `scriptcell setup` installed. */
  toolchain?: string;
  /** Directory of the store and of scriptcell's own toolchain. Default `$XDG_CACHE_HOME/scriptcell`, else `~/.cache/scriptcell`. */
  cacheDir?: string;
  /** Default `process`. */
  isolation?: IsolationMode;
  /** The operating system's sandbox around process cells and the compiler. Default `auto`. */
  jail?: JailMode;
  /**
   * Whose WASI host serves guests that say nothing themselves. Default `preview1`, scriptcell's own. `node-wasi` is Node's
   * `node:wasi`, for comparison: it is no sandbox, so it needs `isolation: "process"` and a jail, and each run takes a fresh
   * cell. What it cannot hold a guest to is refused with `INVALID_OPTIONS`: a clock other than `"real"`, seeded random bytes,
   * mounts that can be written to, scratch mounts and `files`. Every limit holds. No path leads out of its jail, but links in a
   * mount lead out of the mount; `denials` tells of `openFiles`, `hostCallBytes` and special files only.
   */
  engine?: Engine;
  /** Default `2024`. */
  edition?: Edition;
  /** Default `fast-compile`. */
  profile?: Profile;
  /** Limits of runs that say nothing themselves. Default {@link DEFAULT_LIMITS}. */
  limits?: Partial<Limits>;
  /** Limits that no run may exceed: a call that asks for more is an error. Default none. */
  ceilings?: Partial<Limits>;
  /** Capabilities of runs that say nothing themselves, field by field. Default none. */
  capabilities?: Capabilities;
  /** What a compile may use up. */
  compileLimits?: Partial<CompileLimits>;
  /** How many cells there are and how long they live. */
  cells?: Partial<PoolOptions>;
  /** How much the store keeps: `memoryBytes`, `diskBytes`, `maxAgeMs`. */
  store?: Partial<StoreBounds>;
  /** Told when something degraded that does not fail a run, such as a full disk. Default: `process.emitWarning`. */
  onWarning?: (message: string, cause?: unknown) => void;
}

/** What one compile may say. */
export interface CompileOptions {
  /** Default: the executor's. */
  edition?: Edition;
  /** Default: the executor's. */
  profile?: Profile;
  /**
   * Where the script does not compile and rustc is sure how to correct errors (its machine-applicable suggestions), apply that and
   * compile again, at most five times: so the whole takes at most six compiles, each under `compileLimits`. A script that compiles
   * is not touched. What was changed is in the result's `fix`: rustc was sure of it, and may still have missed what was meant.
   * Default false.
   */
  fix?: boolean;
  /** Aborting rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** What one run may say. */
export interface ExecuteOptions<Schema extends z.ZodType = z.ZodType> {
  /** JSON for stdin: any value that `JSON.stringify` takes. Not together with `stdin`. */
  input?: unknown;
  /** Stdin as text, bytes, or a stream of either, read as the guest reads. Not together with `input`. */
  stdin?: StdinSource;
  /**
   * Files that the guest finds, by guest path: text (as UTF-8) or bytes. They are put in memory for this run and never on the
   * caller's disk. In a scratch mount they can be changed; outside every mount their first directory is one that can only be
   * read. Counted in `limits.scratchBytes`; in a mounted host directory, or directly under `/`, they are an error. At most 10,000.
   */
  files?: Readonly<Record<string, Uint8Array | string>>;
  /**
   * Which files of scratch mounts come back in the result's `artifacts`: absolute patterns in which `*` stands for any characters
   * of a name, `?` for one, and `**` for any number of directories. At most 64, each of at most 1,024 characters.
   * A pattern that can match nothing in a scratch mount is an error. Default none.
   */
  artifacts?: readonly string[];
  /** What the guest may touch. A field given here replaces the executor's. */
  capabilities?: Capabilities;
  /** What the guest may use up. A field given here replaces the executor's. */
  limits?: Partial<Limits>;
  /** What stdout must parse to; the result's `output` has its type. A mismatch is `status: "invalid-output"`. */
  outputSchema?: Schema;
  /** Told of stdout as it comes, in the order written. If it throws, the run is ended and rejects with what it threw. */
  onStdout?: (chunk: Uint8Array) => void;
  /** Told of stderr as it comes. */
  onStderr?: (chunk: Uint8Array) => void;
  /** Cells that served one tenant never serve another. Default `""`. */
  tenant?: string;
  /** Whose WASI host serves the guest; see {@link ExecutorOptions.engine}. Default: the executor's. */
  engine?: Engine;
  /** Aborting ends the run, waiting or running: `status: "cancelled"`. */
  signal?: AbortSignal;
}

/** What `run` may say: both steps. */
export interface RunOptions<Schema extends z.ZodType = z.ZodType>
  extends CompileOptions,
    ExecuteOptions<Schema> {
  signal?: AbortSignal;
}

const cores = availableParallelism();

/** What holds where neither the call nor the executor says anything. */
export const DEFAULT_CELLS: Readonly<PoolOptions> = Object.freeze({
  maxRunning: cores,
  maxIdle: cores,
  spares: 1,
  runsPerCell: 10_000,
  idleMs: 60_000,
  maxQueue: 1_000,
});
