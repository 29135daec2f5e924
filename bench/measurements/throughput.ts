import { availableParallelism } from "node:os";
import { startBareWorker } from "../bare-worker.ts";
import { compiled, fixture, library, runs } from "../library.ts";
import { commandOf, descendants, processorMs } from "../processes.ts";
import type { Section } from "../report.ts";
import { callsPerSecond, quantile } from "../timing.ts";

const HELLO = '{"hello":"world"}\n';
const SECONDS = 2;
const REPEATS = 5;

/** Runs per second with all cores, in turn with bare workers on the same machine. */
export async function throughput(): Promise<Section> {
  const cores = availableParallelism();
  await using executor = new library.ScriptExecutor();
  const module = await compiled(executor, fixture("hello"));
  const bare = Array.from({ length: cores }, () => startBareWorker(module.bytes));
  const warm = (): Promise<number> => callsPerSecond(() => runs(executor, module, HELLO), cores * 2, 1);
  await warm();
  const reached: number[] = [];
  const bareReached: number[] = [];
  const hostMs: number[] = [];
  const cellMs: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const each = await Promise.all(bare.map((worker) => callsPerSecond(() => worker.run(), 1, SECONDS)));
    bareReached.push(each.reduce((total, rate) => total + rate, 0));
    const hostBefore = hostProcessorMs();
    const cellsBefore = cellProcessorTimes();
    // Twice as many callers as cells: the next run waits when a cell becomes free.
    const rate = await callsPerSecond(() => runs(executor, module, HELLO), cores * 2, SECONDS);
    reached.push(rate);
    hostMs.push((hostProcessorMs() - hostBefore) / (rate * SECONDS));
    const cellsAfter = cellProcessorTimes();
    // A cell that was replaced meanwhile took what it used with it.
    if ([...cellsBefore.keys()].every((pid) => cellsAfter.has(pid)))
      cellMs.push((sum(cellsAfter) - sum(cellsBefore)) / (rate * SECONDS));
  }
  await Promise.all(bare.map((worker) => worker.close()));
  const median = (samples: readonly number[]): number => quantile(samples, 0.5);
  return {
    name: "throughput",
    title: `runs of hello, one after the other on all ${cores} cores`,
    rows: [
      {
        what: "scriptcell",
        value: median(reached),
        unit: "runs/s",
        target: { at: "least", value: cores * 2_000 },
      },
      { what: "bare workers", value: median(bareReached), unit: "runs/s" },
      { what: "processor time per run, host", value: median(hostMs) * 1_000, unit: "µs" },
      ...(cellMs.length === 0
        ? []
        : [{ what: "processor time per run, cell", value: median(cellMs) * 1_000, unit: "µs" } as const]),
    ],
  };
}

function hostProcessorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Milliseconds that each cell's process has used so far. */
function cellProcessorTimes(): Map<number, number> {
  const cells = descendants().filter((pid) => commandOf(pid) !== "bwrap");
  return new Map(cells.map((pid) => [pid, processorMs(pid) ?? 0]));
}

function sum(times: ReadonlyMap<number, number>): number {
  return [...times.values()].reduce((total, ms) => total + ms, 0);
}
