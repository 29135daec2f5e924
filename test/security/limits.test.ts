import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GiB, type LimitName, type Limits, MiB, type RunResult } from "../../src/index.ts";
import { MODES, openExecutor, scratchDirectory } from "../support/executors.ts";
import { attack } from "../support/scripts.ts";
import { assemble } from "../wasm/assemble.ts";

/** Wall time of runs that have to reach it. A warm cell says its first word long before. */
const SHORT_MS = 1_500;

/** A command that calls itself to a depth. */
const recursion = (depth: number): Uint8Array =>
  assemble(`(module (memory (export "memory") 1)
    (func $down (param i32) (result i32)
      (if (result i32) (local.get 0)
        (then (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1)))))
        (else (i32.const 0))))
    (func (export "_start") (drop (call $down (i32.const ${depth})))))`);
const withMemory = (pages: number): Uint8Array =>
  assemble(`(module (memory (export "memory") ${pages}) (func (export "_start")))`);
const withTable = (elements: number): Uint8Array =>
  assemble(`(module (memory (export "memory") 1) (table ${elements} funcref) (func (export "_start")))`);

const exceeded = (limit: LimitName) => ({
  status: "limit-exceeded",
  limit,
  message: expect.stringMatching(/\d/),
});
const rejected = (message: RegExp) => ({
  status: "rejected",
  isolation: null,
  diagnostics: [
    { level: "error", code: "scriptcell::module-refused", message: expect.stringMatching(message) },
  ],
});

