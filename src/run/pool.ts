import { ScriptcellError } from "../errors.ts";
import type { Cell } from "./cell.ts";

/** How many cells there are and how long they live. */
export interface PoolOptions {
  /** Runs at the same time. */
  maxRunning: number;
  /** Idle cells that are kept warm, over all tenants. */
  maxIdle: number;
  /** Fresh cells that are started ahead. */
  spares: number;
  /** Runs that one cell serves before it is replaced. */
  runsPerCell: number;
  /** Milliseconds after which an idle cell is ended. */
  idleMs: number;
  /** Runs that wait for a cell; one more is `OVERLOADED`. */
  maxQueue: number;
}

/** Which cells can serve a run. */
export interface CellKind {
  /** How the process is started: cells of one shape are alike until they have served. */
  shape: string;
  /** Who may use a cell again that has served: shape, tenant and mounts. */
  owner: string;
  start(): Cell;
  /** Runs that one such cell may serve, where that is fewer than the pool's `runsPerCell`. */
  maxRuns: number;
  /** Whether a fresh cell of this shape may be started before anybody asks (not with somebody's mounts in it). */
  spare: boolean;
}

/** A cell, for one run. */
export interface Lease {
  readonly cell: Cell;
  /** Gives the cell back. `reuse: false` ends it: it trapped, was killed, or cannot be trusted. */
  release(reuse: boolean): void;
}

interface Waiter {
  kind: CellKind;
  resolve(lease: Lease): void;
  reject(reason: unknown): void;
}

interface Idle {
  cell: Cell;
  kind: CellKind;
  since: number;
}

/**
 * Warm cells and the queue before them. A cell that has served one owner never serves another.
 * Has a lifetime: `close` ends every cell and waits for the last.
 */
