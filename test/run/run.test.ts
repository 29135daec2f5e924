import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { encodeCellMessage } from "../../src/run/framing.ts";
import { MAX_CHUNK_BYTES, MAX_DENIALS, MAX_FRAMES } from "../../src/run/protocol.ts";
import { type RunJob, type RunRecord, runInCell } from "../../src/run/run.ts";
import { openStdin, type StdinSource } from "../../src/run/stdin.ts";
import { type FakeTransport, fakeCell } from "../support/fake-cell.ts";

interface Scene {
  far: FakeTransport;
  record: Promise<RunRecord>;
  release: ReturnType<typeof vi.fn<(reuse: boolean) => void>>;
}

const OUTPUT_BYTES = 10;

/** A run in a fake cell, started. */
async function begin(
  options: Partial<RunJob> & { source?: StdinSource; behaviour?: Parameters<typeof fakeCell>[0] } = {},
): Promise<Scene> {
  const { source, behaviour, ...job } = options;
  const { cell, far } = fakeCell(behaviour);
  const release = vi.fn<(reuse: boolean) => void>((reuse) => {
    if (!reuse) cell.kill();
  });
  const record = runInCell(
    { cell, release },
    {
      module: { key: "m1", bytes: new Uint8Array(1), memory: { minimum: 1, maximum: 2 } },
      request: {
        args: ["script"],
        env: {},
        clock: { kind: "denied" },
        random: { kind: "secure" },
        fuel: 1_000,
        outputBytes: OUTPUT_BYTES,
        diskBytes: 0,
        openFiles: 0,
        hostCallBytes: 0,
        terminal: false,
      },
      stdin: openStdin(source),
      wallTimeMs: 1_000,
      ...job,
    },
  );
  record.catch(() => {});
  await vi.advanceTimersByTimeAsync(0);
  return { far, record, release };
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
const stdinAnswers = (far: FakeTransport): string[] =>
  far.received.flatMap(({ message, payload }) => (message.kind === "stdin" ? [text(payload)] : []));

beforeEach(
  () =>
    void vi.useFakeTimers({
      toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
    }),
);
afterEach(() => void vi.useRealTimers());

describe("a guest that ends by itself", () => {
  test("leaves its output in order, its memory, and a cell that can serve again", async () => {
    const { far, record, release } = await begin();
    far.say({ kind: "stdout" }, "one");
    far.say({ kind: "stderr" }, "err");
    far.say({ kind: "stdout" }, " two");
    far.done({ how: "exit", exitCode: 3 });
    const { stdout, stderr, ...rest } = await record;
    expect([text(stdout), text(stderr)]).toEqual(["one two", "err"]);
    expect(rest).toMatchObject({
      end: { how: "exit", exitCode: 3 },
      truncated: { stdout: false, stderr: false },
      peakMemoryBytes: 65_536,
      denials: [],
    });
    expect(release).toHaveBeenCalledExactlyOnceWith(true);
  });

  test.each([
    { how: "trap", code: "unreachable", message: "unreachable" },
    { how: "stack-overflow" },
    { how: "output-limit", stream: "stdout" },
    { how: "load-failed", message: "no" },
  ] as const)("by $how costs its cell", async (end) => {
    const { far, record, release } = await begin();
    far.done(end);
    expect((await record).end).toEqual(end);
    expect(release).toHaveBeenCalledExactlyOnceWith(false);
  });

  test("has no timer left that would keep Node alive", async () => {
    const { far, record } = await begin();
    far.done();
    await record;
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("artifacts", () => {
  const SCRATCH = {
    mounts: [{ guest: "/tmp", access: "read-write", bytes: null }],
    bytes: 100,
    artifacts: ["/tmp/*"],
  } as const;
  const REQUEST = {
    args: ["script"],
    env: {},
    clock: { kind: "denied" },
    random: { kind: "secure" },
    fuel: 1_000,
    outputBytes: OUTPUT_BYTES,
    diskBytes: 0,
    openFiles: 0,
    hostCallBytes: 0,
    terminal: false,
    scratch: SCRATCH,
  } as const;

  test("come with the end of the run, however the guest ended", async () => {
    const { far, record } = await begin({ request: REQUEST });
    far.say({ kind: "artifact", bytes: 4 }, "/tmp/a");
    far.say({ kind: "artifact-bytes" }, "ab");
    far.say({ kind: "artifact-bytes" }, "cd");
    far.done({ how: "trap", code: "unreachable", message: "unreachable" });
    const { artifacts } = await record;
    expect(Object.entries(artifacts).map(([path, bytes]) => [path, text(bytes)])).toEqual([
      ["/tmp/a", "abcd"],
    ]);
  });

  test("that were not asked for, or are not whole, cost the cell its life and give nothing", async () => {
    for (const say of [
      (far: FakeTransport) => far.say({ kind: "artifact", bytes: 0 }, "/etc/passwd"),
      (far: FakeTransport) => far.say({ kind: "artifact", bytes: 101 }, "/tmp/b"),
      (far: FakeTransport) => far.say({ kind: "artifact-bytes" }, "x"),
      (far: FakeTransport) => {
        far.say({ kind: "artifact", bytes: 2 }, "/tmp/b");
        far.done();
      },
    ]) {
      const { far, record, release } = await begin({ request: REQUEST });
      far.say({ kind: "artifact", bytes: 1 }, "/tmp/a");
      far.say({ kind: "artifact-bytes" }, "a");
      say(far);
      const { end, artifacts } = await record;
      expect([end.how, artifacts]).toEqual(["cell-died", {}]);
      expect(release).toHaveBeenCalledExactlyOnceWith(false);
    }
  });

  test("of a run that the host has ended are none, though the cell sends some", async () => {
    const { far, record } = await begin({ request: REQUEST, behaviour: { dies: false } });
    await vi.advanceTimersByTimeAsync(1_000);
    far.say({ kind: "artifact", bytes: 0 }, "/tmp/a");
    far.done({ how: "exit", exitCode: 0 });
    expect(await record).toMatchObject({ end: { how: "deadline" }, artifacts: {} });
  });

  test("need no files, but the files of a run go to the cell before it", async () => {
    const files = [{ mount: 0, path: "in/a", bytes: Buffer.from("content") }];
    const { far, record } = await begin({ request: REQUEST, files });
    expect(far.kinds.slice(-2)).toEqual(["file", "run"]);
    expect(far.received.at(-2)).toMatchObject({ message: { kind: "file", mount: 0, path: "in/a" } });
    expect(text(far.received.at(-2)?.payload ?? Buffer.alloc(0))).toBe("content");
    far.done();
    expect((await record).artifacts).toEqual({});
  });
});

describe("the deadline", () => {
  test.each([
    ["under", 999, 0],
    ["at", 1_000, 1],
  ])("a run that is %s its wall time after %i ms", async (_, elapsed, kills) => {
    const { far } = await begin({ wallTimeMs: 1_000 });
    await vi.advanceTimersByTimeAsync(elapsed);
    expect(far.kills).toBe(kills);
  });

  test("kills the cell and keeps all that it had sent, also what arrives after the kill", async () => {
    const { far, record, release } = await begin({ behaviour: { dies: false } });
    far.say({ kind: "stdout" }, "early ");
    await vi.advanceTimersByTimeAsync(1_000);
    far.say({ kind: "stdout" }, "late");
    far.close("SIGKILL");
    const { end, stdout, peakMemoryBytes, truncated } = await record;
    expect([end, text(stdout), peakMemoryBytes]).toEqual([{ how: "deadline" }, "early late", null]);
    expect(truncated).toEqual({ stdout: false, stderr: false });
    expect(release).toHaveBeenCalledExactlyOnceWith(false);
  });

  test("stands, though the cell says afterwards that all is well", async () => {
    const { far, record, release } = await begin({ behaviour: { dies: false } });
    await vi.advanceTimersByTimeAsync(1_000);
    far.done({ how: "exit", exitCode: 0 });
    expect((await record).end).toEqual({ how: "deadline" });
    expect(release).toHaveBeenCalledExactlyOnceWith(false);
  });

  test("settles the run though the cell does not confirm its end", async () => {
    const { record } = await begin({ behaviour: { dies: false } });
    await vi.advanceTimersByTimeAsync(5_000);
    expect((await record).end).toEqual({ how: "deadline" });
  });

  test("does not count the time that the cell took to start", async () => {
    const { far, record } = await begin({ wallTimeMs: 1_000, behaviour: { ready: false } });
    await vi.advanceTimersByTimeAsync(3_000);
    far.say({ kind: "ready", failed: null });
    await vi.advanceTimersByTimeAsync(500);
    far.done();
    const { end, durationMs } = await record;
    expect(end).toEqual({ how: "exit", exitCode: 0 });
    expect(durationMs).toBeLessThan(1_000);
  });
});

describe("output", () => {
  test.each([
    ["under", 9, false],
    ["at", 10, false],
    ["over", 11, true],
  ])("of a cell that is %s outputBytes: %i of 10 bytes", async (_, size, over) => {
    for (const stream of ["stdout", "stderr"] as const) {
      const { far, record } = await begin();
      far.say({ kind: stream }, Buffer.alloc(size, "x"));
      if (!over) far.done();
      await vi.advanceTimersByTimeAsync(0);
      const { end, truncated, [stream]: captured } = await record;
      expect(end).toEqual(over ? { how: "output-limit", stream } : { how: "exit", exitCode: 0 });
      expect(truncated).toEqual({ stdout: false, stderr: false, [stream]: over });
      expect(captured.length).toBe(Math.min(size, OUTPUT_BYTES));
      expect(far.kills).toBe(over ? 1 : 0);
    }
  });

  test("of a hostile cell that floods is cut at the cap, also for the callback", async () => {
    const chunks: number[] = [];
    const { far, record } = await begin({ onStdout: (chunk) => chunks.push(chunk.length) });
    for (let i = 0; i < 100; i += 1) far.say({ kind: "stdout" }, Buffer.alloc(MAX_CHUNK_BYTES));
    await vi.advanceTimersByTimeAsync(0);
    expect((await record).stdout.length).toBe(OUTPUT_BYTES);
    expect(chunks).toEqual([OUTPUT_BYTES]);
  });

  test("is told live, each stream to its own callback, in chunks that stay as they were", async () => {
    const out: Uint8Array[] = [];
    const err: Uint8Array[] = [];
    const { far, record } = await begin({
      onStdout: (chunk) => out.push(chunk),
      onStderr: (chunk) => err.push(chunk),
    });
    const bytes = encodeCellMessage({ kind: "stdout" }, Buffer.from("abc"));
    far.sayBytes(bytes);
    expect(out.map(text)).toEqual(["abc"]);
    bytes.fill(0);
    far.say({ kind: "stderr" }, "e");
    far.say({ kind: "stdout" }, "");
    far.done();
    expect(text((await record).stdout)).toBe("abc");
    expect([out.map(text), err.map(text)]).toEqual([["abc"], ["e"]]);
  });

  test("whose callback throws ends the run with what it threw, and is not told again", async () => {
    const failure = new Error("no room");
    const onStdout = vi.fn(() => {
      throw failure;
    });
    const { far, record, release } = await begin({ onStdout });
    const chunk = encodeCellMessage({ kind: "stdout" }, Buffer.from("x"));
    far.sayBytes(Buffer.concat([chunk, chunk, chunk]));
    await expect(record).rejects.toBe(failure);
    expect(onStdout).toHaveBeenCalledOnce();
    expect(release).toHaveBeenCalledExactlyOnceWith(false);
    expect(far.kills).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("denials", () => {
  const denial = (n: number) =>
    ({ kind: "denial", call: "path_open", target: `/${n}`, reason: "no mount", grant: "mounts" }) as const;

  test("carry the counts that the cell gives at the end", async () => {
    const { far, record } = await begin();
    far.say(denial(1));
    far.say(denial(2));
    far.done(undefined, [5, 1]);
    const { kind: _, ...first } = denial(1);
    expect((await record).denials).toEqual([
      { ...first, count: 5 },
      { ...first, target: "/2", count: 1 },
    ]);
  });

  test("that the cell gives no count, or a senseless one, count once", async () => {
    const { far, record } = await begin();
    far.say(denial(1));
    far.say(denial(2));
    far.done(undefined, [0]);
    expect((await record).denials.map(({ count }) => count)).toEqual([1, 1]);
  });

  test("before a kill are kept", async () => {
    const { far, record } = await begin();
    far.say(denial(1));
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await record).denials).toHaveLength(1);
  });

  test("beyond the bound are dropped", async () => {
    const { far, record } = await begin();
    for (let n = 0; n < MAX_DENIALS * 2; n += 1) far.say(denial(n));
    far.done();
    expect((await record).denials).toHaveLength(MAX_DENIALS);
  });
});

describe("a backtrace", () => {
  const frame = (name: string, index: number | null = 0) =>
    ({ kind: "stack-frame", function: name, index }) as const;

  test("has the frames that the cell sent, in their order", async () => {
    const { far, record } = await begin();
    far.say(frame("script::inner", 7));
    far.say(frame("script::main", null));
    far.done({ how: "trap", code: "unreachable", message: "unreachable" });
    expect((await record).backtrace).toEqual([
      { function: "script::inner", index: 7 },
      { function: "script::main", index: null },
    ]);
  });

  test.each([
    ["line\nbreaks\r\u2028\u2029\u0085", "line\ufffdbreaks\ufffd\ufffd\ufffd\ufffd"],
    ["\u0000\u001b[2J\u009b2J", "\ufffd\ufffd[2J\ufffd2J"],
    ["\u202eetirw\u2066\u200b", "\ufffdetirw\ufffd\ufffd"],
    ["half \ud83e of a \udd80 character", "half \ufffd of a \ufffd character"],
    ["__proto__", "__proto__"],
    ["größe 🦀", "größe 🦀"],
  ])("shows %j as one line of valid text", async (name, shown) => {
    const { far, record } = await begin();
    far.say(frame(name));
    far.done({ how: "stack-overflow" });
    expect((await record).backtrace).toEqual([{ function: shown, index: 0 }]);
  });

  test("has as many frames as one may have", async () => {
    const { far, record } = await begin();
    for (let n = 0; n < MAX_FRAMES; n += 1) far.say(frame("f", n));
    far.done({ how: "stack-overflow" });
    expect((await record).backtrace).toHaveLength(MAX_FRAMES);
  });

  test("of more frames is none: no honest cell sends one", async () => {
    const { far, record, release } = await begin();
    for (let n = 0; n <= MAX_FRAMES; n += 1) far.say(frame("f", n));
    far.done({ how: "stack-overflow" });
    expect(await record).toMatchObject({ end: { how: "cell-died" }, backtrace: [] });
    expect(release).toHaveBeenCalledExactlyOnceWith(false);
  });

  test("of a run that the host has ended is none, whatever the cell has said", async () => {
    const { far, record } = await begin({ behaviour: { dies: false } });
    far.say(frame("script::main"));
    await vi.advanceTimersByTimeAsync(1_000);
    far.done({ how: "trap", code: "unreachable", message: "unreachable" });
    expect(await record).toMatchObject({ end: { how: "deadline" }, backtrace: [] });
  });
});

describe("stdin", () => {
  async function* endless(): AsyncGenerator<string> {
    for (;;) yield "line\n";
  }

  test("is given out as the guest asks for it, with its end", async () => {
    const { far, record } = await begin({ source: new Blob(["abc"]).stream() });
    for (const kind of ["pull", "pull"] as const) {
      far.say({ kind, maxBytes: 2 });
      await vi.waitFor(() => expect(stdinAnswers(far).length).toBeGreaterThan(0));
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(stdinAnswers(far).slice(0, 2)).toEqual(["ab", "c"]);
    far.done();
    await record;
  });

  test("whose stream throws ends the run with what it threw", async () => {
    const failure = new Error("the disk went away");
    async function* failing(): AsyncGenerator<string> {
      yield* [];
      throw failure;
    }
    const { far, record, release } = await begin({ source: failing() });
    far.say({ kind: "pull", maxBytes: 1 });
    await expect(record).rejects.toBe(failure);
    expect(release).toHaveBeenCalledExactlyOnceWith(false);
  });

  test("is cancelled when the guest ends before it", async () => {
    const cleanedUp = vi.fn();
    async function* guarded(): AsyncGenerator<string> {
      try {
        yield* endless();
      } finally {
        cleanedUp();
      }
    }
    const { far, record } = await begin({ source: guarded() });
    far.say({ kind: "pull", maxBytes: 2 });
    await vi.advanceTimersByTimeAsync(0);
    far.done();
    await record;
    await vi.advanceTimersByTimeAsync(0);
    expect(cleanedUp).toHaveBeenCalledOnce();
  });

  test("that a cell asks for twice at once breaks the protocol: an honest one waits for its answer", async () => {
    const { far, record } = await begin({ source: endless() });
    for (let n = 0; n < 1_000; n += 1) far.say({ kind: "pull", maxBytes: MAX_CHUNK_BYTES });
    await vi.advanceTimersByTimeAsync(0);
    expect((await record).end).toMatchObject({ how: "cell-died" });
    expect(stdinAnswers(far).length).toBeLessThanOrEqual(1);
  });

  test("of a stream that never answers is no way around the deadline", async () => {
    const silent = new ReadableStream<string>({});
    const { far, record } = await begin({ source: silent });
    far.say({ kind: "pull", maxBytes: 1 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await record).end).toEqual({ how: "deadline" });
  });
});

describe("a signal", () => {
  const why = new Error("changed my mind");

  test("that was aborted before sends nothing to the cell, which can serve again", async () => {
    const { far, record, release } = await begin({ signal: AbortSignal.abort(why) });
    await expect(
      record.then(
        ({ end }) => (end.how === "cancelled" ? end.reason : end),
        (error) => error,
      ),
    ).resolves.toBe(why);
    expect(far.kinds).not.toContain("run");
    expect(release).toHaveBeenCalledOnce();
  });

  test("that is aborted while the cell starts ends the wait", async () => {
    const abort = new AbortController();
    const { far, record, release } = await begin({ signal: abort.signal, behaviour: { ready: false } });
    abort.abort(why);
    await expect(record).rejects.toBe(why);
    expect(release).toHaveBeenCalledOnce();
    far.say({ kind: "ready", failed: null });
    expect(far.kinds).not.toContain("run");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("that is aborted during the run kills the cell and keeps the output", async () => {
    const abort = new AbortController();
    const { far, record, release } = await begin({ signal: abort.signal });
    far.say({ kind: "stdout" }, "kept");
    abort.abort(why);
    await vi.advanceTimersByTimeAsync(0);
    const { end, stdout } = await record;
    expect([end, text(stdout)]).toEqual([{ how: "cancelled", reason: why }, "kept"]);
    expect(release).toHaveBeenCalledExactlyOnceWith(false);
  });

  test("that is aborted after the run changes nothing, and is no longer listened to", async () => {
    const abort = new AbortController();
    const removed = vi.spyOn(abort.signal, "removeEventListener");
    const { far, record } = await begin({ signal: abort.signal });
    far.done();
    await record;
    abort.abort(why);
    expect(far.kills).toBe(0);
    expect(removed).toHaveBeenCalledWith("abort", expect.any(Function));
  });

  test("that a callback aborts ends the run", async () => {
    const abort = new AbortController();
    const { far, record } = await begin({ signal: abort.signal, onStdout: () => abort.abort(why) });
    far.say({ kind: "stdout" }, "x");
    await vi.advanceTimersByTimeAsync(0);
    expect((await record).end).toEqual({ how: "cancelled", reason: why });
  });
});

describe("a cell that dies", () => {
  test("under the guest is the run's end, with the reason and the output so far", async () => {
    const { far, record, release } = await begin();
    far.say({ kind: "stdout" }, "kept");
    far.close("SIGSEGV");
    const { end, stdout } = await record;
    expect([end, text(stdout)]).toEqual([{ how: "cell-died", message: "SIGSEGV" }, "kept"]);
    expect(release).toHaveBeenCalledExactlyOnceWith(false);
  });

  test("before it is ready is CELL_FAILED, and gives the place back", async () => {
    const { far, record, release } = await begin({ behaviour: { ready: false } });
    far.close("exit code 1");
    await expect(record).rejects.toMatchObject({ code: "CELL_FAILED" });
    expect(release).toHaveBeenCalledExactlyOnceWith(false);
  });

  test("because it never becomes ready does not keep the caller for ever", async () => {
    const { far, record } = await begin({ behaviour: { ready: false } });
    await vi.advanceTimersByTimeAsync(60_000);
    await expect(record).rejects.toMatchObject({ code: "CELL_FAILED" });
    expect(far.kills).toBe(1);
  });

  test("or breaks the protocol does so without a second word", async () => {
    const { far, record } = await begin();
    far.say({ kind: "ready", failed: null });
    far.say({ kind: "stdout" }, "late");
    const { end, stdout } = await record;
    expect(end).toMatchObject({ how: "cell-died", message: expect.stringContaining("protocol") });
    expect(stdout.length).toBe(0);
  });
});
