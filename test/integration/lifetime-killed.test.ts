import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { ScriptExecutor } from "../../src/index.ts";
import { AMPLE_MS, PROCESS_MODES, scratchDirectory } from "../support/executors.ts";
import { allGone, descendants, isRunning } from "../support/processes.ts";
import { attack, neverSeen, script } from "../support/scripts.ts";

const SPIN = fileURLToPath(new URL("../support/children/spin.ts", import.meta.url));
/** Takes rustc the longest that it may. */
const ENDLESS =
  "#![allow(long_running_const_eval)] const fn f() -> u64 { let mut i = 0u64; while i < u64::MAX { i += 1; } i } const X: u64 = f();";

const mountTable = (): string => readFileSync("/proc/self/mountinfo", "utf8");

/** A directory to mount, and a temporary directory that is scriptcell's alone. */
let mounted: string;
let temporary: string;
beforeEach(() => {
  const root = scratchDirectory();
  [mounted, temporary] = [join(root, "mounted"), join(root, "temporary")];
  mkdirSync(mounted);
  writeFileSync(join(mounted, "file"), "x");
  mkdirSync(temporary);
  vi.stubEnv("TMPDIR", temporary);
  onTestFinished(() => void vi.unstubAllEnvs());
});

/** Nothing temporary, nothing mounted, and what was mounted is as it was and held by nobody. */
function expectNothingLeft(mountsBefore: string): void {
  expect(readdirSync(temporary)).toEqual([]);
  expect(mountTable()).toBe(mountsBefore);
  expect(readFileSync(join(mounted, "file"), "utf8")).toBe("x");
  rmSync(mounted, { recursive: true });
}

describe.each(PROCESS_MODES)("with $name", ({ options, isolation }) => {
  const withMount = () => ({
    ...options,
    capabilities: { mounts: [{ host: mounted, guest: "/data", access: "read-write" as const }] },
  });

  test("a cell that is killed with SIGKILL while its guest spins leaves nothing, and the next run is served", async () => {
    const mounts = mountTable();
    const before = descendants();
    const executor = new ScriptExecutor({ ...withMount(), cells: { spares: 0 } });
    onTestFinished(() => executor.close());
    let killed: number[] = [];
    const running = executor.run(attack("spin"), {
      limits: { wallTimeMs: AMPLE_MS },
      onStdout() {
        killed = descendants().filter((pid) => !before.includes(pid));
        for (const pid of killed) process.kill(pid, "SIGKILL");
      },
    });
    expect(await running).toMatchObject({ status: "trapped", stdout: "before\n", isolation });
    expect(killed.length).toBeGreaterThan(0);
    await allGone(killed);
    expect(await executor.run(script("hello"))).toMatchObject({ status: "ok", isolation });
    await executor.close();
    expectNothingLeft(mounts);
  });

  test("a program that is killed with SIGKILL while a guest spins leaves no process, temporary file or mount", async () => {
    const mounts = mountTable();
    const host = spawn(process.execPath, [SPIN, JSON.stringify(withMount())], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(host, "close");
    const [line] = (await once(createInterface(host.stdout), "line")) as [string];
    const { pids } = JSON.parse(line) as { pids: number[] };
    expect(pids.filter(isRunning).length).toBeGreaterThan(0);
    host.kill("SIGKILL");
    expect(await ended).toEqual([null, "SIGKILL"]);
    await allGone(pids);
    expectNothingLeft(mounts);
  });

  test("an executor that is closed while rustc works leaves no process, temporary file or mount", async () => {
    const mounts = mountTable();
    const before = descendants();
    // At several moments of its start, in some of which the jail is only half there.
    for (let moment = 0; moment < 12; moment += 1) {
      const executor = new ScriptExecutor(options);
      onTestFinished(() => executor.close());
      const compiling = executor.compile(neverSeen(`${ENDLESS} fn main() { println!("{X}"); }`));
      const refused = expect(compiling).rejects.toMatchObject({ code: "EXECUTOR_CLOSED" });
      await vi.waitUntil(() => readdirSync(temporary).length > 0, { timeout: 60_000, interval: 1 });
      await setTimeout(moment * 3);
      await executor.close();
      await refused;
    }
    await allGone(descendants().filter((pid) => !before.includes(pid)));
    expectNothingLeft(mounts);
  });
});
