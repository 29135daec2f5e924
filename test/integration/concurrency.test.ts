import { describe, expect, test, vi } from "vitest";
import { type RunResult, ScriptExecutor } from "../../src/index.ts";
import { AMPLE_MS, MODES, openExecutor, PROCESS_MODES } from "../support/executors.ts";
import { descendants, isRunning } from "../support/processes.ts";
import { attack, neverSeen, script } from "../support/scripts.ts";

const HELLO = script("hello");
const ECHO = script("echo");
const SPIN = attack("spin");
const limits = { wallTimeMs: AMPLE_MS };

/** A run that holds its cell until it is let go of. */
function hold(executor: ScriptExecutor, options: Parameters<ScriptExecutor["run"]>[1] = {}) {
  let letGo = (): void => {};
  const released = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let start = (): void => {};
  const started = new Promise<void>((resolve) => {
    start = resolve;
  });
  async function* stdin(): AsyncGenerator<string> {
    start();
    await released;
    yield "done";
  }
  const result = executor.run(ECHO, { ...options, stdin: stdin() });
  result.catch(() => {});
  return { result, started, letGo: () => letGo() };
}

describe.each(MODES)("many runs in $name", ({ options }) => {
  test("at once on two cells each get their own input and output", async () => {
    const executor = openExecutor({ ...options, cells: { maxRunning: 2 } });
    const inputs = Array.from({ length: 50 }, (_, n) => ({ n, text: "x".repeat(n * 10) }));
    const results = await Promise.all(inputs.map((input) => executor.run(ECHO, { input })));
    expect(results.map((result) => result.status === "ok" && result.output)).toEqual(inputs);
  });

  test("beyond the queue are OVERLOADED, and the others are served", async () => {
    const executor = openExecutor({ ...options, cells: { maxRunning: 1, maxQueue: 1 } });
    const held = hold(executor);
    await held.started;
    const queued = executor.run(HELLO);
    await executor.compile(HELLO);
    await expect(executor.run(HELLO)).rejects.toMatchObject({ code: "OVERLOADED" });
    held.letGo();
    expect((await held.result).status).toBe("ok");
    expect((await queued).status).toBe("ok");
  });

  test("that are aborted before, in the queue or at work are cancelled, and the next is served", async () => {
    const executor = openExecutor({ ...options, cells: { maxRunning: 1 } });
    const reason = new Error("no longer wanted");
    const unstarted = { status: "cancelled", reason, isolation: null, durationMs: 0, stdout: "" };
    expect(await executor.run(HELLO, { signal: AbortSignal.abort(reason) })).toMatchObject(unstarted);

    const held = hold(executor);
    await held.started;
    const inQueue = new AbortController();
    const queued = executor.run(HELLO, { signal: inQueue.signal });
    await executor.compile(HELLO);
    inQueue.abort(reason);
    expect(await queued).toMatchObject(unstarted);
    held.letGo();
    expect((await held.result).status).toBe("ok");

    const atWork = new AbortController();
    const running = await executor.run(SPIN, { signal: atWork.signal, onStdout: () => atWork.abort(reason) });
    expect(running).toMatchObject({ status: "cancelled", reason, stdout: "before\n", peakMemoryBytes: null });
    expect((await executor.run(HELLO)).status).toBe("ok");
  });

  test("that are aborted while they compile are cancelled, and compile rejects with the reason", async () => {
    const executor = openExecutor(options);
    const reason = new Error("no longer wanted");
    const abort = new AbortController();
    const running = executor.run(neverSeen(HELLO), { signal: abort.signal });
    const compiling = executor.compile(neverSeen(HELLO), { signal: abort.signal });
    const rejected = expect(compiling).rejects.toBe(reason);
    setImmediate(() => abort.abort(reason));
    expect(await running).toMatchObject({ status: "cancelled", reason, isolation: null });
    await rejected;
  });

  test("that a timeout signal ends carry its reason", async () => {
    const result = await openExecutor(options).run(SPIN, { signal: AbortSignal.timeout(300) });
    expect(result.status === "cancelled" && result.reason).toMatchObject({ name: "TimeoutError" });
  });
});

