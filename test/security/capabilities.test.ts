import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { Capabilities } from "../../src/index.ts";
import { MODES, openExecutor, scratchDirectory } from "../support/executors.ts";
import { attack, script } from "../support/scripts.ts";

const Seen = z.strictObject({
  env: z.array(z.string()),
  args: z.array(z.string()),
  root: z.array(z.string()),
  realtime: z.string().nullable(),
  monotonic: z.string().nullable(),
  later: z.string().nullable(),
  socket: z.number(),
  raise: z.number(),
});

const DATE = "the date is not granted";
const STOPWATCH = "the stopwatch is not granted";

describe.each(MODES)("a guest in $name", ({ options, isolation }) => {
  const executor = openExecutor(options);
  const look = async (capabilities: Capabilities = {}) => {
    const result = await executor.run(attack("look-around"), { capabilities, outputSchema: Seen });
    if (result.status !== "ok") throw new Error(`${result.status}: ${result.stderr}`);
    const reasons = result.denials.map(({ reason }) => reason);
    return { seen: result.output, denials: result.denials, reasons };
  };

  test("that was granted nothing sees its own name and nothing else, and what it was refused is recorded", async () => {
    const { seen, denials } = await look();
    expect(seen).toMatchObject({
      env: [],
      args: ["script"],
      root: [],
      realtime: null,
      monotonic: null,
      later: null,
    });
    expect([seen.socket, seen.raise]).not.toContain(0);
    expect(denials).toEqual([
      expect.objectContaining({ call: "path_open", target: "/", grant: "mounts", count: 1 }),
      { call: "clock_time_get", target: "realtime", reason: DATE, grant: 'clock: "real"', count: 1 },
      {
        call: "clock_time_get",
        target: "monotonic",
        reason: STOPWATCH,
        grant: 'clock: "monotonic"',
        count: 2,
      },
      expect.objectContaining({ call: "sock_shutdown", grant: null, count: 1 }),
    ]);
  });

  test("never sees a variable of the host's", async () => {
    process.env.SCRIPTCELL_TEST_SECRET = "hunter2";
    try {
      const { seen } = await look({ env: { LANG: "C" } });
      expect(seen.env).toEqual(["LANG=C"]);
    } finally {
      delete process.env.SCRIPTCELL_TEST_SECRET;
    }
  });

  test("sees the variables and arguments that it was granted, as they are", async () => {
    const env = { LANG: "C", EMPTY: "", WEIRD: "a=b\n🦀" };
    const args = ["name", "", "--flag", "🦀 with spaces"];
    const { seen } = await look({ env, args });
    expect([...seen.env].sort()).toEqual(["EMPTY=", "LANG=C", "WEIRD=a=b\n🦀"]);
    expect(seen.args).toEqual(args);
  });

  test("with a stopwatch has one that starts at zero, and no date", async () => {
    const { seen, reasons } = await look({ clock: "monotonic" });
    expect(seen.realtime).toBeNull();
    expect(Number(seen.monotonic)).toBeLessThan(60e9);
    expect(Number(seen.later)).toBeGreaterThanOrEqual(Number(seen.monotonic));
    expect(reasons).toContain(DATE);
    expect(reasons).not.toContain(STOPWATCH);
  });

  test("takes nothing for a terminal, and says nothing of having asked, unless it is told that it has one", async () => {
    const source = `use std::io::{IsTerminal, stderr, stdin, stdout};
      fn main() { println!("{:?}", [stdin().is_terminal(), stdout().is_terminal(), stderr().is_terminal()]); }`;
    expect(await executor.run(source)).toMatchObject({ output: [false, false, false], denials: [] });
    const granted = await executor.run(source, { capabilities: { terminal: true }, stdin: "x" });
    expect(granted).toMatchObject({ status: "ok", output: [true, true, true], stderr: "", denials: [] });
  });

  test("with a frozen clock sees that instant, and a stopwatch that stands", async () => {
    const frozen = "2001-09-09T01:46:40Z";
    const { seen, reasons } = await look({ clock: { frozen } });
    expect(seen.realtime).toBe("1000000000000000000");
    expect([seen.monotonic, seen.later]).toEqual(["0", "0"]);
    expect(reasons).not.toContain(DATE);
  });

  test("with the real clock sees the date", async () => {
    const before = Date.now();
    const { seen } = await look({ clock: "real" });
    const now = Number(BigInt(seen.realtime ?? 0) / 1_000_000n);
    expect(now).toBeGreaterThanOrEqual(before - 1);
    expect(now).toBeLessThanOrEqual(Date.now() + 1);
  });

  test("with two mounts sees them where it was told", async () => {
    const [one, two] = [scratchDirectory(), scratchDirectory()];
    const mounts = [
      { host: one, guest: "/one" },
      { host: two, guest: "/deep/er/two" },
    ];
    const source = `fn main() {
      for path in ["/one", "/deep/er/two", "/deep", "/two"] {
        println!("{path} {}", std::fs::read_dir(path).is_ok());
      }
    }`;
    const { stdout } = await executor.run(source, { capabilities: { mounts } });
    expect(stdout).toBe("/one true\n/deep/er/two true\n/deep false\n/two false\n");
  });

  test("that takes a grant of the executor's takes it, and the call's own instead where there is one", async () => {
    const granting = openExecutor({ ...options, capabilities: { env: { A: "1" }, args: ["x"] } });
    const run = async (capabilities: Capabilities) =>
      (await granting.run(attack("look-around"), { capabilities, outputSchema: Seen })) as {
        output: z.output<typeof Seen>;
      };
    expect((await run({})).output).toMatchObject({ env: ["A=1"], args: ["x"] });
    expect((await run({ env: { B: "2" } })).output).toMatchObject({ env: ["B=2"], args: ["x"] });
    expect((await run({ env: {} })).output).toMatchObject({ env: [], args: ["x"] });
  });

  test("draws other random bytes in each run, unless they are seeded", async () => {
    const draw = async () => (await executor.run(script("random-walk"))).stdout;
    expect(await draw()).not.toBe(await draw());
  });

  test("finds nothing of the run before it in its memory", async () => {
    const source = `
      static mut LEFT: u32 = 0;
      fn main() {
        unsafe { LEFT += 1; println!("{}", *(&raw const LEFT)); }
      }`;
    const outputs = [];
    for (let n = 0; n < 3; n += 1) outputs.push((await executor.run(source)).stdout);
    expect(outputs).toEqual(["1\n", "1\n", "1\n"]);
  });

  test("that asks for ten thousand things is refused each, and the record stays short", async () => {
    const result = await executor.run(attack("ask-much"));
    expect(result).toMatchObject({ status: "ok", isolation });
    expect(result.status === "ok" && result.output).toBeGreaterThan(10_000);
    expect(result.denials).toHaveLength(64);
    for (const { call, target, reason } of result.denials) {
      expect(call.length + target.length + reason.length).toBeLessThan(3 * 256);
    }
  });

  test("that exits from deep inside is at its end there", async () => {
    expect(await executor.run(attack("exit-inside"))).toMatchObject({
      status: "failed",
      exitCode: 5,
      stdout: "before\n",
    });
  });

  test("that panics is a value with the place and the output before it", async () => {
    expect(await executor.run(attack("panic"))).toMatchObject({
      status: "panicked",
      message: "index out of bounds: the len is 3 but the index is 7",
      line: 5,
      column: 20,
      stdout: "before\n",
      isolation,
    });
  });
});
