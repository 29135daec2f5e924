import { describe, expect, test } from "vitest";
import { findToolchain } from "../../src/index.ts";
import { defaultCacheDir } from "../../src/toolchain/cache-dir.ts";
import { MODES, openExecutor, scratchDirectory } from "../support/executors.ts";
import { neverSeen, script } from "../support/scripts.ts";

const HELLO = script("hello");
const { rustc: toolchain } = await findToolchain({ cacheDir: defaultCacheDir() });

/** The smallest command: `_start` and a memory. */
const EMPTY_COMMAND = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x05, 0x03, 0x01, 0x00, 0x01],
  ...[
    0x07,
    0x13,
    0x02,
    0x06,
    ...Buffer.from("_start"),
    0x00,
    0x00,
    0x06,
    ...Buffer.from("memory"),
    0x02,
    0x00,
  ],
  ...[0x0a, 0x04, 0x01, 0x02, 0x00, 0x0b],
]);

describe("a script", () => {
  const executor = openExecutor();
  const source = neverSeen(HELLO);

  test("comes from rustc first, then from memory, and from disk in the next process", async () => {
    const origins = [];
    for (let n = 0; n < 3; n += 1) origins.push((await executor.run(source)).moduleFrom);
    expect(origins).toEqual(["rustc", "memory", "memory"]);
    expect((await openExecutor().run(source)).moduleFrom).toBe("disk");
  });

  test("that was compiled is compiled by nobody else at the same time", async () => {
    const fresh = neverSeen(HELLO);
    const results = await Promise.all(Array.from({ length: 8 }, () => executor.compile(fresh)));
    expect(results.map((result) => result.ok && result.module.hash)).toEqual(
      results.map(() => expect.stringMatching(/^[0-9a-f]{64}$/)),
    );
    expect(new Set(results.map((result) => result.ok && result.module.hash)).size).toBe(1);
  });

  test("of another edition or profile is another module", async () => {
    const keys = await Promise.all(
      [{}, { edition: "2021" }, { profile: "fast-run" }].map(async (options) => {
        const compiled = await executor.compile(source, options as Parameters<typeof executor.compile>[1]);
        return compiled.ok && compiled.module.hash;
      }),
    );
    expect(new Set(keys).size).toBe(3);
  });

  test("that does not compile is a value, for compile and for run", async () => {
    const broken = "fn main() { let n: u32 = true; }";
    const compiled = await executor.compile(broken);
    expect(compiled).toMatchObject({ ok: false, diagnostics: [{ level: "error", code: "E0308" }] });
    expect(compiled.diagnostics[0]?.spans[0]).toMatchObject({ lineStart: 1, columnStart: 26, primary: true });
    const result = await executor.run(broken);
    expect(result).toMatchObject({
      status: "rejected",
      diagnostics: compiled.diagnostics,
      isolation: null,
      durationMs: 0,
      moduleFrom: null,
      stdout: "",
    });
    expect(result.compileMs).toBeGreaterThan(0);
  });

  test("with warnings says them each time, from wherever it comes", async () => {
    const unused = neverSeen("fn main() { let unused = 1; }");
    const [first, second] = [await executor.compile(unused), await executor.compile(unused)];
    expect(first).toMatchObject({ ok: true, from: "rustc", diagnostics: [{ level: "warning" }] });
    expect(second).toMatchObject({ ok: true, from: "memory", diagnostics: first.diagnostics });
  });

  test.each([undefined, null, 7, {}, Buffer.from("fn main() {}")])(
    "has to be text, not %j",
    async (source) => {
      await expect(executor.run(source as string)).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
      await expect(executor.compile(source as string)).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
    },
  );

  test("is not compiled for a run whose options are wrong", async () => {
    const fresh = neverSeen(HELLO);
    await expect(executor.run(fresh, { timeout: 1 } as object)).rejects.toMatchObject({
      code: "INVALID_OPTIONS",
    });
    const mounts = [{ host: "/", guest: "/data" }];
    await expect(executor.run(fresh, { capabilities: { mounts } })).rejects.toMatchObject({
      code: "MOUNT_REFUSED",
    });
    expect((await executor.run(fresh)).moduleFrom).toBe("rustc");
  });
});

