/**
 * Measures what scriptcell promises about speed and size: `npm run bench`, or `node bench/main.ts [names…] [--json]`
 * after a build. What matters most are ratios against the same work done barely, taken in turn in one run.
 */
import { availableParallelism, cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { cellStart } from "./measurements/cell-start.ts";
import { compile } from "./measurements/compile.ts";
import { files } from "./measurements/files.ts";
import { flags } from "./measurements/flags.ts";
import { fuel } from "./measurements/fuel.ts";
import { memory } from "./measurements/memory.ts";
import { throughput } from "./measurements/throughput.ts";
import { warmRun } from "./measurements/warm-run.ts";
import { formatTable, meets, type Section } from "./report.ts";

const MEASUREMENTS: Readonly<Record<string, () => Promise<Section>>> = {
  compile,
  "warm-run": warmRun,
  throughput,
  "cell-start": cellStart,
  memory,
  files,
  flags,
  fuel,
};

const { values, positionals } = parseArgs({
  options: { json: { type: "boolean", default: false } },
  allowPositionals: true,
});
const names = positionals.length > 0 ? positionals : Object.keys(MEASUREMENTS);
const unknown = names.filter((name) => !Object.hasOwn(MEASUREMENTS, name));
if (unknown.length > 0) {
  console.error(`no measurement ${unknown.join(", ")}: there are ${Object.keys(MEASUREMENTS).join(", ")}`);
  process.exit(2);
}

const sections: Section[] = [];
for (const name of names) {
  const measure = MEASUREMENTS[name];
  if (measure === undefined) continue;
  console.error(`measuring ${name} …`);
  sections.push(await measure());
}

const machine = {
  node: process.version,
  processor: cpus()[0]?.model ?? "unknown",
  cores: availableParallelism(),
  // Above the number of cores, others are taking time from what is measured.
  load: loadavg()[0] ?? 0,
};
if (values.json) {
  const judged = sections.map((section) => ({
    ...section,
    rows: section.rows.map((row) => ({ ...row, reached: meets(row) })),
  }));
  console.log(JSON.stringify({ machine, sections: judged }, null, 2));
} else {
  console.log(
    `Node ${machine.node}, ${machine.cores} cores (${machine.processor}), load ${machine.load.toFixed(1)}`,
  );
  console.log(formatTable(sections));
}
