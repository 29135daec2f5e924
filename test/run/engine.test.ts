import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Capabilities, Engine, ExecuteOptions, ExecutorOptions } from "../../src/index.ts";
import { ScriptExecutor } from "../../src/index.ts";
import { openExecutor, scratchDirectory } from "../support/executors.ts";
import { attack } from "../support/scripts.ts";
import { assemble } from "../wasm/assemble.ts";

const EMPTY_COMMAND = assemble(`(module (memory (export "memory") 1) (func (export "_start")))`);
const JAILED = { cell: "process", jail: "bubblewrap" } as const;
const REAL_CLOCK: Capabilities = { clock: "real" };

const NODE_WASI: ExecutorOptions = { engine: "node-wasi", jail: "required", capabilities: REAL_CLOCK };

/** Prints what it is given on stdin, then exits with the code of its first argument. */
const ECHO = `
  use std::io::Read;
  fn main() {
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text).unwrap();
    println!("{} bytes, {:?}, {:?}", text.len(), String::from_utf8_lossy(&text[..text.len().min(16)]), std::env::vars().collect::<Vec<_>>());
    eprintln!("{:?}", std::env::args().collect::<Vec<_>>());
    std::process::exit(std::env::args().nth(1).map_or(0, |code| code.parse().unwrap()));
  }`;

/** Reads a file of the mount as often as the limit allows, and tries to change the mount. */
const FILES = `
  use std::fs;
  fn main() {
    let mut open = Vec::new();
    while let Ok(file) = fs::File::open("/data/file.txt") {
      if open.len() == 20_000 { break; }
      open.push(file);
    }
    let count = open.len();
    drop(open.pop());
    let again = fs::read_to_string("/data/file.txt").ok();
    drop(open);
    let changed = fs::write("/data/new", "x").is_ok() || fs::write("/data/file.txt", "x").is_ok()
      || fs::create_dir("/data/new").is_ok() || fs::remove_file("/data/file.txt").is_ok();
    println!("[{count},{:?},{changed}]", again.unwrap_or_default());
  }`;

const writes = (bytes: number): string =>
  `use std::io::Write; fn main() { std::io::stdout().write_all(&vec![b'x'; ${bytes}]).unwrap(); std::io::stdout().flush().unwrap(); }`;

describe("an engine", () => {
  const executor = openExecutor({ jail: "required" });

  test("is scriptcell's own preview 1 host where nobody says anything", async () => {
    expect(await executor.execute(EMPTY_COMMAND)).toMatchObject({
      status: "ok",
      isolation: { ...JAILED, engine: "preview1" },
    });
  });

  test("is what a run says, whatever the executor says", async () => {
    const own = openExecutor(NODE_WASI);
    const engineOf = async (from: ScriptExecutor, options: ExecuteOptions): Promise<unknown> =>
      (await from.execute(EMPTY_COMMAND, options)).isolation?.engine;
    expect(await engineOf(executor, { engine: "node-wasi", capabilities: REAL_CLOCK })).toBe("node-wasi");
    expect(await engineOf(executor, {})).toBe("preview1");
    expect(await engineOf(own, {})).toBe("node-wasi");
    expect(await engineOf(own, { engine: "preview1", capabilities: { clock: "denied" } })).toBe("preview1");
  });

  test("that does not exist is an error", async () => {
    const engine = "wasmtime" as Engine;
    expect(() => new ScriptExecutor({ engine })).toThrow(
      expect.objectContaining({ code: "INVALID_OPTIONS" }),
    );
    await expect(executor.execute(EMPTY_COMMAND, { engine })).rejects.toMatchObject({
      code: "INVALID_OPTIONS",
    });
  });
});

