import { availableParallelism } from "node:os";
import { z } from "zod";
import { type Capabilities, capabilitiesSchema, MAX_TEXT_BYTES, textBytes } from "./capabilities.ts";
import { type CompileLimits, compileLimitsSchema, DEFAULT_COMPILE_LIMITS } from "./compile/compile-limits.ts";
import { ScriptcellError } from "./errors.ts";
import type { JailMode } from "./jail/jail.ts";
import { DEFAULT_LIMITS, type LimitName, type Limits, limitsSchema } from "./limits.ts";
import { checkEnginePlace, type Engine } from "./run/engine.ts";
import type { PoolOptions } from "./run/pool.ts";
import type { StdinSource } from "./run/stdin.ts";
import { DEFAULT_STORE_OPTIONS, type StoreOptions } from "./store/store.ts";
import { defaultCacheDir } from "./toolchain/cache-dir.ts";

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
   * mount lead out of the mount; `denials` tells of `openFiles` and special files only.
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

/** Files that are put in for one run, at most. */
const MAX_FILES = 10_000;

const edition = z.enum(["2015", "2018", "2021", "2024"]);
const engine = z.enum(["preview1", "node-wasi"]);
const profile = z.enum(["fast-compile", "fast-run"]);
const signal = z.instanceof(AbortSignal);
const callback = <Callback>() =>
  z.custom<Callback>((value) => typeof value === "function", "must be a function");

const executorSchema = z.strictObject({
  toolchain: z.string().min(1).optional(),
  cacheDir: z.string().min(1).optional(),
  isolation: z.enum(["process", "worker"]).optional(),
  jail: z.enum(["auto", "required", "off"]).optional(),
  engine: engine.optional(),
  edition: edition.optional(),
  profile: profile.optional(),
  limits: limitsSchema.optional(),
  ceilings: limitsSchema.optional(),
  capabilities: capabilitiesSchema.optional(),
  compileLimits: compileLimitsSchema.optional(),
  cells: z
    .strictObject({
      maxRunning: z.int().min(1).max(1024).optional(),
      maxIdle: z.int().min(0).max(1024).optional(),
      spares: z.int().min(0).max(64).optional(),
      runsPerCell: z.int().min(1).optional(),
      idleMs: z.int().min(1).max(86_400_000).optional(),
      maxQueue: z.int().min(0).optional(),
    })
    .optional(),
  store: z
    .strictObject({
      memoryBytes: z.int().min(0).optional(),
      diskBytes: z.int().min(0).optional(),
      maxAgeMs: z.int().min(0).optional(),
    })
    .optional(),
  onWarning: callback<NonNullable<ExecutorOptions["onWarning"]>>().optional(),
});

const compileFields = {
  edition: edition.optional(),
  profile: profile.optional(),
  fix: z.boolean().optional(),
  signal: signal.optional(),
};

const executeFields = {
  input: z.unknown().optional(),
  stdin: z
    .custom<StdinSource>(
      (value) =>
        typeof value === "string" ||
        value instanceof Uint8Array ||
        (typeof value === "object" && value !== null && Symbol.asyncIterator in value),
      "must be a string, a Uint8Array, a ReadableStream or an async iterable",
    )
    .optional(),
  files: z
    .custom<Readonly<Record<string, Uint8Array | string>>>(
      isRecordOfFiles,
      "must be an object of at most 10,000 files: guest paths, and text or bytes",
    )
    .optional(),
  artifacts: z.array(z.string().max(1024)).max(64).optional(),
  capabilities: capabilitiesSchema.optional(),
  limits: limitsSchema.optional(),
  outputSchema: z
    .custom<z.ZodType>(
      (value) => typeof (value as { safeParse?: unknown } | null)?.safeParse === "function",
      "must be a zod schema",
    )
    .optional(),
  onStdout: callback<(chunk: Uint8Array) => void>().optional(),
  onStderr: callback<(chunk: Uint8Array) => void>().optional(),
  tenant: z.string().optional(),
  engine: engine.optional(),
  signal: signal.optional(),
};

/** Not a zod record, which would drop a name such as `__proto__` instead of refusing it. */
function isRecordOfFiles(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array)
    return false;
  const contents: unknown[] = Object.values(value);
  return (
    contents.length <= MAX_FILES &&
    contents.every((content) => typeof content === "string" || content instanceof Uint8Array)
  );
}

const compileSchema = z.strictObject(compileFields);
const executeSchema = z.strictObject(executeFields);
const runSchema = z.strictObject({ ...compileFields, ...executeFields });

type Parsed<T> = { [Key in keyof T]?: T[Key] | undefined };

/** @throws ScriptcellError INVALID_OPTIONS */
export function parseCompileOptions(options: CompileOptions): Parsed<CompileOptions> {
  return parse(compileSchema, options, "compile options");
}

/** @throws ScriptcellError INVALID_OPTIONS */
export function parseExecuteOptions(options: ExecuteOptions): ParsedExecuteOptions {
  return stdinOf(parse(executeSchema, options, "run options"));
}

/** @throws ScriptcellError INVALID_OPTIONS */
export function parseRunOptions(options: RunOptions): ParsedExecuteOptions & Parsed<CompileOptions> {
  return stdinOf(parse(runSchema, options, "run options"));
}

