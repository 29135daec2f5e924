import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startBareWasi } from "../bare-wasi.ts";
import { compiled, library, source } from "../library.ts";
import { compileNatively, runNatively } from "../native.ts";
import type { Row, Section } from "../report.ts";
import { interleave, quantile, type Subject, type Timing } from "../timing.ts";

const SCRIPT = new URL("../scripts/files.rs", import.meta.url);
/** What scripts/files.rs counts on. */
const BULK_BYTES = 100 * 1024 * 1024;
const DIRECTORIES = 100;
const FILES = 100;
const SMALL_BYTES = 1_000;

/** Warm-up as long as the engine takes to compile what runs hot: of bulk work it sees few calls. Short work needs more rounds. */
const WORK = [
  { what: "read", title: "read 100 MiB in pieces of 64 KiB", target: 1, warmUp: 40, rounds: 120 },
  { what: "write", title: "write 100 MiB in pieces of 64 KiB", target: 1, warmUp: 10, rounds: 40 },
  { what: "small", title: "stat and read 10,000 small files", target: 2, warmUp: 3, rounds: 20 },
] as const;

type Name = "cell" | "wasi" | "again" | "native";

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
  await fill(data);
  await using executor = new library.ScriptExecutor();
  const module = await compiled(executor, source(SCRIPT));
  const path = join(root, "files.wasm");
  await writeFile(path, module.bytes);
  await using bare = startBareWasi(path);
  await using again = startBareWasi(path);
  const native = await compileNatively(fileURLToPath(SCRIPT), root);

  const mounts = [{ host: data, guest: "/data", access: "read-write" as const }];
  const limits = { wallTimeMs: 600_000, diskBytes: BULK_BYTES };
  const rows: Row[] = [];
  for (const { what, title, target, warmUp, rounds } of WORK) {
    const args = ["files", what, "/data"];
    const capabilities = { mounts, args, clock: "monotonic" } as const;
    // How long the work took by the guests' own clocks, without what it takes to call them.
    const own = { cell: [] as number[], wasi: [] as number[] };
    const subjects: Record<Name, Subject> = {
      wasi: async () => own.wasi.push(Number(await bare.run({ args, preopens: { "/data": data } }))),
      cell: async () => {
        const result = await executor.execute(module, { capabilities, limits });
        if (result.status !== "ok") throw new Error(`the run failed: ${result.status}`);
        own.cell.push(Number(result.stdout));
      },
      again: () => again.run({ args, preopens: { "/data": data } }),
      native: () => (native === undefined ? undefined : runNatively(native, [what, data])),
    };
    const timings = await interleave(subjects, { warmUp, rounds });
    const median = (durations: readonly number[]): number => quantile(durations.slice(warmUp), 0.5);
    const guests = median(own.cell) / median(own.wasi);
    rows.push(...compare(title, timings, { guests, target }, native !== undefined));
  }
  const title = "a guest's work on files, all of it in the system's cache";
  return {
    name: "files",
    title: native === undefined ? `${title} (no rustc on PATH can make a native program)` : title,
    rows,
  };
}

function compare(
  title: string,
  { cell, wasi, again, native }: Record<Name, Timing>,
  { guests, target }: { guests: number; target: number },
  hasNative: boolean,
): Row[] {
  return [
    { what: `${title}, median`, value: cell.median, unit: "ms" },
    {
      what: "  against node:wasi, median",
      value: cell.median / wasi.median,
      unit: "×",
      target: { at: "most", value: target },
    },
    { what: "  the same by the guests' own clocks, median", value: guests, unit: "×" },
    // What the same process beside it differs by: a ratio is not known any better than this.
    { what: "  node:wasi against a second one, median", value: again.median / wasi.median, unit: "×" },
    ...(hasNative
      ? [{ what: "  against native Rust, median", value: cell.median / native.median, unit: "×" } as const]
      : []),
  ];
}

async function fill(data: string): Promise<void> {
  await mkdir(data);
  await writeFile(join(data, "bulk"), Buffer.alloc(BULK_BYTES, 7));
  for (let folder = 0; folder < DIRECTORIES; folder++) {
    const directory = join(data, String(folder));
    await mkdir(directory);
    for (let file = 0; file < FILES; file++) {
      await writeFile(join(directory, String(file)), Buffer.alloc(SMALL_BYTES, 7));
    }
  }
}
