import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Cell } from "../../src/run/cell.ts";
import { type CellKind, CellPool, type Lease, type PoolOptions } from "../../src/run/pool.ts";
import { type FakeTransport, fakeCell } from "../support/fake-cell.ts";

const OPTIONS: PoolOptions = {
  maxRunning: 2,
  maxIdle: 2,
  spares: 0,
  runsPerCell: 1_000,
  idleMs: 60_000,
  maxQueue: 3,
};

let started: Array<{ cell: Cell; far: FakeTransport; kind: string }>;
let pools: CellPool[];

beforeEach(() => {
  started = [];
  pools = [];
});
afterEach(async () => {
  vi.useRealTimers();
  for (const { far } of started) far.close("the test is over");
  await Promise.all(pools.map((pool) => pool.close()));
});

function open(options: Partial<PoolOptions> = {}): CellPool {
  const pool = new CellPool({ ...OPTIONS, ...options });
  pools.push(pool);
  return pool;
}

/** Cells of one tenant; `mounts` are part of a cell's shape, and rule out spares. */
function kindOf(tenant: string, mounts = ""): CellKind {
  const owner = `${tenant}|${mounts}`;
  const start = (): Cell => {
    const made = fakeCell();
    started.push({ ...made, kind: owner });
    return made.cell;
  };
  return { owner, shape: mounts, maxRuns: Number.POSITIVE_INFINITY, spare: mounts === "", start };
}

/** A lease that is there at once. */
function take(pool: CellPool, kind: CellKind): Lease {
  const lease = pool.lease(kind);
  if (lease instanceof Promise) throw new Error("expected a cell at once");
  return lease;
}