/** Run options with `input` and `stdin` made one. */
export type ParsedExecuteOptions = Omit<z.output<typeof executeSchema>, "input">;

function stdinOf<Options extends { input?: unknown; stdin?: StdinSource | undefined }>(
  options: Options,
): Omit<Options, "input"> {
  const { input, ...rest } = options;
  if (input === undefined) return rest;
  if (rest.stdin !== undefined) throw new ScriptcellError("INVALID_OPTIONS", "give input or stdin, not both");
  let json: string | undefined;
  try {
    json = JSON.stringify(input);
  } catch (cause) {
    throw new ScriptcellError("INVALID_OPTIONS", `input is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (json === undefined)
    throw new ScriptcellError("INVALID_OPTIONS", "input is not JSON: give a value, not a function or symbol");
  return { ...rest, stdin: json };
}

/** Executor options with every default in place. This is the one place where defaults are merged. */
export interface ResolvedOptions {
  toolchain: string | undefined;
  cacheDir: string;
  isolation: IsolationMode;
  jail: JailMode;
  engine: Engine;
  edition: Edition;
  profile: Profile;
  limits: Limits;
  ceilings: Parsed<Limits>;
  capabilities: ParsedCapabilities;
  compileLimits: CompileLimits;
  cells: PoolOptions;
  store: StoreBounds;
  onWarning: ((message: string, cause?: unknown) => void) | undefined;
}

/** Capabilities as zod leaves them. */
export type ParsedCapabilities = z.output<typeof capabilitiesSchema>;

/** @throws ScriptcellError INVALID_OPTIONS */
export function resolveExecutorOptions(options: ExecutorOptions): ResolvedOptions {
  const given = parse(executorSchema, options, "executor options");
  const isolation = given.isolation ?? "process";
  if (isolation === "worker" && given.jail === "required") {
    throw new ScriptcellError(
      "INVALID_OPTIONS",
      'a worker cell cannot be jailed: use isolation "process", or jail "auto"',
    );
  }
  const jail = given.jail ?? "auto";
  const engine = given.engine ?? "preview1";
  checkEnginePlace(engine, { isolation, jail });
  const ceilings = given.ceilings ?? {};
  // A default above a ceiling gives way; a limit that the operator wrote down above their own ceiling is a mistake.
  const defaults = { ...DEFAULT_LIMITS };
  for (const [name, ceiling] of Object.entries(ceilings) as [LimitName, number | bigint | undefined][]) {
    if (ceiling !== undefined && ceiling < defaults[name]) Object.assign(defaults, { [name]: ceiling });
  }
  return {
    toolchain: given.toolchain,
    cacheDir: given.cacheDir ?? defaultCacheDir(),
    isolation,
    jail,
    engine,
    edition: given.edition ?? "2024",
    profile: given.profile ?? "fast-compile",
    limits: mergeLimits(defaults, given.limits, ceilings),
    ceilings,
    capabilities: mergeCapabilities({}, given.capabilities),
    compileLimits: merge(DEFAULT_COMPILE_LIMITS, given.compileLimits),
    cells: merge(DEFAULT_CELLS, given.cells),
    store: merge<StoreBounds>(DEFAULT_STORE_OPTIONS, given.store),
    onWarning: given.onWarning,
  };
}

/**
 * The limits of one run.
 * @throws ScriptcellError INVALID_OPTIONS where one is above the operator's ceiling
 */
export function mergeLimits(
  defaults: Limits,
  given: Parsed<Limits> | undefined,
  ceilings: Parsed<Limits>,
): Limits {
  if (given === undefined) return defaults;
  for (const [name, value] of Object.entries(given) as [LimitName, number | bigint | undefined][]) {
    const ceiling = ceilings[name];
    if (value !== undefined && ceiling !== undefined && value > ceiling) {
      throw new ScriptcellError(
        "INVALID_OPTIONS",
        `limits.${name}: ${value} is above this executor's ceiling of ${ceiling}`,
      );
    }
  }
  return merge(defaults, given);
}

/**
 * The capabilities of one run.
 * @throws ScriptcellError INVALID_OPTIONS where arguments and environment, wherever each comes from, are too large together
 */
export function mergeCapabilities(
  defaults: ParsedCapabilities,
  given: ParsedCapabilities | undefined,
): ParsedCapabilities {
  const merged = merge(defaults, given);
  const { args = [], env = {} } = merged;
  const bytes = textBytes({ args, env });
  if (bytes <= MAX_TEXT_BYTES) return merged;
  throw new ScriptcellError(
    "INVALID_OPTIONS",
    `capabilities.args and capabilities.env take ${bytes} bytes, and ${MAX_TEXT_BYTES} is the most: pass large data as input`,
  );
}

/** `base` with what `given` says; an undefined field says nothing. */
export function merge<T extends object>(base: Readonly<T>, given: Parsed<T> | undefined): T {
  const merged = { ...base } as T;
  for (const [key, value] of Object.entries(given ?? {})) {
    if (value !== undefined) (merged as Record<string, unknown>)[key] = value;
  }
  return merged;
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ScriptcellError("INVALID_OPTIONS", `${what}: ${z.prettifyError(parsed.error)}`, {
    cause: parsed.error,
  });
}
