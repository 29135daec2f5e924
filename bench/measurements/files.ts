import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ScriptExecutor } from "../../src/index.ts";
import { type BareWasi, startBareWasi } from "../bare-wasi.ts";
import { compiled, library, source } from "../library.ts";
import { compileNatively, runNatively } from "../native.ts";
import type { Row, Section } from "../report.ts";
import { interleave, quantile, type Subject } from "../timing.ts";

const SCRIPT = new URL("../scripts/files.rs", import.meta.url);
/** What scripts/files.rs counts on. */
const PIECE_BYTES = 64 * 1024;
const FILES = 100;
const SMALL_BYTES = 1_000;

const PIECES = 1_600;
const DIRECTORIES = 100;

/** Short work needs more rounds. */
const WORK = [
  {
    what: "read",
    count: PIECES,
    title: "read 100 MiB in pieces of 64 KiB",
    target: 1,
    warmUp: 40,
    rounds: 160,
  },
  {
    what: "write",
    count: PIECES,
    title: "write 100 MiB in pieces of 64 KiB",
    target: 1,
    warmUp: 10,
    rounds: 80,
  },
  {
    what: "small",
    count: DIRECTORIES,
    title: "stat and read 10,000 small files",
    target: 2,
    warmUp: 3,
    rounds: 20,
  },
] as const;
type Work = (typeof WORK)[number];

/**
 * Calls of a process that has served for a while: as many as its engine takes to compile what it runs once for each. They do the
 * least of the same work, in a directory of its own; all of it would take minutes.
 */
const EARLIER_CALLS = 1_500;
const LEAST = { directory: "least", pieces: 1, directories: 1 };

/** Two of each kind: how a process lies in memory makes it faster or slower than another for as long as it lives. */
type Guest = "cell" | "otherCell" | "wasi" | "otherWasi";
/** Runs the guest with arguments. Gives what it wrote to stdout. */
type Runner = (...args: string[]) => Promise<string>;

/** A guest at work on files against the same module on `node:wasi`, and the same program compiled for this machine. */
export async function files(): Promise<Section> {
  const root = await mkdtemp(join(tmpdir(), "scriptcell-bench-"));
  try {
    return await measureIn(root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function measureIn(root: string): Promise<Section> {
  const data = join(root, "data");
  await fill(data, { pieces: PIECES, directories: DIRECTORIES });
  await fill(join(data, LEAST.directory), LEAST);
  await using executor = new library.ScriptExecutor();
  await using otherExecutor = new library.ScriptExecutor();
  const module = await compiled(executor, source(SCRIPT));
  const path = join(root, "files.wasm");
  await writeFile(path, module.bytes);
  await using wasi = startBareWasi(path);
  await using otherWasi = startBareWasi(path);
  const native = await compileNatively(fileURLToPath(SCRIPT), root);

  const mounts = [{ host: data, guest: "/data", access: "read-write" as const }];
  const limits = { wallTimeMs: 600_000, diskBytes: PIECES * PIECE_BYTES };
  const inCell =
    (executor: ScriptExecutor): Runner =>
    async (...args) => {
      const capabilities = { mounts, args: ["files", ...args], clock: "monotonic" } as const;
      const result = await executor.execute(module, { capabilities, limits });
      if (result.status !== "ok") throw new Error(`the run failed: ${result.status}`);
      return result.stdout;
    };
  const inWasi =
    (process: BareWasi): Runner =>
    (...args) =>
      process.run({ args: ["files", ...args], preopens: { "/data": data } });
  const runners = {
    cell: inCell(executor),
    otherCell: inCell(otherExecutor),
    wasi: inWasi(wasi),
    otherWasi: inWasi(otherWasi),
  };
  const runNative =
    native === undefined
      ? undefined
      : ({ what, count }: Work) => runNatively(native, [what, data, String(count)]);
  const rows: Row[] = [];
  for (const work of WORK) rows.push(...(await measure(work, runners, runNative)));
  const title = "a guest's work on files, all of it in the system's cache";
  return {
    name: "files",
    title: native === undefined ? `${title} (no rustc on PATH can make a native program)` : title,
    rows,
  };
}

async function measure(
  work: Work,
  runners: Readonly<Record<Guest, Runner>>,
  runNative: ((work: Work) => Promise<void>) | undefined,
): Promise<Row[]> {
  const { what, count, title, target, warmUp, rounds } = work;
  for (let call = 0; call < EARLIER_CALLS; call++) {
    for (const run of Object.values(runners)) await run(what, `/data/${LEAST.directory}`, "1");
  }
  // How long the work took by the guests' own clocks, without what it takes to call them.
  const own: Record<Guest, number[]> = { cell: [], otherCell: [], wasi: [], otherWasi: [] };
  const timed = (guest: Guest): Subject => {
    return async () => own[guest].push(Number(await runners[guest](what, "/data", String(count))));
  };
  const { native, ...calls } = await interleave(
    {
      cell: timed("cell"),
      otherCell: timed("otherCell"),
      wasi: timed("wasi"),
      otherWasi: timed("otherWasi"),
      native: () => runNative?.(work),
    },
    { warmUp, rounds },
  );
  const called = (guest: Guest): number => calls[guest].median;
  const worked = (guest: Guest): number => quantile(own[guest].slice(warmUp), 0.5);
  const cells = mean(called("cell"), called("otherCell"));
  return [
    { what: `${title}: the mean of two cells' medians`, value: cells, unit: "ms" },
    {
      what: "  against node:wasi, that of two processes",
      value: cells / mean(called("wasi"), called("otherWasi")),
      unit: "×",
      target: { at: "most", value: target },
    },
    {
      what: "  the same by the guests' own clocks",
      value: mean(worked("cell"), worked("otherCell")) / mean(worked("wasi"), worked("otherWasi")),
      unit: "×",
    },
    // A ratio is not known any better than these.
    { what: "  one cell against the other", value: called("otherCell") / called("cell"), unit: "×" },
    { what: "  one node:wasi against the other", value: called("otherWasi") / called("wasi"), unit: "×" },
    ...(runNative === undefined
      ? []
      : [{ what: "  against native Rust", value: cells / native.median, unit: "×" } as const]),
  ];
}

function mean(a: number, b: number): number {
  return (a + b) / 2;
}

async function fill(
  data: string,
  { pieces, directories }: { pieces: number; directories: number },
): Promise<void> {
  await mkdir(data);
  await writeFile(join(data, "bulk"), Buffer.alloc(pieces * PIECE_BYTES, 7));
  for (let folder = 0; folder < directories; folder++) {
    const directory = join(data, String(folder));
    await mkdir(directory);
    for (let file = 0; file < FILES; file++) {
      await writeFile(join(directory, String(file)), Buffer.alloc(SMALL_BYTES, 7));
    }
  }
}