describe.each(MODES)("closing an executor with $name", ({ options }) => {
  const closed = { code: "EXECUTOR_CLOSED" };

  test("ends what runs with its output so far, and turns away what waits and what comes", async () => {
    const executor = new ScriptExecutor({ ...options, limits, cells: { maxRunning: 1 } });
    let queued: Promise<RunResult> | undefined;
    const running = await executor.run(SPIN, {
      onStdout() {
        queued = executor.run(SPIN);
        queued.catch(() => {});
        setImmediate(() => void executor.close());
      },
    });
    expect(running).toMatchObject({ status: "cancelled", reason: closed, stdout: "before\n" });
    await expect(queued).rejects.toMatchObject(closed);
    await executor.close();
    await expect(executor.run(HELLO)).rejects.toMatchObject(closed);
    await expect(executor.compile(HELLO)).rejects.toMatchObject(closed);
    await expect(executor.execute("0".repeat(64))).rejects.toMatchObject(closed);
  });

  test("while it compiles, or while its first cell starts, is EXECUTOR_CLOSED and no fault of the cell's", async () => {
    for (const source of [neverSeen(HELLO), HELLO]) {
      const executor = new ScriptExecutor(options);
      const running = executor.run(source);
      const rejected = expect(running).rejects.toMatchObject(closed);
      setTimeout(() => void executor.close(), source === HELLO ? 30 : 5);
      const outcome = await running.then(
        ({ status }) => status,
        () => "rejected",
      );
      // On an idle machine the run may be over before; then it has its result.
      if (outcome === "rejected") await rejected;
      else await rejected.catch(() => expect(["ok", "cancelled"]).toContain(outcome));
      await executor.close();
    }
  });

  test("that never did anything, or twice, is no error", async () => {
    const executor = new ScriptExecutor(options);
    await Promise.all([executor.close(), executor.close()]);
    await executor.close();
  });

  test("happens at the end of `await using`", async () => {
    let outlived: ScriptExecutor;
    {
      await using executor = new ScriptExecutor(options);
      outlived = executor;
      expect((await executor.run(HELLO)).status).toBe("ok");
    }
    await expect(outlived.run(HELLO)).rejects.toMatchObject(closed);
  });
});

describe.each(PROCESS_MODES)("the cells of $name", ({ options }) => {
  /** Processes that were started since. */
  const since = (before: ReadonlySet<number>) =>
    descendants().filter((pid) => !before.has(pid) && isRunning(pid));
  const open = () => {
    const before = new Set(descendants());
    const executor = openExecutor({ ...options, cells: { maxRunning: 1, spares: 0 } });
    return { executor, cells: () => since(before).join() };
  };

  test("serve a tenant again and again", async () => {
    const { executor, cells } = open();
    await executor.run(HELLO);
    const first = cells();
    for (let n = 0; n < 5; n += 1) await executor.run(HELLO);
    expect(first).not.toBe("");
    expect(cells()).toBe(first);
  });

  test("never serve two tenants, nor one with and without mounts", async () => {
    const before = new Set(descendants());
    const executor = openExecutor({ ...options, cells: { maxRunning: 1, maxIdle: 10, spares: 0 } });
    const seen: number[] = [];
    const mounts = [{ host: new URL(".", import.meta.url).pathname, guest: "/data" }];
    for (const run of [
      { tenant: "ada" },
      { tenant: "bob" },
      {},
      { tenant: "ada", capabilities: { mounts } },
      { tenant: "ada", capabilities: { mounts: [{ ...mounts[0], access: "read-write" }] } },
    ] as const) {
      expect((await executor.run(HELLO, run as object)).status).toBe("ok");
      seen.push(since(before).length);
    }
    const perCell = seen[0] ?? 0;
    expect(perCell).toBeGreaterThan(0);
    expect(seen).toEqual([1, 2, 3, 4, 5].map((n) => n * perCell));
  });

  test("are replaced after a guest trapped", async () => {
    const { executor, cells } = open();
    await executor.run(HELLO);
    const first = cells();
    expect((await executor.run(attack("panic"))).status).toBe("panicked");
    expect((await executor.run(HELLO)).status).toBe("ok");
    expect(cells()).not.toBe(first);
  });

  test("that are killed from outside under a guest are a trap of their own, with the output so far", async () => {
    const before = new Set(descendants());
    const executor = openExecutor({ ...options, cells: { maxRunning: 1, spares: 0 } });
    const result = await executor.run(SPIN, {
      onStdout() {
        for (const pid of since(before)) process.kill(pid, "SIGKILL");
      },
    });
    expect(result).toMatchObject({ status: "trapped", code: "cell-died", stdout: "before\n" });
    expect((await executor.run(HELLO)).status).toBe("ok");
  });

  test("that are killed from outside while they are idle are missed by nobody", async () => {
    const { executor, cells } = open();
    await executor.run(HELLO);
    for (const pid of cells().split(",")) process.kill(Number(pid), "SIGKILL");
    await vi.waitFor(() => expect(cells()).toBe(""), { timeout: 10_000 });
    // They are gone; this process has to have been told so too.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await executor.run(HELLO)).status).toBe("ok");
  });
});