describe.each(MODES)("in $name", ({ options, isolation }) => {
  const executor = openExecutor(options);
  const root = scratchDirectory();
  let mounted = 0;
  /** A new directory for one run, mounted for writing. */
  const workspace = (maxBytes?: number) => {
    mounted += 1;
    const host = join(root, String(mounted));
    mkdirSync(host);
    writeFileSync(join(host, "file.txt"), "x");
    const mount = { host, guest: "/data", access: "read-write" as const };
    return { host, mounts: [maxBytes === undefined ? mount : { ...mount, maxBytes }] };
  };
  const run = (name: string, limits: Partial<Limits> = {}, ...args: string[]): Promise<RunResult> =>
    executor.run(attack(name), { limits, capabilities: { args: ["script", ...args] } });

  describe("wallTimeMs", () => {
    test.each(["spin", "sleep-an-hour", "fill-forever"])(
      "ends %s, and what it had written is kept",
      async (name) => {
        const result = await run(name, { wallTimeMs: SHORT_MS, fuel: Number.MAX_SAFE_INTEGER });
        expect(result).toMatchObject({
          ...exceeded("wallTimeMs"),
          stdout: "before\n",
          peakMemoryBytes: null,
          isolation,
        });
        expect(result.durationMs).toBeGreaterThanOrEqual(SHORT_MS - 5);
      },
    );

    test("is the backstop for what costs a guest little fuel and the host much time: calls, and memory page by page", async () => {
      const calling = assemble(`(module
        (import "wasi_snapshot_preview1" "path_open"
          (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start") (loop $again
          (drop (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 0)
            (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 16)))
          (br $again))))`);
      const growing = assemble(`(module (memory (export "memory") 1)
        (func (export "_start") (loop $again (drop (memory.grow (i32.const 1))) (br $again))))`);
      for (const bytes of [calling, growing]) {
        // Far more fuel than either uses up in that time.
        const limits = { wallTimeMs: SHORT_MS, fuel: 1_000_000_000_000, memoryBytes: 4 * GiB };
        expect(await executor.execute(bytes, { limits })).toMatchObject({
          ...exceeded("wallTimeMs"),
          isolation,
        });
      }
    });

    test("ends a guest that waits for a stdin that never comes", async () => {
      const result = await executor.execute(
        assemble(`(module
          (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (func (export "_start")
            (i32.store (i32.const 4) (i32.const 64))
            (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))))`),
        { stdin: new ReadableStream<string>({}), limits: { wallTimeMs: SHORT_MS } },
      );
      expect(result).toMatchObject(exceeded("wallTimeMs"));
    });

    test("leaves a guest alone that is done before", async () => {
      expect((await run("hoard", {}, "1")).status).toBe("ok");
    });
  });

  describe("fuel", () => {
    const fuelOf = async (name: string, ...args: string[]): Promise<number> => {
      const { fuelUsed } = await run(name, {}, ...args);
      if (fuelUsed === null) throw new Error("the cell said nothing of fuel");
      return fuelUsed;
    };

    test("is the same for the same work, and more for more", async () => {
      const [once, again, more] = [
        await fuelOf("hoard", "1"),
        await fuelOf("hoard", "1"),
        await fuelOf("hoard", "2"),
      ];
      expect(once).toBe(again);
      expect(once).toBeGreaterThan(1_000);
      expect(more).toBeGreaterThan(once);
    });

    test.each([
      ["under", 1, { status: "ok", output: 1 }],
      ["at", 0, { status: "ok", output: 1 }],
      ["over", -1, exceeded("fuel")],
    ])("lets a guest have what it needs, to the unit: %s it", async (_, spare, expected) => {
      const needed = await fuelOf("hoard", "1");
      const result = await run("hoard", { fuel: needed + spare }, "1");
      expect(result).toMatchObject({ ...expected, isolation });
      expect(result.fuelUsed).toBe(spare < 0 ? needed + spare : needed);
    });

    test.each([0, 1, 10_000, 10_000n])("of %s ends a loop without end", async (fuel) => {
      const result = await run("spin", { fuel });
      expect(result).toMatchObject({ ...exceeded("fuel"), fuelUsed: Number(fuel), isolation });
    });

    test.each(["spin", "fill-forever", "recurse", "allocate-forever"])(
      "ends %s, and what it had written is kept",
      async (name) => {
        const before = await fuelOf("exit-3");
        const result = await run(name, { fuel: before * 4, memoryBytes: 1 * GiB, stackBytes: 64 * MiB });
        expect(result).toMatchObject({ ...exceeded("fuel"), stdout: "before\n" });
      },
    );

    test("ends a recursion that works on its way back", async () => {
      // Down costs little for each call; the way back costs very much, without a call or a loop in it.
      const work = "(local.set 1 (i32.mul (local.get 1) (i32.const 3)))".repeat(200);
      const unwinding = assemble(`(module (memory (export "memory") 1)
        (func $down (param i32) (result i32) (local i32)
          (if (local.get 0) (then (local.set 1 (call $down (i32.sub (local.get 0) (i32.const 1)))) ${work}))
          (local.get 1))
        (func (export "_start") (loop $again (drop (call $down (i32.const 10000))) (br $again))))`);
      const result = await executor.execute(unwinding, { limits: { fuel: 200_000 } });
      expect(result).toMatchObject(exceeded("fuel"));
    });

    test("is paid for every byte of a range", async () => {
      const fill = assemble(`(module (memory (export "memory") 1000)
        (func (export "_start") (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536000))))`);
      // The entry, three constants, the operator and the bytes.
      const needed = 1 + 3 + 1 + 65_536_000;
      for (const fuel of [needed + 1, needed]) {
        expect(await executor.execute(fill, { limits: { fuel } })).toMatchObject({
          status: "ok",
          fuelUsed: needed,
        });
      }
      expect(await executor.execute(fill, { limits: { fuel: needed - 1 } })).toMatchObject(exceeded("fuel"));
    });

    test("is known after an exit, a panic and a trap", async () => {
      for (const name of ["exit-3", "exit-inside", "panic"]) {
        const [once, again] = [await fuelOf(name), await fuelOf(name)];
        expect(once).toBe(again);
        expect(await run(name, { fuel: once })).not.toMatchObject(exceeded("fuel"));
        expect(await run(name, { fuel: once - 1 })).toMatchObject({
          ...exceeded("fuel"),
          fuelUsed: once - 1,
        });
      }
    });

    test("is not known of a guest whose cell was killed", async () => {
      expect(await run("spin", { wallTimeMs: SHORT_MS, fuel: Number.MAX_SAFE_INTEGER })).toMatchObject({
        ...exceeded("wallTimeMs"),
        fuelUsed: null,
      });
    });
  });

  describe("memoryBytes", () => {
    test("lets a guest have what lies under it", async () => {
      expect(await run("hoard", { memoryBytes: 16 * MiB }, "8")).toMatchObject({ status: "ok", output: 8 });
    });

    test("refuses more, as a failed allocation that a guest can handle", async () => {
      const result = await run("hoard", { memoryBytes: 16 * MiB }, "100");
      expect(result.status === "ok" && result.output).toBeGreaterThan(8);
      expect(result.status === "ok" && result.output).toBeLessThan(16);
      expect(result.peakMemoryBytes).toBeLessThanOrEqual(16 * MiB);
    });

    test("ends a guest that does not handle it", async () => {
      const result = await run("allocate-forever", { memoryBytes: 16 * MiB });
      expect(result).toMatchObject({ ...exceeded("memoryBytes"), stdout: "before\n", isolation });
      expect(result.peakMemoryBytes).toBeGreaterThan(8 * MiB);
      expect(result.peakMemoryBytes).toBeLessThanOrEqual(16 * MiB);
    });

    test.each([
      ["under", 255],
      ["at", 256],
    ])("lets a module start %s it: %i of 256 pages", async (_, pages) => {
      expect(await executor.execute(withMemory(pages), { limits: { memoryBytes: 16 * MiB } })).toMatchObject({
        status: "ok",
        peakMemoryBytes: pages * 65_536,
      });
    });

    test("refuses a module that starts over it", async () => {
      expect(await executor.execute(withMemory(257), { limits: { memoryBytes: 16 * MiB } })).toMatchObject(
        rejected(/memoryBytes/),
      );
    });
  });

  describe("stackBytes", () => {
    test("ends a recursion without end, and what it had written is kept", async () => {
      const result = await run("recurse");
      // Rust keeps a stack of its own in linear memory, 1 MiB; either may end first.
      const ends = [exceeded("stackBytes"), { status: "trapped", code: "out-of-bounds-memory" }];
      expect(ends).toContainEqual(
        result.status === "trapped"
          ? { status: result.status, code: result.code }
          : expect.objectContaining({ limit: result.status === "limit-exceeded" ? result.limit : undefined }),
      );
      expect(result.stdout).toBe("before\n");
    });

    test("ends a recursion that needs no memory", async () => {
      expect(await executor.execute(recursion(100_000_000))).toMatchObject(exceeded("stackBytes"));
    });

    test("decides how deep a recursion may be", async () => {
      const deep = recursion(40_000);
      expect(await executor.execute(deep, { limits: { stackBytes: 1 * MiB } })).toMatchObject(
        exceeded("stackBytes"),
      );
      expect(await executor.execute(deep, { limits: { stackBytes: 32 * MiB } })).toMatchObject({
        status: "ok",
      });
    });
  });

  describe("tableElements", () => {
    test.each([
      ["under", 999],
      ["at", 1_000],
    ])("lets a module have a table %s it: %i of 1000", async (_, elements) => {
      const result = await executor.execute(withTable(elements), { limits: { tableElements: 1_000 } });
      expect(result.status).toBe("ok");
    });

    test.each([1_001, 10_000_000, 0xffff_ffff])(
      "refuses a table of %i where 1000 are allowed",
      async (elements) => {
        const result = await executor.execute(withTable(elements), { limits: { tableElements: 1_000 } });
        expect(result).toMatchObject({ status: "rejected", isolation: null });
      },
    );
  });

  describe("outputBytes", () => {
    const LIMIT = 100_000;
    const streams = [["stdout"], ["stderr", "stderr"]] as const;

    test.each([
      ["under", LIMIT - 1],
      ["at", LIMIT],
    ])("lets a guest write %s it to each stream: %i of 100000 bytes", async (_, size) => {
      for (const [stream, ...flag] of streams) {
        const result = await run("exact-write", { outputBytes: LIMIT }, String(size), "4096", ...flag);
        expect([result.status, result[stream].length]).toEqual(["ok", size]);
        expect(result.truncated).toEqual({ stdout: false, stderr: false });
      }
    });

    test.each([7, 4096, LIMIT + 1])(
      "ends a guest that writes one byte more, in pieces of %i",
      async (piece) => {
        for (const [stream, ...flag] of streams) {
          const result = await run(
            "exact-write",
            { outputBytes: LIMIT },
            String(LIMIT + 1),
            String(piece),
            ...flag,
          );
          expect(result).toMatchObject(exceeded("outputBytes"));
          expect(result[stream].length).toBe(LIMIT);
          expect(result.truncated).toEqual({ stdout: false, stderr: false, [stream]: true });
        }
      },
    );

    test("ends a guest that prints without end", async () => {
      const result = await run("print-forever", { outputBytes: 1 * MiB });
      expect(result).toMatchObject({ ...exceeded("outputBytes"), isolation });
      expect(result.stdoutBytes.length).toBe(1 * MiB);
      expect(result.stdout.startsWith("0123456789abcdef")).toBe(true);
    });

    test("ends a guest that writes all at once, with what fitted", async () => {
      const result = await run("huge-write", { outputBytes: 10_000 });
      expect(result).toMatchObject({ ...exceeded("outputBytes"), stderr: "" });
      expect(result.stdout).toBe(`before\n${"x".repeat(9_993)}`);
    });

    test("of 0 lets a guest be silent", async () => {
      expect((await executor.execute(withMemory(1), { limits: { outputBytes: 0 } })).status).toBe("ok");
      expect(await run("spin", { outputBytes: 0 })).toMatchObject({ ...exceeded("outputBytes"), stdout: "" });
    });
  });

  describe("diskBytes", () => {
    const LIMIT = 50_000;
    const fill = async (bytes: number, limits: Partial<Limits>, maxBytes?: number) => {
      const { host, mounts } = workspace(maxBytes);
      const result = await executor.run(attack("fill-disk"), {
        limits,
        capabilities: { args: ["script", String(bytes)], mounts },
      });
      return { result, size: statSync(join(host, "big")).size };
    };

    test.each([
      ["under", LIMIT - 1],
      ["at", LIMIT],
    ])("lets a guest write %s it: %i of 50000 bytes", async (_, bytes) => {
      const { result, size } = await fill(bytes, { diskBytes: LIMIT });
      expect(result).toMatchObject({ status: "ok", output: bytes, denials: [] });
      expect(size).toBe(bytes);
    });

    test("refuses one byte more with an error, and records it", async () => {
      const { result, size } = await fill(LIMIT + 1, { diskBytes: LIMIT });
      expect(result).toMatchObject({
        status: "ok",
        stdout: `StorageFull\n${LIMIT}\n`,
        denials: [{ grant: "limits.diskBytes", count: 1 }],
      });
      expect(size).toBe(LIMIT);
    });

    describe("and a mount's own maxBytes", () => {
      const QUOTA = 1_234;

      test.each([
        ["under", QUOTA - 1],
        ["at", QUOTA],
      ])("let a guest write %s it: %i of 1234 bytes", async (_, bytes) => {
        const { result, size } = await fill(bytes, { diskBytes: LIMIT }, QUOTA);
        expect(result).toMatchObject({ status: "ok", output: bytes, denials: [] });
        expect(size).toBe(bytes);
      });

      test.each([QUOTA + 1, LIMIT])("refuse what is over it, and record it: %i bytes", async (bytes) => {
        const { result, size } = await fill(bytes, { diskBytes: LIMIT }, QUOTA);
        expect(result).toMatchObject({
          stdout: "StorageFull\n1234\n",
          denials: [{ grant: "mounts[].maxBytes", count: 1 }],
        });
        expect(size).toBe(QUOTA);
      });

      test("of 0 lets a guest make a file and write nothing to it", async () => {
        const { result, size } = await fill(1, {}, 0);
        expect(result).toMatchObject({
          stdout: "StorageFull\n0\n",
          denials: [{ grant: "mounts[].maxBytes" }],
        });
        expect(size).toBe(0);
      });

      test("hold together: the smaller is reached first", async () => {
        const { result, size } = await fill(LIMIT, { diskBytes: 1_000 }, QUOTA);
        expect(result).toMatchObject({ denials: [{ grant: "limits.diskBytes", count: 1 }] });
        expect(size).toBe(1_000);
      });

      test("count for each mount by itself, and diskBytes for all of them", async () => {
        const [one, two] = [workspace(QUOTA), workspace(QUOTA)];
        const source = `use std::{fs::File, io::Write};
          fn fill(path: &str) -> usize {
              let mut file = File::create(path).unwrap();
              (0..).take_while(|_| file.write_all(b"x").is_ok()).count()
          }
          fn main() { println!("[{}, {}]", fill("/one/big"), fill("/two/big")); }`;
        const mounts = [
          { host: one.host, guest: "/one", access: "read-write" as const, maxBytes: QUOTA },
          { host: two.host, guest: "/two", access: "read-write" as const, maxBytes: QUOTA },
        ];
        const run = (diskBytes: number) =>
          executor.run(source, { limits: { diskBytes }, capabilities: { mounts } });
        expect(await run(LIMIT)).toMatchObject({ output: [QUOTA, QUOTA] });
        expect(await run(QUOTA + 100)).toMatchObject({ output: [QUOTA, 100] });
      });
    });

    test("bounds the number of empty files and directories too", async () => {
      const { host, mounts } = workspace();
      const result = await executor.run(attack("make-files"), {
        limits: { diskBytes: 1 * MiB },
        capabilities: { mounts },
      });
      expect(result).toMatchObject({ status: "ok", denials: [{ grant: "limits.diskBytes" }] });
      expect(readdirSync(host).length).toBeLessThan(10_000);
    });
  });

  describe("openFiles", () => {
    // One mount for all, so that one cell serves them all.
    const { mounts } = workspace();
    const openMany = (openFiles: number): Promise<RunResult> =>
      executor.run(attack("open-many"), { limits: { openFiles }, capabilities: { mounts } });

    test.each([0, 1, 64, 1_000])("of %i is how many files a guest can have open", async (openFiles) => {
      expect(await openMany(openFiles)).toMatchObject({
        status: "ok",
        output: openFiles,
        denials: [{ call: "path_open", grant: "limits.openFiles", count: 1 }],
      });
    });

    test.each([
      ["under", 63, null],
      ["at", 64, null],
      ["over", 65, "EMFILE"],
    ])("let a guest have files and directories open together, %s it: %i of 64", async (_, count, refused) => {
      const source = `use std::fs::{File, read_dir};
        fn main() {
            let mut open: Vec<Box<dyn std::any::Any>> = vec![];
            for n in 0..${count} {
                if n % 2 == 0 {
                    match File::open("/data/file.txt") { Ok(file) => open.push(Box::new(file)), Err(error) => return told(error) }
                } else {
                    match read_dir("/data") { Ok(list) => open.push(Box::new(list)), Err(error) => return told(error) }
                }
            }
            println!("null");
        }
        fn told(error: std::io::Error) { println!("{:?}", if error.raw_os_error() == Some(33) { "EMFILE" } else { "other" }); }`;
      const result = await executor.run(source, { limits: { openFiles: 64 }, capabilities: { mounts } });
      expect(result).toMatchObject({ status: "ok", output: refused });
      expect(result.denials.length).toBe(refused === null ? 0 : 1);
    });

    test("of ten thousand is ten thousand", async () => {
      expect(await openMany(10_000)).toMatchObject({ status: "ok", output: 10_000, denials: [] });
    });

    test("that were left open are closed when the run ends", async () => {
      // The process may have 16,384 open; three runs would be over.
      for (let n = 0; n < 3; n += 1) {
        expect(await openMany(9_000)).toMatchObject({ status: "ok", output: 9_000 });
      }
    });
  });

  describe("hostCallBytes", () => {
    const LIMIT = 10_000;
    const NOMEM = 48;
    /** Asks for random bytes, says "done", and exits with the answer that it got first. */
    const asking = (bytes: number): Uint8Array =>
      assemble(`(module
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") ${Math.ceil(bytes / 65_536) + 1})
        (data (i32.const 0) "\\08\\00\\00\\00\\04\\00\\00\\00done")
        (func (export "_start") (local $answer i32)
          (local.set $answer (call $random (i32.const 64) (i32.const ${bytes})))
          (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
          (call $exit (local.get $answer))))`);
    const ask = (bytes: number, limits: Partial<Limits>): Promise<RunResult> =>
      executor.execute(asking(bytes), { limits });

    test.each([
      ["under", LIMIT - 1],
      ["at", LIMIT],
    ])("lets one call take what lies %s it: %i of 10000 bytes", async (_, bytes) => {
      const result = await ask(bytes, { hostCallBytes: LIMIT });
      expect(result).toMatchObject({ status: "ok", stdout: "done", denials: [], isolation });
    });

    test("refuses a call that takes one byte more, and the guest goes on", async () => {
      expect(await ask(LIMIT + 1, { hostCallBytes: LIMIT })).toMatchObject({
        status: "failed",
        exitCode: NOMEM,
        stdout: "done",
        denials: [{ call: "random_get", target: "random bytes", grant: "limits.hostCallBytes", count: 1 }],
        isolation,
      });
    });

    test("is 128 MiB where nobody says anything", async () => {
      const memoryBytes = 192 * MiB;
      expect(await ask(128 * MiB + 1, { memoryBytes })).toMatchObject({ exitCode: NOMEM });
      const hostCallBytes = 128 * MiB + 1;
      expect((await ask(hostCallBytes, { memoryBytes, hostCallBytes })).status).toBe("ok");
    });
  });

  test("after all of that the next guest is served as the first", async () => {
    expect((await run("hoard", {}, "3")).status).toBe("ok");
    for (const name of readdirSync(root))
      expect(readFileSync(join(root, name, "file.txt"), "utf8")).toBe("x");
  });
});
