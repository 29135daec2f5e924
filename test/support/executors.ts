import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { type ExecutorOptions, type Isolation, ScriptExecutor } from "../../src/index.ts";

/** A way to run guests, and what a result has to say about it. */
export interface Mode {
  name: string;
  options: ExecutorOptions;
  isolation: Isolation;
}

/** Process cells with and without the operating system's sandbox: a jail has to change nothing that a guest can see. */
export const PROCESS_MODES: readonly Mode[] = [
  {
    name: "process cells in a jail",
    options: { isolation: "process", jail: "required" },
    isolation: { cell: "process", jail: "bubblewrap", engine: "preview1" },
  },
  {
    name: "process cells without a jail",
    options: { isolation: "process", jail: "off" },
    isolation: { cell: "process", jail: "none", engine: "preview1" },
  },
];

/** Every way to run guests. */
export const MODES: readonly Mode[] = [
  ...PROCESS_MODES,
  {
    name: "worker cells",
    options: { isolation: "worker", jail: "off" },
    isolation: { cell: "worker", jail: "none", engine: "preview1" },
  },
];

/** Wall time of runs whose time is not what is tested: a busy machine must not end them. */
export const AMPLE_MS = 60_000;

const executors: ScriptExecutor[] = [];
afterAll(() => Promise.all(executors.map((executor) => executor.close())));

/** An executor, for a test or for the tests of a file; closed after the last of the file. */
export function openExecutor(options: ExecutorOptions = {}): ScriptExecutor {
  const executor = new ScriptExecutor({ ...options, limits: { wallTimeMs: AMPLE_MS, ...options.limits } });
  executors.push(executor);
  return executor;
}

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/** An empty directory, for a test or for the tests of a file; removed after the last of the file. */
export function scratchDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "scriptcell-test-")));
  directories.push(directory);
  return directory;
}