describe("node:wasi is refused", () => {
  const refusal = (message: RegExp) => ({ code: "INVALID_OPTIONS", message: expect.stringMatching(message) });

  test.each<[string, ExecutorOptions, RegExp]>([
    ["in a worker cell", { isolation: "worker" }, /only in a jailed process.*isolation "process"/],
    ["without a jail", { jail: "off" }, /only in a jailed process.*jail "auto" or "required"/],
  ])("%s, by the executor and by a run", async (_, place, message) => {
    expect(() => new ScriptExecutor({ ...place, engine: "node-wasi" })).toThrow(
      expect.objectContaining(refusal(message)),
    );
    await expect(
      openExecutor(place).execute(EMPTY_COMMAND, { engine: "node-wasi", capabilities: REAL_CLOCK }),
    ).rejects.toMatchObject(refusal(message));
  });

  test("where no jail can be had, and never runs without one", async () => {
    const path = process.env.PATH;
    process.env.PATH = "/nowhere";
    try {
      const executor = openExecutor({ cacheDir: scratchDirectory(), jail: "auto" });
      expect((await executor.execute(EMPTY_COMMAND)).isolation).toMatchObject({ jail: "none" });
      await expect(
        executor.execute(EMPTY_COMMAND, { engine: "node-wasi", capabilities: REAL_CLOCK }),
      ).rejects.toMatchObject({
        code: "JAIL_UNAVAILABLE",
        message: expect.stringMatching(/node-wasi.*scriptcell doctor.*preview1/),
      });
    } finally {
      process.env.PATH = path;
    }
  });

  test.each<[string, Capabilities, RegExp]>([
    ["the denied clock of the default", {}, /grant clock "real"/],
    ["a denied clock", { clock: "denied" }, /grant clock "real"/],
    ["a stopwatch", { clock: "monotonic" }, /grant clock "real"/],
    ["a frozen clock", { clock: { frozen: "2026-01-01T00:00:00Z" } }, /grant clock "real"/],
    ["seeded random bytes", { ...REAL_CLOCK, random: { seed: 1 } }, /leave out the seed/],
    [
      "a mount that can be written to",
      { ...REAL_CLOCK, mounts: [{ host: ".", guest: "/data", access: "read-write" }] },
      /\/data.*access "read"/,
    ],
    [
      "a scratch mount",
      { ...REAL_CLOCK, mounts: [{ guest: "/tmp", access: "scratch" }] },
      /in memory.*leave out files and scratch mounts/,
    ],
  ])("%s, which it cannot hold a guest to", async (_, capabilities, message) => {
    const executor = openExecutor({ jail: "required" });
    await expect(
      executor.execute(EMPTY_COMMAND, { engine: "node-wasi", capabilities }),
    ).rejects.toMatchObject(refusal(message));
    // The grants of the executor count as those of the run do.
    await expect(
      openExecutor({ jail: "required", capabilities }).execute(EMPTY_COMMAND, { engine: "node-wasi" }),
    ).rejects.toMatchObject(refusal(message));
  });
});

test("files for a guest of node:wasi, and artifacts of one, are refused", async () => {
  const executor = openExecutor(NODE_WASI);
  const refused = { code: "INVALID_OPTIONS" };
  await expect(executor.execute(EMPTY_COMMAND, { files: { "/in/a.txt": "a" } })).rejects.toMatchObject(
    refused,
  );
  await expect(executor.execute(EMPTY_COMMAND, { artifacts: ["/tmp/*"] })).rejects.toMatchObject(refused);
});

