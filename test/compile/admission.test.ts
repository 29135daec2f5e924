import { describe, expect, test } from "vitest";
import { createAdmission } from "../../src/compile/admission.ts";

const GIB = 1024 ** 3;
const never = new AbortController().signal;

/** Asks for work that goes on until it is let go of, and writes down when it began. */
function desk(capacity: { atOnce: number; waiting?: number; freeBytes?: () => number }) {
  const admission = createAdmission({ waiting: 100, freeBytes: () => 100 * GIB, ...capacity });
  const began: string[] = [];
  const ask = (name: string, { bytes = GIB, signal = never } = {}) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const work = () => {
      began.push(name);
      return promise;
    };
    const result = admission.run(bytes, work, signal);
    result.catch(() => {});
    return { result, finish: () => resolve(name), fail: (error: Error) => reject(error) };
  };
  return { began, ask };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("compiles begin", () => {
  test("as many at once as there are cores, the others in the order of asking", async () => {
    const { began, ask } = desk({ atOnce: 2 });
    const [a, b, c, d] = [ask("a"), ask("b"), ask("c"), ask("d")];
    await settled();
    expect(began).toEqual(["a", "b"]);
    b.finish();
    expect(await b.result).toBe("b");
    await settled();
    expect(began).toEqual(["a", "b", "c"]);
    a.finish();
    c.finish();
    d.finish();
    expect(await Promise.all([a.result, c.result, d.result])).toEqual(["a", "c", "d"]);
  });

  test("only where memory would last if all of them took what they may", async () => {
    let free = 5 * GIB;
    const { began, ask } = desk({ atOnce: 8, freeBytes: () => free });
    const [a, b, c] = [ask("a", { bytes: 3 * GIB }), ask("b", { bytes: 2 * GIB }), ask("c", { bytes: 1 })];
    await settled();
    expect(began).toEqual(["a", "b"]);
    free = 9 * GIB;
    b.finish();
    await settled();
    expect(began).toEqual(["a", "b", "c"]);
    for (const { finish } of [a, c]) finish();
  });

  test("one at a time, however little memory is left", async () => {
    const { began, ask } = desk({ atOnce: 8, freeBytes: () => 0 });
    const [a, b] = [ask("a"), ask("b")];
    await settled();
    expect(began).toEqual(["a"]);
    a.finish();
    await settled();
    expect(began).toEqual(["a", "b"]);
    b.finish();
  });

  test("and a small one does not pass a large one that waits", async () => {
    const { began, ask } = desk({ atOnce: 3, freeBytes: () => 4 * GIB });
    const [a, large, small] = [ask("a"), ask("large", { bytes: 4 * GIB }), ask("small", { bytes: 1 })];
    await settled();
    expect(began).toEqual(["a"]);
    a.finish();
    await settled();
    expect(began).toEqual(["a", "large"]);
    large.finish();
    await settled();
    expect(began).toEqual(["a", "large", "small"]);
    small.finish();
  });
});

describe("a compile that waits", () => {
  test("leaves the queue when it is aborted, and lets those behind it by", async () => {
    const { began, ask } = desk({ atOnce: 3, freeBytes: () => 4 * GIB });
    const abort = new AbortController();
    const reason = new Error("no longer wanted");
    const a = ask("a");
    const large = ask("large", { bytes: 4 * GIB, signal: abort.signal });
    const small = ask("small", { bytes: 1 });
    abort.abort(reason);
    await expect(large.result).rejects.toBe(reason);
    await settled();
    expect(began).toEqual(["a", "small"]);
    a.finish();
    small.finish();
  });

  test("is refused with OVERLOADED where too many wait, and is welcome again later", async () => {
    const { began, ask } = desk({ atOnce: 1, waiting: 1 });
    const [a, b, c] = [ask("a"), ask("b"), ask("c")];
    await expect(c.result).rejects.toMatchObject({ code: "OVERLOADED" });
    a.finish();
    await settled();
    const d = ask("d");
    b.finish();
    d.finish();
    expect(await d.result).toBe("d");
    expect(began).toEqual(["a", "b", "d"]);
  });

  test("gets its turn also where the one before failed", async () => {
    const { began, ask } = desk({ atOnce: 1 });
    const [a, b] = [ask("a"), ask("b")];
    await settled();
    a.fail(new Error("broken"));
    await expect(a.result).rejects.toThrow("broken");
    b.finish();
    expect(await b.result).toBe("b");
    expect(began).toEqual(["a", "b"]);
  });

  test("never begins where its signal was aborted before", async () => {
    const { began, ask } = desk({ atOnce: 1 });
    await expect(ask("a", { signal: AbortSignal.abort(new Error("gone")) }).result).rejects.toThrow("gone");
    expect(began).toEqual([]);
  });
});
