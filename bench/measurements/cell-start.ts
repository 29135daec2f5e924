import { startBareWorker } from "../bare-worker.ts";
import { compiled, fixture, library } from "../library.ts";
import type { Section } from "../report.ts";
import { interleave } from "../timing.ts";

/** From nothing to a first result: a new cell against a new worker. */
export async function cellStart(): Promise<Section> {
  await using executor = new library.ScriptExecutor({ cells: { spares: 0, maxIdle: 0 } });
  const module = await compiled(executor, fixture("hello"));
  const timings = await interleave(
    {
      bare: async () => {
        const worker = startBareWorker(module.bytes);
        await worker.run();
        await worker.close();
      },
      // No cell is kept: each run starts its own.
      cell: async () => {
        const result = await executor.execute(module);
        if (result.status !== "ok") throw new Error(`the run failed: ${result.status}`);
      },
    },
    { warmUp: 3, rounds: 30 },
  );
  return {
    name: "cell-start",
    title: "first run of hello, in a new cell",
    rows: [
      { what: "bare worker, new for the run, median", value: timings.bare.median, unit: "ms" },
      { what: "cell, new for the run, median", value: timings.cell.median, unit: "ms" },
      { what: "  against bare, median", value: timings.cell.median / timings.bare.median, unit: "×" },
    ],
  };
}
