import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { type ExecutorOptions, type Isolation, ScriptExecutor } from "../../src/index.ts";

const ROOT = new URL("../../", import.meta.url);

/** The data sets that scripts work on. */
export const DATA = new URL("node_modules/vega-datasets/data/", ROOT);

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
    isolation: { cell: "process", jail: "bubblewrap" },
  },
  {
    name: "process cells without a jail",
    options: { isolation: "process", jail: "off" },
    isolation: { cell: "process", jail: "none" },
  },
];

/** Every way to run guests. */
export const MODES: readonly Mode[] = [
  ...PROCESS_MODES,
  {
    name: "worker cells",
    options: { isolation: "worker", jail: "off" },
    isolation: { cell: "worker", jail: "none" },
  },
];

/** A script of the fixtures. */
export function script(name: string): string {
  return readFileSync(new URL(`fixtures/scripts/${name}.rs`, ROOT), "utf8");
}

/** A script of the fixtures that misbehaves. */
export function attack(name: string): string {
  return readFileSync(new URL(`fixtures/attacks/run/${name}.rs`, ROOT), "utf8");
}

/** Wall time of runs whose time is not what is tested: a busy machine must not end them. */
export const AMPLE_MS = 60_000;

/** An executor for the tests of one file or group; closed after them. */
export function openExecutor(options: ExecutorOptions = {}): ScriptExecutor {
  const executor = new ScriptExecutor({ ...options, limits: { wallTimeMs: AMPLE_MS, ...options.limits } });
  afterAll(() => executor.close());
  return executor;
}

/** An empty directory for the tests of one file or group; removed after them. */
export function scratchDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "scriptcell-test-")));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The same program under a text that no store has seen. */
export function neverSeen(source: string): string {
  return `${source}\n// ${crypto.randomUUID()}\n`;
}