describe.each(MODES)("execute in $name", ({ options, isolation }) => {
  const executor = openExecutor(options);
  const ran = { status: "ok", output: { hello: "world" }, moduleFrom: null, compileMs: 0, isolation };

  test("takes a compiled module, its hash, and its bytes", async () => {
    const compiled = await executor.compile(HELLO);
    if (!compiled.ok) throw new Error("the script has to compile");
    const { module } = compiled;
    expect(await executor.execute(module)).toMatchObject(ran);
    expect(await executor.execute(module.hash)).toMatchObject(ran);
    expect(await executor.execute(module.bytes)).toMatchObject(ran);
    expect(await executor.execute(new Uint8Array(module.bytes))).toMatchObject(ran);
  });

  test("takes any preview 1 command, whichever compiler made it", async () => {
    expect(await executor.execute(EMPTY_COMMAND)).toMatchObject({
      status: "ok",
      stdout: "",
      output: undefined,
      peakMemoryBytes: 65_536,
    });
  });
});

describe("execute", () => {
  const executor = openExecutor();

  test("finds in the next process what the disk holds under a hash", async () => {
    const compiled = await executor.compile(HELLO);
    if (!compiled.ok) throw new Error("the script has to compile");
    expect(await openExecutor().execute(compiled.module.hash)).toMatchObject({ status: "ok" });
  });

  test.each(["0".repeat(64), "", "hello", "../../../etc/passwd", `${"0".repeat(64)}/..`, "A".repeat(64)])(
    "of a hash that the store does not hold, %j, is MODULE_NOT_FOUND",
    async (hash) => {
      await expect(executor.execute(hash)).rejects.toMatchObject({ code: "MODULE_NOT_FOUND" });
    },
  );

  test.each([undefined, null, 7, {}, { bytes: "fn main" }, { hash: "x" }, [1, 2]])(
    "of %j is INVALID_OPTIONS",
    async (module) => {
      await expect(executor.execute(module as never)).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
    },
  );

  test("of bytes that were changed since runs what they are now", async () => {
    const compile = async (source: string) => {
      const compiled = await executor.compile(source);
      if (!compiled.ok) throw new Error("the script has to compile");
      return compiled.module.bytes;
    };
    const [one, two] = [
      await compile('fn main() { print!("1"); }'),
      await compile('fn main() { print!("2"); }'),
    ];
    const buffer = new Uint8Array(Math.max(one.length, two.length));
    buffer.set(one);
    const view = buffer.subarray(0, one.length);
    expect((await executor.execute(view)).stdout).toBe("1");
    expect(two.length).toBe(one.length);
    buffer.set(two);
    expect((await executor.execute(view)).stdout).toBe("2");
  });

  test("of the module that a caller got cannot be led to other bytes", async () => {
    const compiled = await executor.compile(HELLO);
    if (!compiled.ok) throw new Error("the script has to compile");
    const { module } = compiled;
    expect(() => Object.assign(module, { bytes: EMPTY_COMMAND })).toThrow(TypeError);
  });

  test("and run of one module give the same output in processes that share a cache", async () => {
    const compiled = await executor.compile(HELLO);
    if (!compiled.ok) throw new Error("the script has to compile");
    const run = await openExecutor().run(HELLO);
    const executed = await executor.execute(compiled.module);
    expect(executed.stdout).toBe(run.stdout);
  });
});

test("a jail that is required and cannot be had is an error with the remedy, before anything runs", async () => {
  const path = process.env.PATH;
  process.env.PATH = "/nowhere";
  try {
    const executor = openExecutor({ cacheDir: scratchDirectory(), toolchain, jail: "required" });
    const failure = { code: "JAIL_UNAVAILABLE", message: expect.stringContaining("scriptcell setup") };
    await expect(executor.run(HELLO)).rejects.toMatchObject(failure);
    await expect(executor.execute(EMPTY_COMMAND)).rejects.toMatchObject(failure);
  } finally {
    process.env.PATH = path;
  }
});

test("where no jail can be had, auto goes on without one and the result says so", async () => {
  const path = process.env.PATH;
  process.env.PATH = "/nowhere";
  try {
    const executor = openExecutor({ cacheDir: scratchDirectory(), toolchain, jail: "auto" });
    expect(await executor.execute(EMPTY_COMMAND)).toMatchObject({
      status: "ok",
      isolation: { cell: "process", jail: "none", engine: "preview1" },
    });
  } finally {
    process.env.PATH = path;
  }
});
