import { describe, expect, test, vi } from "vitest";
import { Cell, type CellListener, type PreparedModule } from "../../src/run/cell.ts";
import { encodeCellMessage } from "../../src/run/framing.ts";
import { MAX_CHUNK_BYTES, type RunRequest } from "../../src/run/protocol.ts";
import { FakeTransport, fakeCell } from "../support/fake-cell.ts";
import { CELL_KIND, rawFrame } from "../support/frames.ts";

const NOTHING_ATTACHED = { stdin: new Uint8Array(0), files: [] };
const request: Omit<RunRequest, "module"> = {
  args: ["script"],
  env: {},
  clock: { kind: "denied" },
  random: { kind: "secure" },
  stdin: "attached",
  fuel: 1_000,
  outputBytes: 1_000,
  diskBytes: 0,
  openFiles: 0,
  hostCallBytes: 0,
  terminal: false,
};
const module = (n: number): PreparedModule => ({
  key: `m${n}`,
  bytes: Uint8Array.from([n]),
  memory: { minimum: 1, maximum: 2 },
});
const listener = () => ({
  onMessage: vi.fn<CellListener["onMessage"]>(),
  onGone: vi.fn<CellListener["onGone"]>(),
});

/** A cell in the middle of a run. */
async function running(behaviour: Parameters<typeof fakeCell>[0] = {}) {
  const { cell, far } = fakeCell(behaviour);
  await cell.ready;
  const heard = listener();
  cell.run(module(1), request, NOTHING_ATTACHED, heard);
  return { cell, far, heard };
}

const settled = async (promise: Promise<unknown>): Promise<boolean> => {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return done;
};

describe("a cell that starts", () => {
  test("is told its mounts first and is ready when it says so", async () => {
    const mounts = [{ source: "/srv", guest: "/data", access: "read" as const, maxBytes: null }];
    let far: FakeTransport | undefined;
    const cell = new Cell(
      (events) => {
        far = new FakeTransport(events);
        return far;
      },
      { cell: "process", jail: "none", engine: "preview1" },
      mounts,
    );
    await cell.ready;
    expect(far?.received.map((frame) => frame.message)).toEqual([
      { kind: "open", engine: "preview1", mounts },
    ]);
  });

  test("and ends before it is ready is CELL_FAILED with the reason, and names `doctor`", async () => {
    const { cell, far } = fakeCell({ ready: false });
    far.close("exit code 127: node: not found");
    await expect(cell.ready).rejects.toMatchObject({
      code: "CELL_FAILED",
      message: expect.stringMatching(/node: not found.*scriptcell doctor/),
    });
    expect(cell.alive).toBe(false);
    await cell.gone;
  });

  test("and cannot open a mount is CELL_FAILED with the mount, and is ended", async () => {
    const { cell, far } = fakeCell({ ready: false });
    far.say({ kind: "ready", failed: "/data: EACCES" });
    await expect(cell.ready).rejects.toMatchObject({
      code: "CELL_FAILED",
      message: expect.stringContaining("/data: EACCES"),
    });
    expect(far.kills).toBe(1);
  });

  test.each([
    ["output", encodeCellMessage({ kind: "stdout" }, Buffer.from("x"))],
    [
      "the end of a run",
      encodeCellMessage({
        kind: "done",
        end: { how: "exit", exitCode: 0 },
        fuelLeft: 0,
        peakMemoryBytes: 0,
        refusedGrowths: 0,
        denialCounts: [],
      }),
    ],
    ["a wish for stdin", encodeCellMessage({ kind: "pull", maxBytes: 1 })],
    ["junk", Buffer.alloc(64, 0xff)],
  ])("with %s is not ready but ended", async (_, bytes) => {
    const { cell, far } = fakeCell({ ready: false });
    far.sayBytes(bytes);
    await expect(cell.ready).rejects.toMatchObject({ code: "CELL_FAILED" });
    expect(far.kills).toBe(1);
    await cell.gone;
  });

  test("and fails before anybody waits for it is no unhandled rejection", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const { cell, far } = fakeCell({ ready: false });
    far.close("gone");
    await cell.gone;
    await new Promise((resolve) => setTimeout(resolve, 10));
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});

describe("a module", () => {
  test("is sent once to a cell, before the first run that needs it", async () => {
    const { cell, far } = await running();
    far.done();
    cell.run(module(1), request, NOTHING_ATTACHED, listener());
    expect(far.kinds).toEqual(["open", "module", "run", "run"]);
    expect(far.received[1]).toMatchObject({ message: { key: "m1" }, payload: Buffer.from([1]) });
  });

  test("that was used least recently is forgotten when there are too many, and sent again when it is wanted", async () => {
    const { cell, far } = fakeCell();
    await cell.ready;
    const run = (n: number): void => {
      cell.run(module(n), request, NOTHING_ATTACHED, listener());
      far.done();
    };
    for (let n = 1; n <= 32; n += 1) run(n);
    run(1);
    run(33);
    const forgotten = (): string[] =>
      far.received.flatMap(({ message }) => (message.kind === "forget" ? [message.key] : []));
    expect(forgotten()).toEqual(["m2"]);
    run(2);
    expect(forgotten()).toEqual(["m2", "m3"]);
    expect(far.received.filter(({ message }) => message.kind === "module")).toHaveLength(34);
  });
});

test("stdin travels with the run", async () => {
  const { cell, far } = fakeCell();
  await cell.ready;
  cell.run(module(1), request, { stdin: Buffer.from("in"), files: [] }, listener());
  expect(Buffer.from(far.received.at(-1)?.payload ?? []).toString()).toBe("in");
});

describe("a cell that breaks the protocol during a run is ended, and the run hears why", () => {
  const large = { payloadBytes: MAX_CHUNK_BYTES + 1 };
  test.each<[string, Buffer]>([
    ["an unknown kind", rawFrame(200, "{}")],
    ["a frame of 4 GiB", rawFrame(CELL_KIND.stdout, "", Buffer.alloc(0), { payloadBytes: 0xffff_ffff })],
    ["a chunk that is too large", rawFrame(CELL_KIND.stdout, "", Buffer.alloc(0), large)],
    ["JSON that is none", rawFrame(CELL_KIND.done, "{{")],
    ["an end that no guest can have", rawFrame(CELL_KIND.done, '{"end":{"how":"deadline"}}')],
    ["a denial without a call", rawFrame(CELL_KIND.denial, '{"target":"x"}')],
    ["an endless list of counts", rawFrame(CELL_KIND.done, `{"denialCounts":[${"1,".repeat(4000)}1]}`)],
  ])("%s", async (_, bytes) => {
    const { cell, far, heard } = await running();
    far.sayBytes(bytes);
    expect(heard.onGone).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("broke the protocol"));
    expect(heard.onMessage).not.toHaveBeenCalled();
    expect([cell.alive, far.kills]).toEqual([false, 1]);
    await cell.gone;
  });

  test("what it said before is heard", async () => {
    const { far, heard } = await running();
    far.sayBytes(
      Buffer.concat([encodeCellMessage({ kind: "stdout" }, Buffer.from("kept")), rawFrame(99, "{}")]),
    );
    expect(heard.onMessage).toHaveBeenCalledOnce();
    expect(heard.onGone).toHaveBeenCalledOnce();
  });

  test("what it says after that is not", async () => {
    const { far, heard } = await running({ dies: false });
    far.sayBytes(rawFrame(99, "{}"));
    far.say({ kind: "stdout" }, "late");
    far.done();
    far.sayBytes(rawFrame(99, "{}"));
    far.close("SIGKILL");
    expect(heard.onMessage).not.toHaveBeenCalled();
    expect(heard.onGone).toHaveBeenCalledOnce();
    expect(far.kills).toBe(1);
  });

  test("it is gone only when its process is", async () => {
    const { cell, far } = await running({ dies: false });
    far.sayBytes(rawFrame(99, "{}"));
    expect(await settled(cell.gone)).toBe(false);
    far.close("SIGKILL");
    expect(await settled(cell.gone)).toBe(true);
  });
});

