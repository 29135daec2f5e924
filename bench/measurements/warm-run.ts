import { startBareWorker } from "../bare-worker.ts";
import { compiled, fixture, library, runs } from "../library.ts";
import type { Row, Section } from "../report.ts";
import { interleave, type Timing } from "../timing.ts";

const HELLO = '{"hello":"world"}\n';

/** A run in a warm cell against the least that running a module in another thread takes. */
export async function warmRun(): Promise<Section> {
  const source = fixture("hello");
  await using executor = new library.ScriptExecutor();
  await using threads = new library.ScriptExecutor({ isolation: "worker" });
  const module = await compiled(executor, source);
  const bare = startBareWorker(module.bytes);
  const timings = await interleave(
    {
      bare: async () => expectHello(Buffer.from(await bare.run()).toString()),
      execute: () => runs(executor, module, HELLO),
      run: async () => expectHello((await executor.run(source)).stdout),
      thread: () => runs(threads, module, HELLO),
    },
    { warmUp: 500, rounds: 3_000 },
  );
  const { isolation } = await executor.execute(module);
  await bare.close();
  const against = (what: string, timing: Timing, targets: boolean): Row[] => [
    { what: `${what}, median`, value: timing.median, unit: "ms", ...(targets && atMost(0.3)) },
    { what: `${what}, p95`, value: timing.p95, unit: "ms" },
    {
      what: "  against bare, median",
      value: timing.median / timings.bare.median,
      unit: "×",
      ...(targets && atMost(1.5)),
    },
    {
      what: "  against bare, p95",
      value: timing.p95 / timings.bare.p95,
      unit: "×",
      ...(targets && atMost(1.5)),
    },
  ];
  return {
    name: "warm-run",
    title: `warm run of hello (jail: ${isolation?.jail})`,
    rows: [
      { what: "bare worker, median", value: timings.bare.median, unit: "ms" },
      { what: "bare worker, p95", value: timings.bare.p95, unit: "ms" },
      ...against("execute(module)", timings.execute, true),
      ...against("run(source)", timings.run, true),
      ...against("execute(module) in a worker cell", timings.thread, false),
    ],
  };
}

function atMost(value: number): Pick<Row, "target"> {
  return { target: { at: "most", value } };
}

function expectHello(output: string): void {
  if (output !== HELLO) throw new Error(`hello said ${JSON.stringify(output)}`);
}