/** A lease, as a run that starts in it and leaves it behind. */
function serve(pool: CellPool, kind: CellKind, reuse = true): Cell {
  const lease = take(pool, kind);
  lease.cell.runs += 1;
  lease.release(reuse);
  return lease.cell;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const ADA = kindOf("ada");

describe("a cell that has served", () => {
  test("serves its tenant again", () => {
    const pool = open();
    expect(serve(pool, kindOf("ada"))).toBe(serve(pool, kindOf("ada")));
  });

  test("never serves another tenant", () => {
    const pool = open({ maxIdle: 10 });
    const cells = ["ada", "bob", "ada ", "", "ada|"].map((tenant) => serve(pool, kindOf(tenant)));
    expect(new Set(cells).size).toBe(cells.length);
  });

  test("never serves the same tenant with other mounts", () => {
    const pool = open({ maxIdle: 10 });
    const cells = ["", "/data", "/data:rw"].map((mounts) => serve(pool, kindOf("ada", mounts)));
    expect(new Set(cells).size).toBe(cells.length);
  });

  test("is ended where it may not be used again", async () => {
    const pool = open();
    const first = serve(pool, ADA, false);
    expect(first.alive).toBe(false);
    expect(serve(pool, ADA)).not.toBe(first);
  });

  test("is not used again where it has died", async () => {
    const pool = open();
    const first = serve(pool, ADA);
    started.at(-1)?.far.close("SIGSEGV");
    await turn();
    expect(serve(pool, ADA)).not.toBe(first);
  });

  test("is not used again where it has been killed and is not gone yet", () => {
    const pool = open();
    const first = serve(pool, ADA);
    first.kill();
    expect(serve(pool, ADA)).not.toBe(first);
  });
});

describe("runsPerCell", () => {
  test.each([
    ["under", 2, true],
    ["at", 3, false],
  ])("a cell that is %s its share of runs: %i of 3", (_, runs, again) => {
    const pool = open({ runsPerCell: 3 });
    const cells = Array.from({ length: runs }, () => serve(pool, ADA));
    expect(new Set(cells).size).toBe(1);
    expect(cells[0]?.alive).toBe(again);
  });

  test("the run after the last share gets a fresh cell", () => {
    const pool = open({ runsPerCell: 3 });
    const cells = Array.from({ length: 7 }, () => serve(pool, ADA));
    expect(new Set(cells).size).toBe(3);
  });

  test.each([
    [1, 5],
    [2, 3],
    [9, 2],
  ])(
    "of a kind of cells (%i) holds where it is fewer than the pool's 3: %i cells for 5 runs",
    (maxRuns, count) => {
      const pool = open({ runsPerCell: 3 });
      const cells = Array.from({ length: 5 }, () => serve(pool, { ...ADA, maxRuns }));
      expect(new Set(cells).size).toBe(count);
    },
  );
});

describe("idle cells", () => {
  test("are kept up to maxIdle; the least recently used goes first", () => {
    const pool = open({ maxIdle: 2 });
    const [ada, bob, eve] = ["ada", "bob", "eve"].map((tenant) => serve(pool, kindOf(tenant)));
    expect([ada?.alive, bob?.alive, eve?.alive]).toEqual([false, true, true]);
    expect(serve(pool, kindOf("bob"))).toBe(bob);
    expect(serve(pool, kindOf("ada"))).not.toBe(ada);
    expect(eve?.alive).toBe(false);
  });

  test("are not kept at all where maxIdle is 0", () => {
    const pool = open({ maxIdle: 0 });
    expect(serve(pool, ADA).alive).toBe(false);
  });

  test("are ended once they have been idle for idleMs, and not before", () => {
    vi.useFakeTimers();
    const pool = open({ idleMs: 1_000 });
    const cell = serve(pool, ADA);
    vi.advanceTimersByTime(999);
    expect(cell.alive).toBe(true);
    vi.advanceTimersByTime(300);
    expect(cell.alive).toBe(false);
  });

  test("stay while they are used", () => {
    vi.useFakeTimers();
    const pool = open({ idleMs: 1_000 });
    const cell = serve(pool, ADA);
    for (let i = 0; i < 5; i += 1) {
      vi.advanceTimersByTime(700);
      expect(serve(pool, ADA)).toBe(cell);
    }
  });
});

describe("spares", () => {
  test("are started once a kind was asked for, and serve the next run that finds no cell of its own", async () => {
    const pool = open({ spares: 1 });
    const first = serve(pool, kindOf("ada"));
    await turn();
    expect(started).toHaveLength(2);
    const second = serve(pool, kindOf("bob"));
    expect(second).toBe(started[1]?.cell);
    expect(second).not.toBe(first);
  });

  test("that have served belong to whom they served", async () => {
    const pool = open({ spares: 1, maxIdle: 10 });
    serve(pool, kindOf("ada"));
    await turn();
    const spare = serve(pool, kindOf("bob"));
    await turn();
    expect(serve(pool, kindOf("eve"))).not.toBe(spare);
    expect(serve(pool, kindOf("bob"))).toBe(spare);
  });

  test("are never started with somebody's mounts", async () => {
    const pool = open({ spares: 2 });
    serve(pool, kindOf("ada", "/data"));
    pool.warm(kindOf("ada", "/data"));
    await turn();
    expect(started).toHaveLength(1);
  });

  test("of one shape serve no run of another", async () => {
    const pool = open({ spares: 1 });
    serve(pool, kindOf("ada"));
    await turn();
    const spare = started[1]?.cell;
    expect(serve(pool, { ...kindOf("bob"), shape: "a larger stack", owner: "bob|larger" })).not.toBe(spare);
  });

  test("of the shape that was asked for longest ago are ended once there are more than can run", async () => {
    const pool = open({ spares: 1, maxRunning: 1 });
    serve(pool, kindOf("ada"));
    await turn();
    const spare = started[1]?.cell;
    serve(pool, { ...kindOf("bob"), shape: "a larger stack", owner: "bob|larger" });
    await turn();
    expect(spare?.alive).toBe(false);
  });

  test("that die are not handed out", async () => {
    const pool = open({ spares: 1 });
    pool.warm(kindOf("ada"));
    started[0]?.far.close("SIGSEGV");
    await turn();
    expect(serve(pool, kindOf("ada"))).not.toBe(started[0]?.cell);
  });

  test("are started by warm even where none are kept, and with mounts: the run that will use them is sure to come", () => {
    const pool = open({ spares: 0 });
    const kind = { ...kindOf("ada", "/data"), spare: false };
    pool.warm(kind);
    expect(started).toHaveLength(1);
    expect(serve(pool, kind)).toBe(started[0]?.cell);
  });

  test("are started ahead by warm, once", () => {
    const pool = open({ spares: 1 });
    pool.warm(ADA);
    pool.warm(ADA);
    expect(started.length).toBeLessThanOrEqual(1);
    pool.warm(kindOf("bob"));
    expect(started).toHaveLength(1);
  });
});

describe("the queue", () => {
  test("no more cells run at once than maxRunning", () => {
    const pool = open({ maxRunning: 2 });
    const leases = Array.from({ length: 5 }, () => pool.lease(ADA));
    expect(leases.filter((lease) => !(lease instanceof Promise))).toHaveLength(2);
    expect(started).toHaveLength(2);
    for (const lease of leases) if (lease instanceof Promise) lease.catch(() => {});
  });

  test("who came first is served first", async () => {
    const pool = open({ maxRunning: 1 });
    const first = take(pool, kindOf("ada"));
    const order: string[] = [];
    const waiting = ["bob", "eve", "joe"].map(async (tenant) => {
      const lease = await pool.lease(kindOf(tenant));
      order.push(tenant);
      lease.release(true);
    });
    first.release(true);
    await Promise.all(waiting);
    expect(order).toEqual(["bob", "eve", "joe"]);
  });

  test("a run that waited never gets the cell of another tenant that became free", async () => {
    const pool = open({ maxRunning: 1 });
    const first = take(pool, kindOf("ada"));
    const waiting = pool.lease(kindOf("bob"));
    first.cell.runs += 1;
    first.release(true);
    expect((await waiting).cell).not.toBe(first.cell);
  });

  test.each([
    ["under", 2, false],
    ["at", 3, false],
    ["over", 4, true],
  ])("with maxQueue 3, one that is %s the bound: %i wait", (_, waiters, overloaded) => {
    const pool = open({ maxRunning: 1, maxQueue: 3 });
    take(pool, ADA);
    const wait = (): void => {
      for (let n = 0; n < waiters; n += 1) Promise.resolve(pool.lease(ADA)).catch(() => {});
    };
    if (overloaded) {
      expect(wait).toThrow(
        expect.objectContaining({ code: "OVERLOADED", message: expect.stringMatching(/cells\.maxQueue/) }),
      );
    } else expect(wait).not.toThrow();
  });

  test("with maxQueue 0 nobody waits", () => {
    const pool = open({ maxRunning: 1, maxQueue: 0 });
    const lease = take(pool, ADA);
    expect(() => pool.lease(ADA)).toThrow(expect.objectContaining({ code: "OVERLOADED" }));
    lease.release(true);
    expect(() => pool.lease(ADA)).not.toThrow();
  });

  test("whoever is aborted leaves the queue, with the signal's reason, and makes room", async () => {
    const pool = open({ maxRunning: 1, maxQueue: 1 });
    const lease = take(pool, ADA);
    const abort = new AbortController();
    const waiting = pool.lease(ADA, abort.signal);
    const why = new Error("no longer wanted");
    abort.abort(why);
    await expect(waiting).rejects.toBe(why);
    const next = pool.lease(ADA);
    lease.release(true);
    expect((await next).cell.alive).toBe(true);
  });

  test("a signal that was aborted before takes no place and no cell", async () => {
    const pool = open({ maxRunning: 1, maxQueue: 1 });
    const why = new Error("too late");
    expect(() => pool.lease(ADA, AbortSignal.abort(why))).toThrow(why);
    expect(started).toHaveLength(0);
    take(pool, ADA);
    expect(() => pool.lease(ADA, AbortSignal.abort(why))).toThrow(why);
  });

  test("aborting after the cell was handed over changes nothing", async () => {
    const pool = open({ maxRunning: 1 });
    const lease = take(pool, ADA);
    const abort = new AbortController();
    const waiting = pool.lease(ADA, abort.signal);
    lease.release(true);
    const served = await waiting;
    abort.abort();
    expect(served.cell.alive).toBe(true);
  });

  test("a lease that is released twice frees one place", async () => {
    const pool = open({ maxRunning: 1, maxQueue: 2 });
    const lease = take(pool, ADA);
    const second = pool.lease(ADA);
    const third = pool.lease(ADA);
    lease.release(true);
    lease.release(true);
    const held = await second;
    const state = await Promise.race([
      Promise.resolve(third).then(() => "served"),
      turn().then(() => "waiting"),
    ]);
    expect(state).toBe("waiting");
    held.release(true);
    await third;
  });

  test("a cell that cannot be started gives its place back", () => {
    const pool = open({ maxRunning: 1, maxQueue: 0 });
    const broken: CellKind = {
      ...ADA,
      start() {
        throw new Error("EMFILE");
      },
    };
    expect(() => pool.lease(broken)).toThrow("EMFILE");
    expect(take(pool, ADA).cell.alive).toBe(true);
  });

  test("one that waits for a cell that cannot be started is told, and the next is served", async () => {
    const pool = open({ maxRunning: 1 });
    const lease = take(pool, ADA);
    const broken: CellKind = {
      ...kindOf("bob"),
      start() {
        throw new Error("EMFILE");
      },
    };
    const first = Promise.resolve(pool.lease(broken));
    const second = Promise.resolve(pool.lease(kindOf("eve")));
    first.catch(() => {});
    lease.release(false);
    await expect(first).rejects.toThrow("EMFILE");
    expect((await second).cell.alive).toBe(true);
  });
});

describe("close", () => {
  test("turns waiters away, ends every cell, and waits until the last is gone", async () => {
    const pool = open({ maxRunning: 1, spares: 1 });
    serve(pool, kindOf("bob"));
    await turn();
    take(pool, kindOf("ada"));
    const waiting = Promise.resolve(pool.lease(kindOf("eve")));
    const turnedAway = expect(waiting).rejects.toMatchObject({ code: "EXECUTOR_CLOSED" });
    await pool.close();
    await turnedAway;
    expect(started.length).toBeGreaterThanOrEqual(2);
    expect(started.map(({ far }) => far.closed)).toEqual(started.map(() => true));
  });

  test("does not resolve before a cell that is slow to die is gone", async () => {
    const pool = open();
    const { cell, far } = fakeCell({ dies: false });
    take(pool, { ...ADA, start: () => cell });
    let closed = false;
    const closing = pool.close().then(() => {
      closed = true;
    });
    await turn();
    expect([far.kills, closed]).toEqual([1, false]);
    far.close("SIGKILL");
    await closing;
  });

  test("twice is as good as once, and nothing is leased or started afterwards", async () => {
    const pool = open({ spares: 1 });
    serve(pool, ADA);
    await Promise.all([pool.close(), pool.close()]);
    await turn();
    const count = started.length;
    expect(() => pool.lease(ADA)).toThrow(expect.objectContaining({ code: "EXECUTOR_CLOSED" }));
    pool.warm(ADA);
    await turn();
    expect(started).toHaveLength(count);
  });

  test("a run that gives its cell back afterwards leaves no cell behind", async () => {
    const pool = open();
    const lease = take(pool, ADA);
    const closing = pool.close();
    lease.release(true);
    await closing;
    expect(lease.cell.alive).toBe(false);
  });
});
