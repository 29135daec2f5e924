import { chmod, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Diagnostic } from "../../src/compile/diagnostics.ts";
import type { MadeModule, StoreOptions, TieredStore } from "../../src/store/store.ts";
import { openStore } from "../../src/store/tiered.ts";
import { describeModuleStore } from "../conformance/module-store.ts";
import {
  deferred,
  entryFile,
  noWarning,
  ownDirectory,
  sampleKey,
  sampleModule,
  sampleWarning,
  strangersDirectory,
} from "./samples.ts";

describeModuleStore("tiered, with a disk", async () =>
  openStore({ directory: await ownDirectory(), onWarning: noWarning }),
);
describeModuleStore("tiered, with a disk and no memory", async () =>
  openStore({ directory: await ownDirectory(), memoryBytes: 0, onWarning: noWarning }),
);
describeModuleStore("tiered, without a disk", async () =>
  openStore({ directory: null, onWarning: noWarning }),
);

let directory: string;
let store: TieredStore;
const key = sampleKey(1);
const module = sampleModule(1);
const made = { ok: true, module } as const;
const error: Diagnostic = { ...sampleWarning(1), level: "error" };

function open(options: Partial<StoreOptions> = {}): TieredStore {
  return openStore({ directory, onWarning: noWarning, ...options });
}

/** A compile that ends when the test says so. */
function heldCompile() {
  const { promise, resolve, reject } = deferred<MadeModule>();
  const signals: AbortSignal[] = [];
  const make = vi.fn((signal: AbortSignal) => {
    signals.push(signal);
    return promise;
  });
  return { make, signals, finish: resolve, fail: reject };
}

beforeEach(async () => {
  directory = await ownDirectory();
  store = open();
});

afterEach(() => store.close());

describe("where a module comes from", () => {
  test("rustc at first, then memory, and the disk in a new process", async () => {
    const make = vi.fn(async () => made);
    expect(await store.getOrCompile(key, make)).toStrictEqual({ ...made, from: "rustc" });
    expect(await store.getOrCompile(key, make)).toStrictEqual({ ...made, from: "memory" });
    const later = open();
    expect(await later.getOrCompile(key, make)).toStrictEqual({ ...made, from: "disk" });
    expect(await later.getOrCompile(key, make)).toStrictEqual({ ...made, from: "memory" });
    expect(make).toHaveBeenCalledTimes(1);
  });

  test("memory is looked into without waiting", async () => {
    expect(store.peek(key)).toBeUndefined();
    await store.set(key, module);
    expect(store.peek(key)).toStrictEqual(module);
  });

  test("what was found on the disk is in memory from then on", async () => {
    await store.set(key, module);
    const later = open();
    expect(later.peek(key)).toBeUndefined();
    await later.get(key);
    expect(later.peek(key)).toStrictEqual(module);
  });

  test("every answer for a key is the same object, so long as it is in memory", async () => {
    const found = await store.getOrCompile(key, async () => made);
    expect(found.ok && found.module).toBe(store.peek(key));
    const later = open();
    const again = await later.getOrCompile(key, async () => made);
    expect(again.ok && again.module).toBe(later.peek(key));
  });

  test("rustc again where the entry on the disk is damaged, and the disk after that", async () => {
    await store.set(key, module);
    await truncate(entryFile(directory, key), 100);
    const make = vi.fn(async () => made);
    expect(await open().getOrCompile(key, make)).toMatchObject({ from: "rustc" });
    expect(await open().getOrCompile(key, make)).toMatchObject({ from: "disk" });
    expect(make).toHaveBeenCalledTimes(1);
  });

  test("a store without a disk has memory alone", async () => {
    const alone = open({ directory: null });
    expect(await alone.getOrCompile(key, async () => made)).toMatchObject({ from: "rustc" });
    expect(await alone.getOrCompile(key, async () => made)).toMatchObject({ from: "memory" });
    expect(alone.path).toBeNull();
    expect(await alone.list()).toEqual([]);
    expect(await alone.prune()).toMatchObject({ removedEntries: 0 });
    await alone.clear();
    expect(alone.peek(key)).toBeUndefined();
  });
});

describe("a script that does not compile", () => {
  test("comes back with its diagnostics and is not kept", async () => {
    const make = vi.fn(async () => ({ ok: false, diagnostics: [error] }) as const);
    expect(await store.getOrCompile(key, make)).toEqual({ ok: false, diagnostics: [error] });
    expect(await store.getOrCompile(key, make)).toEqual({ ok: false, diagnostics: [error] });
    expect(make).toHaveBeenCalledTimes(2);
    expect(await store.list()).toEqual([]);
    expect(await readdir(join(directory, "v1", "locks"))).toEqual([]);
  });

  test("comes back so to everybody who waited for it", async () => {
    const compile = heldCompile();
    const answers = [1, 2, 3].map(() => store.getOrCompile(key, compile.make));
    await vi.waitFor(() => expect(compile.make).toHaveBeenCalled());
    compile.finish({ ok: false, diagnostics: [error] });
    for (const answer of answers) expect(await answer).toEqual({ ok: false, diagnostics: [error] });
    expect(compile.make).toHaveBeenCalledTimes(1);
  });
});

