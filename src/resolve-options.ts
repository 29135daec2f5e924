import type { z } from "zod";
import { type capabilitiesSchema, MAX_TEXT_BYTES, textBytes } from "./capabilities.ts";
import { type CompileLimits, DEFAULT_COMPILE_LIMITS } from "./compile/compile-limits.ts";
import { ScriptcellError } from "./errors.ts";
import type { JailMode } from "./jail/jail.ts";
import { DEFAULT_LIMITS, type LimitName, type Limits } from "./limits.ts";
import {
  DEFAULT_CELLS,
  type Edition,
  type ExecutorOptions,
  type IsolationMode,
  type Profile,
  type StoreBounds,
} from "./options.ts";
import { type Parsed, parseExecutorOptions } from "./parse-options.ts";
import { checkEnginePlace, type Engine } from "./run/engine.ts";
import type { PoolOptions } from "./run/pool.ts";
import { DEFAULT_STORE_OPTIONS } from "./store/store.ts";
import { defaultCacheDir } from "./toolchain/cache-dir.ts";

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
  const given = parseExecutorOptions(options);
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
