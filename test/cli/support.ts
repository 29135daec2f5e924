import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa, type Options } from "execa";
import { afterAll } from "vitest";

/** The command line as it is shipped, before the build. */
export const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** A script that does what its first argument says. */
export const PROBE = fileURLToPath(new URL("./scripts/probe.rs", import.meta.url));

/** Node keeps what it made of the sources here: a start then takes half the time. */
const COMPILE_CACHE = fileURLToPath(new URL("../../node_modules/.cache/cli-tests", import.meta.url));

/** What a person's shell would give it: this environment, no colours forced either way, nothing on stdin. */
const OPTIONS = {
  reject: false,
  stripFinalNewline: false,
  stdin: "ignore",
  env: {
    FORCE_COLOR: undefined,
    NO_COLOR: undefined,
    NODE_OPTIONS: undefined,
    NODE_COMPILE_CACHE: COMPILE_CACHE,
  },
} as const;

/** Runs the command line to its end. */
export async function scriptcell(
  args: readonly string[],
  options: Options & { input?: string | Uint8Array } = {},
) {
  const { input, env, ...rest } = options;
  const result = await execa(process.execPath, [MAIN, ...args], {
    ...OPTIONS,
    ...(input === undefined ? {} : { stdin: "pipe" as const, input }),
    ...rest,
    env: { ...OPTIONS.env, ...env },
  });
  return { exitCode: result.exitCode, stdout: String(result.stdout), stderr: String(result.stderr) };
}

/** Starts the command line and leaves it running. */
export function startScriptcell(args: readonly string[], options: Options = {}) {
  const { env, ...rest } = options;
  return execa(process.execPath, [MAIN, ...args], { ...OPTIONS, ...rest, env: { ...OPTIONS.env, ...env } });
}

/** Runs a line of bash in which `scriptcell` is the command line, as a person would type it. */
export async function shell(line: string, options: Options = {}) {
  const script = `set -u; scriptcell() { ${JSON.stringify(process.execPath)} ${JSON.stringify(MAIN)} "$@"; }; ${line}`;
  const { env, ...rest } = options;
  const result = await execa("bash", ["-c", script], {
    ...OPTIONS,
    ...rest,
    env: { ...OPTIONS.env, ...env },
  });
  return { exitCode: result.exitCode, stdout: String(result.stdout), stderr: String(result.stderr) };
}

/** A directory of its own for a test file. */
export function temporaryDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "scriptcell-cli-")));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Writes the scripts of a test file; returns their paths. */
export function writeScripts<Name extends string>(
  directory: string,
  scripts: Record<Name, string>,
): Record<Name, string> {
  const paths = Object.entries<string>(scripts).map(([name, source]) => {
    const path = join(directory, `${name}.rs`);
    writeFileSync(path, source);
    return [name, path];
  });
  return Object.fromEntries(paths) as Record<Name, string>;
}

/** A parsed JSON document whose shape the test asserts. */
export function parsed(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}