describe("a guest of node:wasi", () => {
  const executor = openExecutor(NODE_WASI);
  const isolation = { ...JAILED, engine: "node-wasi" };
  const stream = async function* (): AsyncGenerator<string | Uint8Array> {
    yield "one ";
    yield new Uint8Array(0);
    yield Buffer.from("two");
  };

  test.each<[string, ExecuteOptions["stdin"], string]>([
    ["no stdin", undefined, '0 bytes, ""'],
    ["text", "grüße", '7 bytes, "grüße"'],
    ["bytes", new Uint8Array([104, 105]), '2 bytes, "hi"'],
    [
      "more bytes than travel with a run",
      new Uint8Array(1_000_000).fill(97),
      '1000000 bytes, "aaaaaaaaaaaaaaaa"',
    ],
    ["a stream", stream(), '7 bytes, "one two"'],
  ])("reads %s as it was given", async (_, stdin, seen) => {
    const result = await executor.run(ECHO, { ...(stdin !== undefined && { stdin }) });
    expect(result).toMatchObject({ status: "ok", stdout: `${seen}, []\n`, denials: [], isolation });
  });

  test("gets its arguments and its variables, and no others, and its exit code is told", async () => {
    const result = await executor.run(ECHO, {
      capabilities: { args: ["script", "42", "é"], env: { NAME: "value" } },
    });
    expect(result).toMatchObject({
      status: "failed",
      exitCode: 42,
      stdout: '0 bytes, "", [("NAME", "value")]\n',
      stderr: '["script", "42", "é"]\n',
      isolation,
    });
  });

  test("has its output told as it comes", async () => {
    const heard: string[] = [];
    const result = await executor.run(
      `use std::io::Read;
       fn main() { println!("first"); let mut text = String::new(); std::io::stdin().read_to_string(&mut text).unwrap(); println!("{text}"); }`,
      {
        // What is read is what was heard before: the guest waits for it.
        stdin: (async function* () {
          yield `heard ${heard.join()}`;
        })(),
        onStdout: (chunk) => heard.push(Buffer.from(chunk).toString()),
      },
    );
    expect(result).toMatchObject({ status: "ok", stdout: "first\nheard first\n\n" });
  });

  test("that panics is told as such", async () => {
    expect(await executor.run(`fn main() { panic!("boom") }`)).toMatchObject({
      status: "panicked",
      message: "boom",
      isolation,
    });
  });

  test.each([
    [999, "ok", false],
    [1_000, "ok", false],
    [1_001, "limit-exceeded", true],
  ])("that writes %i bytes of a thousand is %s", async (bytes, status, truncated) => {
    const result = await executor.run(writes(bytes), { limits: { outputBytes: 1_000 } });
    expect(result).toMatchObject({ status, truncated: { stdout: truncated, stderr: false } });
    expect(result.stdout).toBe("x".repeat(Math.min(bytes, 1_000)));
  });

  test.each(["print-forever", "huge-write"])(
    "that floods its output (%s) is ended at the limit",
    async (name) => {
      const result = await executor.run(attack(name), { limits: { outputBytes: 4_096 } });
      expect(result).toMatchObject({ status: "limit-exceeded", limit: "outputBytes" });
      expect(result.stdoutBytes.length).toBe(4_096);
    },
  );

  test.each(["spin", "sleep-an-hour", "fill-forever"])(
    "that never ends (%s) is killed at its deadline, and what it had written is kept",
    async (name) => {
      const limits = { wallTimeMs: 3_000, fuel: Number.MAX_SAFE_INTEGER };
      const result = await executor.run(attack(name), { limits });
      expect(result).toMatchObject({
        status: "limit-exceeded",
        limit: "wallTimeMs",
        stdout: "before\n",
        isolation,
      });
    },
  );

  test("that needs more memory than it may have gets none", async () => {
    expect(await executor.run(attack("allocate-forever"))).toMatchObject({
      status: "limit-exceeded",
      limit: "memoryBytes",
    });
  });

  test.each([0, 1, 64, 1_000, 10_000])("has %i files open where that is the limit", async (openFiles) => {
    const host = scratchDirectory();
    writeFileSync(join(host, "file.txt"), "inside");
    const result = await executor.run(FILES, {
      limits: { openFiles },
      capabilities: { mounts: [{ host, guest: "/data" }] },
    });
    const again = openFiles === 0 ? "" : "inside";
    expect(result).toMatchObject({ status: "ok", output: [openFiles, again, false] });
    // With none open, every try after the first is one too many as well.
    expect(result.denials).toMatchObject([
      { call: "path_open", target: "file.txt", grant: "limits.openFiles" },
      ...(openFiles === 0 ? [{ target: "new" }] : []),
    ]);
    expect(readdirSync(host)).toEqual(["file.txt"]);
    expect(readFileSync(join(host, "file.txt"), "utf8")).toBe("inside");
  });

  test.each([
    [999, 0],
    [1_000, 0],
    [1_001, 48],
  ])(
    "takes %i bytes in one call where a thousand are the limit, and the answer is %i",
    async (bytes, exitCode) => {
      const asks = assemble(`(module
      (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (func (export "_start") (call $exit (call $random (i32.const 0) (i32.const ${bytes})))))`);
      const result = await executor.execute(asks, { limits: { hostCallBytes: 1_000 } });
      expect(result).toMatchObject({ exitCode, isolation });
      expect(result.denials.map(({ grant }) => grant)).toEqual(
        exitCode === 0 ? [] : ["limits.hostCallBytes"],
      );
    },
  );

  test("sees each of its mounts, the root among them", async () => {
    const root = scratchDirectory();
    for (const name of ["a", "b"]) {
      mkdirSync(join(root, name));
      writeFileSync(join(root, name, "name"), name);
    }
    const result = await executor.run(
      `fn main() { let read = |path| std::fs::read_to_string(path).unwrap(); println!("{} {}", read("/name"), read("/b/name")); }`,
      {
        capabilities: {
          mounts: [
            { host: join(root, "a"), guest: "/" },
            { host: join(root, "b"), guest: "/b" },
          ],
        },
      },
    );
    expect(result).toMatchObject({ status: "ok", stdout: "a b\n" });
  });

  test("serves from a fresh cell each time", async () => {
    // It closes the file that stands for its stderr, which a second run of the same cell would miss.
    const leave = assemble(`(module
      (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (func (export "_start") (call $exit (call $close (i32.const 2)))))`);
    const one = openExecutor({ ...NODE_WASI, cells: { maxRunning: 1, maxIdle: 1, spares: 0 } });
    for (let n = 0; n < 3; n += 1) expect((await one.execute(leave)).status).toBe("ok");
  });
});