describe("callers who ask for one key at once", () => {
  test("share one compile", async () => {
    const compile = heldCompile();
    const answers = Array.from({ length: 50 }, () => store.getOrCompile(key, compile.make));
    await vi.waitFor(() => expect(compile.make).toHaveBeenCalled());
    answers.push(store.getOrCompile(key, compile.make));
    compile.finish(made);
    for (const answer of answers) expect(await answer).toMatchObject({ from: "rustc" });
    expect(compile.make).toHaveBeenCalledTimes(1);
  });

  test("do not hold up those who ask for another", async () => {
    const compile = heldCompile();
    const first = store.getOrCompile(key, compile.make);
    const other = { ok: true, module: sampleModule(2) } as const;
    expect(await store.getOrCompile(sampleKey(2), async () => other)).toMatchObject({ from: "rustc" });
    compile.finish(made);
    await first;
  });

  test("get the same error when the compiler cannot be started, and the next call tries again", async () => {
    const compile = heldCompile();
    const settled = Promise.allSettled([1, 2].map(() => store.getOrCompile(key, compile.make)));
    await vi.waitFor(() => expect(compile.make).toHaveBeenCalled());
    const reason = new Error("no rustc");
    compile.fail(reason);
    expect(await settled).toEqual([
      { status: "rejected", reason },
      { status: "rejected", reason },
    ]);
    expect(await store.getOrCompile(key, async () => made)).toMatchObject({ from: "rustc" });
  });

  test("may leave one by one: the others get their module", async () => {
    const compile = heldCompile();
    const leaving = new AbortController();
    const answers = [
      store.getOrCompile(key, compile.make, leaving.signal),
      store.getOrCompile(key, compile.make, new AbortController().signal),
      store.getOrCompile(key, compile.make),
    ] as const;
    await vi.waitFor(() => expect(compile.make).toHaveBeenCalled());
    leaving.abort(new Error("had enough"));
    await expect(answers[0]).rejects.toThrow("had enough");
    expect(compile.signals[0]?.aborted).toBe(false);
    compile.finish(made);
    expect(await answers[1]).toMatchObject({ from: "rustc" });
    expect(await answers[2]).toMatchObject({ from: "rustc" });
  });

  test("end the compile when the last of them leaves", async () => {
    const compile = heldCompile();
    const leaving = [new AbortController(), new AbortController()] as const;
    const answers = leaving.map((controller) => store.getOrCompile(key, compile.make, controller.signal));
    const settled = Promise.allSettled(answers);
    await vi.waitFor(() => expect(compile.make).toHaveBeenCalled());
    leaving[0].abort("first");
    expect(compile.signals[0]?.aborted).toBe(false);
    leaving[1].abort("last");
    expect(compile.signals[0]?.aborted).toBe(true);
    expect(compile.signals[0]?.reason).toBe("last");
    expect(await settled).toEqual([
      { status: "rejected", reason: "first" },
      { status: "rejected", reason: "last" },
    ]);
    compile.fail(new Error("ended"));
  });

  test("do not join a compile that everybody has left", async () => {
    const compile = heldCompile();
    const leaving = new AbortController();
    const left = store.getOrCompile(key, compile.make, leaving.signal);
    await vi.waitFor(() => expect(compile.make).toHaveBeenCalled());
    leaving.abort("gone");
    await expect(left).rejects.toBe("gone");
    // The lock is still held by the compile that is ending: a new one waits for it, as it would for another process.
    const next = store.getOrCompile(key, async () => made);
    compile.fail(new Error("ended"));
    expect(await next).toMatchObject({ ok: true, from: "rustc" });
  });

  test("start nothing for a signal that was aborted before", async () => {
    const make = vi.fn(async () => made);
    await expect(store.getOrCompile(key, make, AbortSignal.abort("too late"))).rejects.toBe("too late");
    expect(make).not.toHaveBeenCalled();
  });

  test("leave nothing listening on their signal", async () => {
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    await store.getOrCompile(key, async () => made, signal);
    expect(added).toHaveBeenCalled();
    await vi.waitFor(() => expect(removed).toHaveBeenCalledTimes(added.mock.calls.length));
  });
});

