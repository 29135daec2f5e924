import { readdirSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { PROBE, parsed, startScriptcell, temporaryDirectory, writeScripts } from "./support.ts";

const directory = temporaryDirectory();
const { endless } = writeScripts(directory, {
  // Compiles for as long as it is let: every call makes a longer type.
  endless: `
    trait Grow { fn grow(n: u64) -> u64; }
    struct Nil; struct Pair<A, B>(A, B);
    impl Grow for Nil { fn grow(n: u64) -> u64 { n } }
    impl<A: Grow, B: Grow> Grow for Pair<A, B> { fn grow(n: u64) -> u64 { A::grow(n) + B::grow(n + 1) } }
    const fn spin() -> u64 { let mut n = 0u64; while n < u64::MAX { n += 1; } n }
    #[allow(long_running_const_eval)]
    const STEPS: u64 = spin();
    fn main() { println!("{}", STEPS + Pair::<Nil, Nil>::grow(0)); }`,
});

interface Process {
  pid: number;
  parent: number;
  /** With the pid, a process's identity: pids are used again. */
  startedAt: string;
  command: string;
}

function processes(): Process[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const [state, parent, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (state === "Z") return [];
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
      return [{ pid: Number(name), parent: Number(parent), startedAt: rest[17] ?? "", command }];
    } catch {
      return [];
    }
  });
}

function descendantsOf(pid: number | undefined): Process[] {
  const all = processes();
  const found = all.filter(({ parent }) => parent === pid);
  for (const { pid: next } of found) found.push(...all.filter(({ parent }) => parent === next));
  return found;
}

async function eventually<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    await setTimeout(20);
  }
}

/** What of these is still there a moment later: a killed process takes the kernel a little. */
async function survivorsOf(before: readonly Process[]): Promise<string[]> {
  let left: Process[] = [];
  for (let tries = 0; tries < 100; tries += 1) {
    const now = new Set(processes().map(({ pid, startedAt }) => `${pid} ${startedAt}`));
    left = before.filter(({ pid, startedAt }) => now.has(`${pid} ${startedAt}`));
    if (left.length === 0) break;
    await setTimeout(50);
  }
  return left.map(({ command }) => command);
}

/** Starts a spinning guest, with temporary files of its own, and waits until it spins. */
async function startSpinning(name: string, options: readonly string[] = []) {
  const temporaries = join(directory, name);
  await mkdir(temporaries);
  const command = startScriptcell(["run", PROBE, "--timeout", "10m", ...options, "--", "spin"], {
    env: { TMPDIR: temporaries },
  });
  return { command, temporaries };
}

describe("an interruption", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)(
    "%s ends a spinning script with %d, and leaves neither process nor file",
    async (signal, exitCode) => {
      const { command, temporaries } = await startSpinning(signal);
      await new Promise((resolve) => command.stdout?.once("data", resolve));
      const children = descendantsOf(command.pid);
      expect(children).not.toHaveLength(0);
      command.kill(signal);
      const result = await command;
      expect(result.exitCode).toBe(exitCode);
      expect(result.stdout).toBe("spinning\n");
      expect(result.stderr).toBe(`scriptcell: cancelled: interrupted by ${signal}\n`);
      expect(await survivorsOf(children)).toEqual([]);
      expect(readdirSync(temporaries)).toEqual([]);
    },
  );

  test("without a jail, and in a thread, nothing is left either", async () => {
    for (const options of [
      ["--jail", "off"],
      ["--isolation", "worker"],
    ]) {
      const { command } = await startSpinning(options.join(""), options);
      await new Promise((resolve) => command.stdout?.once("data", resolve));
      const children = descendantsOf(command.pid);
      command.kill("SIGINT");
      expect((await command).exitCode).toBe(130);
      expect(await survivorsOf(children)).toEqual([]);
    }
  });

  test("ends a compile, its rustc and its files", async () => {
    const temporaries = join(directory, "compile");
    await mkdir(temporaries);
    const command = startScriptcell(["run", endless], { env: { TMPDIR: temporaries } });
    const children = await eventually(() => {
      const found = descendantsOf(command.pid);
      return found.some(({ command }) => command.includes("--crate-name")) ? found : undefined;
    });
    command.kill("SIGINT");
    expect((await command).exitCode).toBe(130);
    expect(await survivorsOf(children)).toEqual([]);
    expect(readdirSync(temporaries)).toEqual([]);
  });

  test("ends the wait for a script that is being typed", async () => {
    const command = startScriptcell(["run", "-"], { stdin: "pipe" });
    await eventually(() => (handlesSignals(command.pid) ? true : undefined));
    command.kill("SIGINT");
    expect((await command).exitCode).toBe(130);
  });

  test("does not wait for a reader that takes nothing", async () => {
    const command = startScriptcell(["run", PROBE, "--", "print", "1000000"], { buffer: false });
    await new Promise<void>((resolve) =>
      command.stdout?.once("data", () => {
        command.stdout?.pause();
        resolve();
      }),
    );
    // The run is over and the rest of its output waits in the command: more than a pipe holds.
    await eventually(() => (descendantsOf(command.pid).length === 0 ? true : undefined));
    const exitCode = new Promise((resolve) => command.nodeChildProcess.once("exit", resolve));
    command.kill("SIGINT");
    expect(await exitCode).toBe(130);
    command.stdout?.destroy();
  });

  test("comes out as a result with --json", async () => {
    const { command } = await startSpinning("json", ["--json"]);
    await eventually(() => descendantsOf(command.pid).find(({ command }) => command.includes("guest/main")));
    command.kill("SIGTERM");
    const result = await command;
    expect(parsed(String(result.stdout))).toMatchObject({
      status: "cancelled",
      reason: "interrupted by SIGTERM",
    });
    expect(result.exitCode).toBe(143);
  });

  test("a second one does not wait for the first", async () => {
    const { command } = await startSpinning("twice");
    await new Promise((resolve) => command.stdout?.once("data", resolve));
    const children = descendantsOf(command.pid);
    command.kill("SIGINT");
    command.kill("SIGINT");
    command.kill("SIGTERM");
    expect([130, 143]).toContain((await command).exitCode);
    expect(await survivorsOf(children)).toEqual([]);
  });
});

/** Whether the command has its signal handlers. SIGHUP tells: Node itself handles SIGINT and SIGTERM from the start. */
function handlesSignals(pid: number | undefined): boolean {
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "0";
  return (BigInt(`0x${caught}`) & 1n) !== 0n;
}
