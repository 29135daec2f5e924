import { ScriptcellError } from "../errors.ts";
import type { JailMode } from "../jail/jail.ts";

/** Whose WASI host serves the guests: scriptcell's own, or Node's `node:wasi`. */
export type Engine = "preview1" | "node-wasi";

/** Where cells run, as the executor was told. */
export interface CellPlace {
  isolation: "process" | "worker";
  jail: JailMode;
}

/** @throws ScriptcellError INVALID_OPTIONS where an engine must not run in such cells */
export function checkEnginePlace(engine: Engine, { isolation, jail }: CellPlace): void {
  if (engine !== "node-wasi") return;
  const refuse = (what: string): never => {
    throw new ScriptcellError(
      "INVALID_OPTIONS",
      `engine "node-wasi" is no sandbox by itself and runs only in a jailed process: ${what}, or use engine "preview1"`,
    );
  };
  if (isolation === "worker") refuse('use isolation "process"');
  if (jail === "off") refuse('use jail "auto" or "required"');
}

/** What a guest is granted, the executor's defaults included. */
interface Grants {
  mounts?: ReadonlyArray<{ guest: string; access?: string | undefined }> | undefined;
  clock?: unknown;
  random?: unknown;
  /** What the run has in memory, `files` included. */
  scratch?: object | undefined;
}

/** @throws ScriptcellError INVALID_OPTIONS where an engine cannot hold a guest to what it was granted */
export function checkEngineGrants(
  engine: Engine,
  { mounts = [], clock = "denied", random = "secure", scratch }: Grants,
): void {
  if (engine !== "node-wasi") return;
  const refuse = (what: string, remedy: string): never => {
    throw new ScriptcellError(
      "INVALID_OPTIONS",
      `engine "node-wasi" ${what}: ${remedy}, or use engine "preview1"`,
    );
  };
  if (clock !== "real") refuse("cannot keep the time from a guest", 'grant clock "real"');
  if (random !== "secure") refuse("has random bytes of the operating system only", "leave out the seed");
  if (scratch !== undefined)
    refuse(
      "has no mounts in memory",
      "leave out files and scratch mounts, and mount host directories to read",
    );
  for (const { guest, access = "read" } of mounts) {
    if (access !== "read")
      refuse(
        `counts no bytes that are written, and ${guest} is not read-only`,
        'mount it with access "read"',
      );
  }
}

/** @throws ScriptcellError JAIL_UNAVAILABLE where an engine needs a jail, and there is none */
export function checkEngineJail(engine: Engine, jail: "bubblewrap" | "none"): void {
  if (engine !== "node-wasi" || jail !== "none") return;
  throw new ScriptcellError(
    "JAIL_UNAVAILABLE",
    'engine "node-wasi" runs only in a jail, and none can be had here: `scriptcell doctor` says what is missing; or use engine "preview1"',
  );
}