describe("a disk that does not serve", () => {
  test("is warned of once, and every run still gets its module", async () => {
    const warnings: string[] = [];
    const at = await strangersDirectory();
    const degraded = open({ directory: at, onWarning: (message) => warnings.push(message) });
    for (const n of [1, 2, 3]) {
      const compiled = { ok: true, module: sampleModule(n) } as const;
      expect(await degraded.getOrCompile(sampleKey(n), async () => compiled)).toMatchObject({
        from: "rustc",
      });
      expect(await degraded.getOrCompile(sampleKey(n), async () => compiled)).toMatchObject({
        from: "memory",
      });
    }
    expect(warnings).toEqual([expect.stringMatching(/belongs to user .* kept in memory only/)]);
  });

  test("is said by process.emitWarning with a code where nobody asked to be told", async () => {
    const emitted = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    await chmod(directory, 0o777);
    const degraded = openStore({ directory });
    await degraded.set(key, module);
    expect(emitted).toHaveBeenCalledExactlyOnceWith(
      expect.stringContaining(directory),
      expect.objectContaining({ code: "SCRIPTCELL_STORE" }),
    );
    emitted.mockRestore();
  });

  test("fails what was asked of it explicitly", async () => {
    await store.set(key, module);
    await chmod(directory, 0o777);
    const degraded = open({ onWarning: () => {} });
    for (const ask of [() => degraded.list(), () => degraded.prune(), () => degraded.clear()]) {
      await expect(ask()).rejects.toMatchObject({ name: "ScriptcellError", code: "STORE_FAILED" });
    }
  });
});

describe("list, prune and clear", () => {
  test("prune uses the store's own bounds unless others are given", async () => {
    store = open({ diskBytes: 40_960 });
    for (const n of [1, 2, 3]) await store.set(sampleKey(n), sampleModule(n, 9_000));
    expect(await store.prune()).toMatchObject({ removedEntries: 0, keptEntries: 3, keptBytes: 36_864 });
    expect(await store.prune({ maxBytes: 12_288 })).toMatchObject({ removedEntries: 2, keptEntries: 1 });
    expect((await store.list()).length).toBe(1);
  });

  test("clear forgets everything, in memory and on the disk", async () => {
    for (const n of [1, 2, 3]) await store.set(sampleKey(n), sampleModule(n));
    expect(await store.clear()).toMatchObject({ removedEntries: 3, keptEntries: 0 });
    expect(store.peek(key)).toBeUndefined();
    expect(await store.get(key)).toBeUndefined();
    expect(await store.list()).toEqual([]);
  });

  test("clear leaves alone what is being written: it is there afterwards, whole", async () => {
    const writes = Array.from({ length: 40 }, (_, n) => store.set(sampleKey(n), sampleModule(n, 50_000)));
    await Promise.all([...writes, store.clear(), store.clear()]);
    for (const { key: kept } of await store.list()) expect(await open().get(kept)).toBeDefined();
    expect(await readdir(join(directory, "v1", "tmp"))).toEqual([]);
  });

  test.each([
    { maxBytes: Number.NaN },
    { maxBytes: -1 },
    { maxAgeMs: Number.POSITIVE_INFINITY },
    { maxbytes: 1 },
  ])("prune refuses %o instead of pruning nothing", async (bounds) => {
    await expect(store.prune(bounds)).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
  });
});

test.each<[string, object]>([
  ["a misspelt option", { diskbytes: 1 }],
  ["a negative bound", { diskBytes: -1 }],
  ["a bound that is no number", { memoryBytes: Number.NaN }],
  ["an empty directory", { directory: "" }],
  ["a warning that is no function", { onWarning: "log" }],
])("opens with no %s", (_, options) => {
  expect(() => openStore({ directory: null, ...options })).toThrow(
    expect.objectContaining({ code: "INVALID_OPTIONS" }),
  );
});

test("stays where it was opened when the working directory changes", async () => {
  const relative = openStore({ directory: "not-made" });
  expect(relative.path).toBe(join(process.cwd(), "not-made"));
});

test("compiles under no malformed key: the lock, too, is a path", async () => {
  const make = vi.fn(async () => made);
  await expect(store.getOrCompile("../../etc/passwd", make)).rejects.toMatchObject({
    code: "INVALID_OPTIONS",
  });
  expect(make).not.toHaveBeenCalled();
});

test("compiles although something else is in the lock's place", async () => {
  await store.set(sampleKey(2), sampleModule(2));
  await writeFile(join(directory, "v1", "locks", key), "");
  expect(await store.getOrCompile(key, async () => made)).toMatchObject({ from: "rustc" });
  await rm(join(directory, "v1", "locks"), { recursive: true });
  expect(await store.getOrCompile(sampleKey(3), async () => made)).toMatchObject({ from: "rustc" });
});