export class CellPool {
  readonly #options: PoolOptions;
  /** Least recently used first. */
  #idle: Idle[] = [];
  readonly #spares = new Map<string, Cell[]>();
  readonly #queue = new Set<Waiter>();
  /** Every cell that is not known to be gone. */
  readonly #cells = new Set<Cell>();
  #running = 0;
  #reaper: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * A cell of that kind, at once where one is free, else when a running one ends.
   * Aborting the signal leaves the queue and rejects with its reason.
   * @throws ScriptcellError OVERLOADED, EXECUTOR_CLOSED; the signal's reason where it was aborted before
   */
  lease(kind: CellKind, signal?: AbortSignal): Lease | Promise<Lease> {
    if (this.#closed) throw closedError();
    signal?.throwIfAborted();
    if (this.#running < this.#options.maxRunning) return this.#admit(kind);
    if (this.#queue.size >= this.#options.maxQueue) {
      throw new ScriptcellError(
        "OVERLOADED",
        `${this.#running} runs are under way and ${this.#queue.size} wait; try again later, or raise cells.maxQueue or cells.maxRunning`,
      );
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#queue.delete(waiter);
        reject(signal?.reason);
      };
      const settled = (): void => signal?.removeEventListener("abort", leave);
      const waiter: Waiter = {
        kind,
        resolve: (lease) => {
          settled();
          resolve(lease);
        },
        reject: (reason) => {
          settled();
          reject(reason);
        },
      };
      this.#queue.add(waiter);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  /** Starts a cell of that kind for a run that is sure to come, where none waits. */
  warm(kind: CellKind): void {
    if (this.#idle.some((idle) => idle.kind.owner === kind.owner && idle.cell.alive)) return;
    this.#stock(kind, Math.max(1, kind.spare ? this.#options.spares : 1));
  }

  /** Turns away whoever waits, ends every cell, under whatever is running in it, and waits until the last is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#reaper);
    for (const waiter of this.#queue) waiter.reject(closedError());
    this.#queue.clear();
    for (const cell of this.#cells) cell.kill();
    this.#idle = [];
    this.#spares.clear();
    // Cells do not keep Node alive; waiting for their end must.
    const awake = setInterval(() => {}, 1_000);
    await Promise.all([...this.#cells].map((cell) => cell.gone));
    clearInterval(awake);
  }

  #admit(kind: CellKind): Lease {
    const cell = this.#takeIdle(kind) ?? this.#takeSpare(kind) ?? this.#start(kind);
    this.#running += 1;
    let released = false;
    return {
      cell,
      release: (reuse) => {
        if (released) return;
        released = true;
        this.#running -= 1;
        this.#settle(cell, kind, reuse);
        this.#next();
      },
    };
  }

  #start(kind: CellKind): Cell {
    const cell = kind.start();
    this.#cells.add(cell);
    void cell.gone.then(() => this.#forget(cell));
    return cell;
  }

  #takeIdle(kind: CellKind): Cell | undefined {
    // Most recently used first: its caches are warm, and the others can age.
    const index = this.#idle.findLastIndex((idle) => idle.kind.owner === kind.owner && idle.cell.alive);
    return index === -1 ? undefined : this.#idle.splice(index, 1)[0]?.cell;
  }

  #takeSpare(kind: CellKind): Cell | undefined {
    const spares = this.#spares.get(kind.shape) ?? [];
    const index = spares.findLastIndex((cell) => cell.alive);
    const cell = index === -1 ? undefined : spares.splice(index, 1)[0];
    if (kind.spare) setImmediate(() => this.#stock(kind, this.#options.spares));
    return cell;
  }

  /** Starts what is missing of a shape's spares. Beyond the bound the shape that was asked for longest ago loses its own. */
  #stock(kind: CellKind, count: number): void {
    if (this.#closed) return;
    const spares = this.#spares.get(kind.shape) ?? [];
    // Deleted and set again: a Map keeps insertion order, so the first shape is the one asked for longest ago.
    this.#spares.delete(kind.shape);
    while (spares.length < count) spares.push(this.#start(kind));
    this.#spares.set(kind.shape, spares);
    let total = [...this.#spares.values()].reduce((sum, cells) => sum + cells.length, 0);
    for (const [shape, cells] of this.#spares) {
      if (total <= Math.max(this.#options.spares, this.#options.maxRunning) || shape === kind.shape) break;
      for (const cell of cells) cell.kill();
      total -= cells.length;
      this.#spares.delete(shape);
    }
  }

  #settle(cell: Cell, kind: CellKind, reuse: boolean): void {
    if (
      !reuse ||
      !cell.alive ||
      this.#closed ||
      cell.runs >= Math.min(kind.maxRuns, this.#options.runsPerCell)
    ) {
      cell.kill();
      return;
    }
    this.#idle.push({ cell, kind, since: performance.now() });
    if (this.#idle.length > this.#options.maxIdle) this.#idle.shift()?.cell.kill();
    this.#reaper ??= setInterval(() => this.#reap(), Math.max(100, this.#options.idleMs / 4)).unref();
  }

  #reap(): void {
    const oldest = performance.now() - this.#options.idleMs;
    while (this.#idle[0] !== undefined && this.#idle[0].since < oldest) this.#idle.shift()?.cell.kill();
  }

  /** Admits the next in the queue. */
  #next(): void {
    for (const waiter of this.#queue) {
      if (this.#running >= this.#options.maxRunning) return;
      this.#queue.delete(waiter);
      try {
        waiter.resolve(this.#admit(waiter.kind));
      } catch (error) {
        waiter.reject(error);
      }
    }
  }

  #forget(cell: Cell): void {
    this.#cells.delete(cell);
    this.#idle = this.#idle.filter((idle) => idle.cell !== cell);
    for (const [shape, cells] of this.#spares) {
      this.#spares.set(
        shape,
        cells.filter((spare) => spare !== cell),
      );
    }
  }
}

function closedError(): ScriptcellError {
  return new ScriptcellError("EXECUTOR_CLOSED", "the executor was closed; make a new one");
}