test("a cell that speaks between two runs is ended", async () => {
  const { cell, far } = await running();
  far.done();
  expect(cell.alive).toBe(true);
  far.say({ kind: "stdout" }, "for the next tenant");
  expect(cell.alive).toBe(false);
  await cell.gone;
});

test("output that is smuggled in behind the end of a run reaches no run", async () => {
  const { cell, far, heard } = await running();
  const done = rawFrame(
    CELL_KIND.done,
    '{"end":{"how":"exit","exitCode":0},"fuelLeft":0,"peakMemoryBytes":0,"refusedGrowths":0,"denialCounts":[]}',
  );
  far.sayBytes(Buffer.concat([done, encodeCellMessage({ kind: "stdout" }, Buffer.from("smuggled"))]));
  expect(heard.onMessage.mock.calls.map(([frame]) => frame.message.kind)).toEqual(["done"]);
  expect(cell.alive).toBe(false);
});

test("half a frame that an earlier run left behind does not become part of the next", async () => {
  const { cell, far } = await running();
  far.done();
  far.sayBytes(rawFrame(CELL_KIND.stdout, "", Buffer.from("half")).subarray(0, 5));
  const next = listener();
  if (cell.alive) cell.run(module(1), request, NOTHING_ATTACHED, next);
  far.sayBytes(rawFrame(CELL_KIND.stdout, "", Buffer.from("half")).subarray(5));
  expect(next.onMessage).not.toHaveBeenCalled();
  expect(cell.alive).toBe(false);
});

describe("a cell that is killed", () => {
  test("still delivers what it had sent, then is gone", async () => {
    const { cell, far, heard } = await running({ dies: false });
    cell.kill();
    far.say({ kind: "stdout" }, "last words");
    far.close("SIGKILL");
    expect(heard.onMessage).toHaveBeenCalledOnce();
    expect(heard.onGone).toHaveBeenCalledExactlyOnceWith("SIGKILL");
    await cell.gone;
  });

  test("is killed once and sent nothing more", async () => {
    const { cell, far } = await running({ dies: false });
    const sent = far.received.length;
    cell.kill();
    cell.kill();
    cell.sendStdin(Buffer.from("x"), true);
    expect([far.kills, far.received.length]).toEqual([1, sent]);
  });
});

test("a cell that dies between two runs is not alive and tells nobody", async () => {
  const { cell, far, heard } = await running();
  far.done();
  far.close("SIGSEGV");
  await cell.gone;
  expect(cell.alive).toBe(false);
  expect(heard.onGone).not.toHaveBeenCalled();
});

test("a cell that asks for stdin and does not read it is ended before the host buffers it without end", async () => {
  const { cell, far, heard } = await running();
  far.backlogBytes = 64 * MAX_CHUNK_BYTES;
  const sent = far.received.length;
  cell.sendStdin(Buffer.alloc(MAX_CHUNK_BYTES), false);
  expect(far.received.length).toBe(sent);
  expect(cell.alive).toBe(false);
  expect(heard.onGone).toHaveBeenCalledOnce();
});
