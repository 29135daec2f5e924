/**
 * Many runs in one executor: `node bench/soak.ts [runs]`, 100,000 unless said otherwise. Most are well-behaved, some fail,
 * panic, write to a mount or are killed. Prints at ten points what this process and its cells hold, and exits with 1 where
 * that grows.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ScriptExecutor } from "../src/index.ts";
import { prepareMixedRuns } from "./mixed-runs.ts";
import { descendants, memoryOf } from "./processes.ts";
import { quantile } from "./timing.ts";

const POINTS = 10;
/** Points at each end that are compared with each other. */
const ENDS = 3;
const MIB = 1024 * 1024;

/** What is held at one point. */
interface Holdings {
  runs: number;
  /** Open descriptors of this process. */
  descriptors: number;
  /** Processes below this one. */
  children: number;
  /** Files and directories in the temporary directory, which is this program's alone. */
  temporary: number;
  mounts: number;
  hostMiB: number;
  /** The largest of the cells. */
  cellMiB: number;
}

/** What each may have become from the first points to the last. A cell more or less may just be starting or ending. */
const MAY_BECOME: Readonly<Record<Exclude<keyof Holdings, "runs">, (first: number) => number>> = {
  descriptors: (first) => first + 8,
  children: (first) => first + 4,
  temporary: (first) => first,
  mounts: (first) => first,
  hostMiB: (first) => first * 1.2,
  cellMiB: (first) => first * 1.2,
};

const { positionals } = parseArgs({ allowPositionals: true });
const runs = Number(positionals[0] ?? 100_000);
if (!Number.isInteger(runs) || runs < POINTS) {
  console.error(`how many runs? A whole number, ${POINTS} or more`);
  process.exit(2);
}

const directory = mkdtempSync(join(tmpdir(), "scriptcell-soak-"));
const [mounted, temporary] = [join(directory, "mounted"), join(directory, "temporary")];
mkdirSync(mounted);
mkdirSync(temporary);
process.env.TMPDIR = temporary;
try {
  process.exitCode = (await soak()) ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}

async function soak(): Promise<boolean> {
  const before = holdings(0);
  const executor = new ScriptExecutor({ cells: { maxIdle: 4 } });
  const points: Holdings[] = [];
  let after: Holdings;
  try {
    const run = await prepareMixedRuns(executor, mounted);
    for (let n = 0; n < runs; n++) {
      await run(n);
      if (points.length < Math.floor(((n + 1) * POINTS) / runs)) {
        const point = holdings(n + 1);
        if (points.length === 0) console.log(Object.keys(point).map(cell).join(""));
        console.log(Object.values(point).map(cell).join(""));
        points.push(point);
      }
    }
  } finally {
    await executor.close();
    after = holdings(runs);
  }
  console.log(`${Object.values(after).map(cell).join("")}  closed`);
  const faults = [...growth(points), ...leftOver(before, after)];
  for (const fault of faults) console.log(fault);
  if (faults.length === 0) console.log("flat");
  return faults.length === 0;
}

function growth(points: readonly Holdings[]): string[] {
  const names = Object.keys(MAY_BECOME) as (keyof typeof MAY_BECOME)[];
  return names.flatMap((name) => {
    const middle = (some: readonly Holdings[]): number =>
      quantile(
        some.map((point) => point[name]),
        0.5,
      );
    const first = middle(points.slice(0, ENDS));
    const last = middle(points.slice(-ENDS));
    return last > MAY_BECOME[name](first) ? [`${name} grew from ${first} to ${last}`] : [];
  });
}

/** What a closed executor has not given back. Node keeps some descriptors of its own once it has started a process. */
function leftOver(before: Holdings, after: Holdings): string[] {
  const names = ["children", "temporary", "mounts"] as const;
  return names.flatMap((name) =>
    after[name] > before[name] ? [`${name}: ${before[name]} before and ${after[name]} after`] : [],
  );
}

function holdings(done: number): Holdings {
  const children = descendants();
  const cells = children.map((pid) => memoryOf(pid)?.rss ?? 0);
  return {
    runs: done,
    descriptors: readdirSync("/proc/self/fd").length,
    children: children.length,
    temporary: readdirSync(temporary).length,
    mounts: readFileSync("/proc/self/mountinfo", "utf8").split("\n").length,
    hostMiB: Math.round(process.memoryUsage.rss() / MIB),
    cellMiB: Math.round(Math.max(0, ...cells) / MIB),
  };
}

function cell(value: string | number): string {
  return String(value).padStart(13);
}
