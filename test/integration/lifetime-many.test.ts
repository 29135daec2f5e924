import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { prepareMixedRuns } from "../../bench/mixed-runs.ts";
import { ScriptExecutor } from "../../src/index.ts";
import { MODES, scratchDirectory } from "../support/executors.ts";
import { descendants, isRunning } from "../support/processes.ts";

const RUNS = 1_000;
/** Once this many have run, everything is warm. */
const WARM = 400;

/** What this process holds of the system. */
function holdings() {
  return {
    descriptors: readdirSync("/proc/self/fd").length,
    children: descendants().filter(isRunning).length,
    temporary: readdirSync(process.env.TMPDIR ?? "").length,
    mounts: readFileSync("/proc/self/mountinfo", "utf8").split("\n").length,
  };
}

test.each(MODES)(
  `${RUNS.toLocaleString("en")} runs in $name, of which some fail, panic, write to a mount or are killed, leave no descriptor, process, file or mount, and memory stays`,
  { timeout: 300_000 },
  async ({ options }) => {
    const root = scratchDirectory();
    const [mounted, temporary] = [join(root, "mounted"), join(root, "temporary")];
    mkdirSync(mounted);
    mkdirSync(temporary);
    vi.stubEnv("TMPDIR", temporary);
    onTestFinished(() => void vi.unstubAllEnvs());
    // The first child that Node starts, and the first thread, make it open descriptors that it keeps for good.
    const first = new ScriptExecutor(options);
    await (await prepareMixedRuns(first, mounted))(0);
    await first.close();

    const before = holdings();
    const executor = new ScriptExecutor({ ...options, cells: { maxIdle: 4 } });
    onTestFinished(() => executor.close());
    const run = await prepareMixedRuns(executor, mounted);
    for (let n = 0; n < WARM; n++) await run(n);
    const warm = process.memoryUsage.rss();
    for (let n = WARM; n < RUNS; n++) await run(n);
    expect(process.memoryUsage.rss()).toBeLessThan(warm * 2);
    expect(readdirSync(mounted)).toEqual(["big"]);
    await executor.close();
    // A pipe is closed a turn after the process at its other end is gone.
    await vi.waitFor(() => expect(holdings()).toEqual(before), { timeout: 20_000 });
  },
);
