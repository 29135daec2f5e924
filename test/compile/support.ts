import { mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { type CompileStep, type CompileStepOptions, compileScript } from "../../src/compile/compile.ts";
import { DEFAULT_COMPILE_LIMITS } from "../../src/compile/compile-limits.ts";
import { findBubblewrap } from "../../src/jail/bubblewrap.ts";
import type { Bubblewrap } from "../../src/jail/jail.ts";
import { defaultCacheDir } from "../../src/toolchain/cache-dir.ts";
import { findToolchain } from "../../src/toolchain/find.ts";
import type { Toolchain } from "../../src/toolchain/toolchain.ts";

const cacheDir = defaultCacheDir();

export const toolchain: Toolchain = await findToolchain({ cacheDir });
export const bubblewrap: Bubblewrap = await requireBubblewrap();

/** Both ways to confine the compiler: what is promised holds for each. */
export const CONFINEMENTS: ReadonlyArray<{ confinement: string; bubblewrap: Bubblewrap | null }> = [
  { confinement: "in the jail", bubblewrap },
  { confinement: "without a jail", bubblewrap: null },
];

async function requireBubblewrap(): Promise<Bubblewrap> {
  const probe = await findBubblewrap({ cacheDir });
  if (!probe.ok) throw new Error(`these tests need bubblewrap: ${probe.reason}; ${probe.remedy}`);
  return probe.bubblewrap;
}

/** Compiles as an executor does by default, jailed. */
export function compile(
  source: string,
  {
    limits,
    ...options
  }: Partial<Omit<CompileStepOptions, "limits">> & { limits?: Partial<CompileStepOptions["limits"]> } = {},
): Promise<CompileStep> {
  return compileScript(source, {
    toolchain,
    bubblewrap,
    edition: "2024",
    profile: "fast-compile",
    ...options,
    limits: { ...DEFAULT_COMPILE_LIMITS, ...limits },
  });
}

/** Codes of the errors of a compile, rustc's errors without code as `error`. */
export function errorCodes({ diagnostics }: CompileStep): string[] {
  return diagnostics.filter(({ level }) => level === "error").map(({ code }) => code ?? "error");
}

/** Everything that a compile hands out, as one text. */
export function everythingIn(step: CompileStep): string {
  return JSON.stringify(step.diagnostics) + (step.ok ? Buffer.from(step.bytes).toString("latin1") : "");
}

/** Gives each test of a file a temporary directory of its own, in which compiles do their work. */
export function usePrivateTemporaryDirectory(): { readonly path: string } {
  const directory = { path: "" };
  const before = process.env.TMPDIR;
  beforeEach(async () => {
    directory.path = await mkdtemp(join(before ?? tmpdir(), "scriptcell-test-compile-"));
    process.env.TMPDIR = directory.path;
  });
  afterEach(async () => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    await rm(directory.path, { recursive: true, force: true });
  });
  return directory;
}

/** Processes that work below a directory, or were given a path below it. */
export async function processesIn(directory: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (`${cwd}\0${commandLine}`.includes(directory))
      found.push(`${pid} ${commandLine.replaceAll("\0", " ")}`);
  }
  return found;
}
