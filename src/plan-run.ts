import type { HostMount, Mount, RandomGrant } from "./capabilities.ts";
import type { Given } from "./explain/hints.ts";
import type { Limits } from "./limits.ts";
import type { ParsedExecuteOptions } from "./parse-options.ts";
import {
  mergeCapabilities,
  mergeLimits,
  type ParsedCapabilities,
  type ResolvedOptions,
} from "./resolve-options.ts";
import type { AttachedFile } from "./run/cell.ts";
import { checkEngineGrants, checkEnginePlace } from "./run/engine.ts";
import { resolveMounts } from "./run/mounts.ts";
import type { RunRequest, WireClock } from "./run/protocol.ts";
import type { Placement } from "./run/runner.ts";
import { planScratch } from "./run/scratch.ts";

/** Everything about a run but its module. */
export interface RunPlan {
  options: ParsedExecuteOptions;
  limits: Limits;
  placement: Placement;
  request: Omit<RunRequest, "module" | "stdin">;
  files: readonly AttachedFile[];
  /** What hints have to know of the call. */
  given: Given;
}

/**
 * What a call asks for, with the executor's defaults and within its ceilings. `source` is the script's text, where there is one.
 * @throws ScriptcellError INVALID_OPTIONS, MOUNT_REFUSED
 */
export function planRun(executor: ResolvedOptions, options: ParsedExecuteOptions, source?: string): RunPlan {
  const limits = mergeLimits(executor.limits, options.limits, executor.ceilings);
  const capabilities = mergeCapabilities(executor.capabilities, options.capabilities);
  const engine = options.engine ?? executor.engine;
  checkEnginePlace(engine, executor);
  const all = (capabilities.mounts ?? []) as readonly Mount[];
  const mounts = resolveMounts(
    all.filter((mount): mount is HostMount => mount.access !== "scratch"),
    executor.cacheDir,
  );
  const { scratch, files } = planScratch(
    { mounts: all, files: options.files ?? {}, artifacts: options.artifacts ?? [] },
    limits,
  );
  checkEngineGrants(engine, { ...capabilities, scratch });
  const request = { ...runRequest(capabilities, limits), scratch };
  return {
    options,
    limits,
    // What lies in memory is no part of it: any warm cell can have it.
    placement: { tenant: options.tenant ?? "", engine, mounts, stackBytes: limits.stackBytes },
    request,
    files,
    given: { args: request.args.length, stdin: options.stdin !== undefined, source },
  };
}

function runRequest(capabilities: ParsedCapabilities, limits: Limits): RunPlan["request"] {
  const { fuel, outputBytes, diskBytes, openFiles, hostCallBytes } = limits;
  return {
    args: capabilities.args ?? ["script"],
    env: capabilities.env ?? {},
    clock: wireClock(capabilities.clock ?? "denied"),
    random: wireRandom(capabilities.random ?? "secure"),
    fuel: Number(fuel),
    outputBytes,
    diskBytes,
    openFiles,
    hostCallBytes,
    terminal: capabilities.terminal ?? false,
  };
}

function wireClock(clock: NonNullable<ParsedCapabilities["clock"]>): WireClock {
  if (typeof clock === "string") return { kind: clock };
  return { kind: "frozen", epochNs: (BigInt(clock.frozen.getTime()) * 1_000_000n).toString() };
}

function wireRandom(random: RandomGrant): RunRequest["random"] {
  return random === "secure" ? { kind: "secure" } : { kind: "seeded", seed: String(random.seed) };
}
