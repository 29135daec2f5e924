import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { MiB, ScriptExecutor } from "../../src/index.ts";
import { MODES, openExecutor } from "../support/executors.ts";
import { descendants } from "../support/processes.ts";
import { script } from "../support/scripts.ts";
import { assemble, assembleFixture } from "../wasm/assemble.ts";

const WASI = "wasi_snapshot_preview1";
const refused = readdirSync(new URL("../../fixtures/modules/refused/", import.meta.url));
const limits = { memoryBytes: 1 * MiB, tableElements: 100 };

/** A result that says: not run, and why. */
const rejected = {
  status: "rejected",
  isolation: null,
  durationMs: 0,
  stdout: "",
  moduleFrom: null,
  diagnostics: [
    {
      level: "error",
      code: "scriptcell::module-refused",
      message: expect.stringContaining("module refused: "),
      rendered: expect.stringContaining("module refused: "),
    },
  ],
};

/** The smallest command with a body of its own. */
const command = (body: string, more = ""): Uint8Array =>
  assemble(`(module ${more} (memory (export "memory") 1) (func (export "_start") ${body}))`);

describe("bytes of a stranger's that may not run", () => {
  const executor = openExecutor();

  test.each(refused)("%s is rejected with a diagnostic, and no cell is started for it", async (file) => {
    const before = descendants();
    expect(await executor.execute(assembleFixture(`refused/${file}`), { limits })).toMatchObject(rejected);
    expect(descendants()).toEqual(before);
  });

  test("that are no module at all are rejected", async () => {
    const texts = ["", "\0", "\0asm", "\0asm\u0001\0\0", "MZ", "#!/bin/sh\n", "fn main() {}", "(module)"];
    for (const text of texts) {
      expect(await executor.execute(new Uint8Array(Buffer.from(text, "latin1")))).toMatchObject(rejected);
    }
  });

  test("that are cut off anywhere are rejected", async () => {
    const whole = command("(drop (i32.const 1))");
    for (let length = 0; length < whole.length; length += 1) {
      const result = await executor.execute(whole.slice(0, length));
      expect(result, `${length} bytes`).toMatchObject(rejected);
    }
  });

  test("that are larger than any module are rejected at once", async () => {
    expect(await executor.execute(new Uint8Array(64 * MiB))).toMatchObject(rejected);
  });

  test("that are a component are rejected with what to do", async () => {
    const component = Uint8Array.from([0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00]);
    expect(await executor.execute(component)).toMatchObject(rejected);
  });
});

describe.each(MODES)("a module that may run, in $name,", ({ options, isolation }) => {
  const executor = openExecutor(options);
  const run = (bytes: Uint8Array) => executor.execute(bytes);

  test.each([
    ["unreachable", command("unreachable")],
    ["out-of-bounds-memory", command("(drop (i32.load (i32.const -1)))")],
    ["out-of-bounds-memory", command("(memory.fill (i32.const 65000) (i32.const 0) (i32.const 1000))")],
    ["integer-divide-by-zero", command("(drop (i32.div_s (i32.const 1) (i32.const 0)))")],
    ["integer-divide-by-zero", command("(drop (i64.rem_u (i64.const 1) (i64.const 0)))")],
    ["integer-overflow", command("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))")],
    ["invalid-conversion", command("(drop (i32.trunc_f64_s (f64.const nan)))")],
    ["invalid-conversion", command("(drop (i64.trunc_f32_u (f32.const 1e30)))")],
    [
      "out-of-bounds-table",
      command("(call_indirect (type $t) (i32.const 9))", "(type $t (func)) (table 1 funcref)"),
    ],
    [
      "indirect-call-type-mismatch",
      command("(call_indirect (type $t) (i32.const 0))", "(type $t (func)) (table 1 funcref)"),
    ],
    [
      "out-of-bounds-memory",
      assemble(
        `(module (memory (export "memory") 1) (data (i32.const 65530) "too long") (func (export "_start")))`,
      ),
    ],
    [
      "out-of-bounds-table",
      assemble(
        `(module (table 1 funcref) (memory (export "memory") 1) (func $f (export "_start")) (elem (i32.const 5) $f))`,
      ),
    ],
    ["out-of-bounds-table", command("(drop (table.get (i32.const 5)))", "(table 1 funcref)")],
  ])("and traps is told by the code %s", async (code, bytes) => {
    expect(await run(bytes)).toMatchObject({
      status: "trapped",
      code,
      message: expect.any(String),
      isolation,
    });
  });

  test("and grows its memory to the cap and asks for more gets no more", async () => {
    const result = await executor.execute(
      command(`(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))`),
      { limits: { memoryBytes: 2 * MiB } },
    );
    expect(result).toMatchObject({ status: "ok", peakMemoryBytes: 2 * MiB });
  });

  test("and asks for four gigabytes in one step gets none", async () => {
    const result = await run(
      command("(if (i32.ne (memory.grow (i32.const 65535)) (i32.const -1)) (then unreachable))"),
    );
    expect(result).toMatchObject({ status: "ok", peakMemoryBytes: 65_536 });
  });

  test("and exits twice has exited the first time", async () => {
    const result = await run(
      command(
        "(call $exit (i32.const 3)) (call $exit (i32.const 0))",
        `(import "${WASI}" "proc_exit" (func $exit (param i32)))`,
      ),
    );
    expect(result).toMatchObject({ status: "failed", exitCode: 3 });
  });

  test("and calls the host with addresses beyond its memory gets errors and harms nobody", async () => {
    // clock_time_get, random_get and fd_write in turns, at addresses from all over 32 bits.
    const result = await run(
      command(
        `(local $at i32)
         (loop $next
           (drop (call $random (local.get $at) (i32.const 0x7fffffff)))
           (drop (call $write (i32.const 1) (local.get $at) (i32.const -1) (local.get $at)))
           (drop (call $poll (local.get $at) (local.get $at) (i32.const 4096) (local.get $at)))
           (local.set $at (i32.add (local.get $at) (i32.const 0x00fffff1)))
           (br_if $next (i32.gt_u (local.get $at) (i32.const 0x00ffffff))))`,
        `(import "${WASI}" "random_get" (func $random (param i32 i32) (result i32)))
         (import "${WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
         (import "${WASI}" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))`,
      ),
    );
    expect(result).toMatchObject({ status: "ok", stdout: "" });
  });

  test("and never says anything leaves the cell to the next", async () => {
    expect(await run(command(""))).toMatchObject({ status: "ok", stdout: "", stderr: "", denials: [] });
    expect((await executor.run(script("hello"))).status).toBe("ok");
  });
});

test("a hundred different modules in one cell are each run as themselves", async () => {
  await using executor = new ScriptExecutor({ limits: { wallTimeMs: 60_000 }, cells: { maxRunning: 1 } });
  const exit = (code: number) =>
    command(`(call $exit (i32.const ${code}))`, `(import "${WASI}" "proc_exit" (func $exit (param i32)))`);
  for (let round = 0; round < 2; round += 1) {
    for (let code = 1; code <= 100; code += 1) {
      expect(await executor.execute(exit(code))).toMatchObject({ exitCode: code });
    }
  }
});
