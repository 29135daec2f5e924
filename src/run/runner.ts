import { accessSync, constants } from "node:fs";
import { delimiter } from "node:path";
import { instrument } from "../instrument/instrument.ts";
import type { Bubblewrap } from "../jail/jail.ts";
import { sharedLibrariesOf } from "../jail/libraries.ts";
import type { Limits } from "../limits.ts";
import { Cell, type PreparedModule } from "./cell.ts";
import { checkEngineJail, type Engine } from "./engine.ts";
import { type CellConfinement, cellCommand } from "./jail.ts";
import type { ResolvedMount } from "./mounts.ts";
import { type CellKind, CellPool, type PoolOptions } from "./pool.ts";
import { startProcess } from "./process-cell.ts";
import { type RunJob, type RunRecord, runInCell } from "./run.ts";
import { startWorker } from "./worker-cell.ts";

/** What a runner is made with. */
export interface RunnerOptions {
  isolation: "process" | "worker";
  /** Called once, at the first run of a process cell. */
  jail(): Promise<Bubblewrap | null>;
  cells: PoolOptions;
}

/** Who runs, and in what. */
export interface Placement {
  tenant: string;
  engine: Engine;
  mounts: readonly ResolvedMount[];
  stackBytes: number;
}

/** A runner keeps this many kinds of cells in mind; what is forgotten is only made again. */
const MAX_KINDS = 256;

/** The second half of an executor: module → capped module → a cell. Has a lifetime: `close` ends all cells. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #pool: CellPool;
  readonly #kinds = new Map<string, CellKind>();
  readonly #prepared = new WeakMap<Uint8Array, Map<string, PreparedModule>>();
  #confinement: CellConfinement | undefined;
  #nextModule = 0;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#pool = new CellPool(options.cells);
  }

  /**
   * The module, gated and with its caps in place; made once per module and caps.
   * @throws ModuleRefused
   */
  prepare(bytes: Uint8Array, { memoryBytes, tableElements }: Limits): PreparedModule {
    const caps = `${memoryBytes} ${tableElements}`;
    let byCaps = this.#prepared.get(bytes);
    if (byCaps === undefined) {
      byCaps = new Map();
      this.#prepared.set(bytes, byCaps);
    }
    let prepared = byCaps.get(caps);
    if (prepared === undefined) {
      const instrumented = instrument(bytes, { memoryBytes, tableElements });
      this.#nextModule += 1;
      prepared = { key: `m${this.#nextModule}`, ...instrumented };
      byCaps.set(caps, prepared);
    }
    return prepared;
  }

  /** Runs a job in a warm cell of that placement. @throws ScriptcellError, or the caller's own error */
  async run(placement: Placement, job: RunJob): Promise<RunRecord & { isolation: Cell["isolation"] }> {
    const kind = this.#kind(placement, this.#confinement ?? (await this.#confine()));
    const lease = this.#pool.lease(kind, job.signal);
    const { cell, release } = lease instanceof Promise ? await lease : lease;
    const record = await runInCell({ cell, release }, job);
    return Object.assign(record, { isolation: cell.isolation });
  }

  /** Starts a fresh cell while the module is still being compiled. */
  async warm(placement: Placement): Promise<void> {
    this.#pool.warm(this.#kind(placement, this.#confinement ?? (await this.#confine())));
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #confine(): Promise<CellConfinement> {
    const bubblewrap = this.#options.isolation === "process" ? await this.#options.jail() : null;
    this.#confinement ??= {
      bubblewrap,
      nodeLibraries: bubblewrap === null ? [] : await sharedLibrariesOf(process.execPath),
      prlimit: onPath("prlimit"),
      setpriv: onPath("setpriv"),
    };
    return this.#confinement;
  }

  #kind(placement: Placement, confinement: CellConfinement): CellKind {
    const { tenant, engine, mounts, stackBytes } = placement;
    const owner = JSON.stringify([engine, stackBytes, tenant, mounts]);
    const known = this.#kinds.get(owner);
    if (known !== undefined) return known;
    const kind = this.#newKind(owner, placement, confinement);
    const [oldest] = this.#kinds.keys();
    if (this.#kinds.size >= MAX_KINDS && oldest !== undefined) this.#kinds.delete(oldest);
    this.#kinds.set(owner, kind);
    return kind;
  }

  #newKind(owner: string, { engine, mounts, stackBytes }: Placement, confinement: CellConfinement): CellKind {
    // Cells open their mounts when they start, so only cells without mounts can be started before anybody asks.
    const wired = mounts.map(({ identity: _, ...mount }) => mount);
    const kind = {
      owner,
      shape: JSON.stringify([engine, stackBytes, mounts]),
      spare: mounts.length === 0,
      // What a guest has done to node:wasi, or through it to the cell, cannot be undone.
      maxRuns: engine === "node-wasi" ? 1 : Number.POSITIVE_INFINITY,
    };
    const jail = confinement.bubblewrap === null ? "none" : "bubblewrap";
    checkEngineJail(engine, jail);
    if (this.#options.isolation === "worker") {
      return {
        ...kind,
        start: () => new Cell(startWorker(stackBytes), { cell: "worker", jail: "none", engine }, wired),
      };
    }
    const { command, mounts: bound } = cellCommand(confinement, stackBytes, wired);
    const isolation = { cell: "process", jail, engine } as const;
    return { ...kind, start: () => new Cell(startProcess(command), isolation, bound) };
  }
}

/** Absolute path of an executable on PATH. */
function onPath(name: string): string | undefined {
  for (const directory of (process.env.PATH ?? "").split(delimiter)) {
    const path = `${directory}/${name}`;
    try {
      if (!directory.startsWith("/")) continue;
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  return undefined;
}
