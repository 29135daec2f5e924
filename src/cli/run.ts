import { basename } from "node:path";
import { type Command, Option } from "commander";
import type { Capabilities, ClockGrant, HostMount, ScratchMount } from "../capabilities.ts";
import { ScriptExecutor } from "../executor.ts";
import type { ExecuteOptions, IsolationMode } from "../options.ts";
import type { RunResult } from "../result.ts";
import type { Engine } from "../run/engine.ts";
import { type InputFile, writeArtifacts } from "./artifacts.ts";
import { addCompilerOptions, type CompilerFlags, defined, executorOptions } from "./executor-options.ts";
import { EXIT, EXIT_CODE_HELP, exitCodeOf } from "./exit-codes.ts";
import { CommandFailure, conclude } from "./failure.ts";
import { printFix } from "./fix.ts";
import { nameOf, pipedStdin, readFiles, readJsonInput, readProgram, STDIN } from "./input.ts";
import { Interruption } from "./interruption.ts";
import { addLimitOptions, limitsOf } from "./limit-options.ts";
import { liveOutput } from "./live-output.ts";
import {
  collectEnv,
  collectFile,
  collectMount,
  collectScratch,
  collectText,
  parseClock,
  parsePath,
} from "./parse.ts";
import { printJson } from "./print.ts";
import { printStats, reportRun } from "./report.ts";
import { RESULT_JSON_HELP, resultDocument } from "./result-json.ts";

interface RunFlags extends CompilerFlags {
  mount?: HostMount[];
  scratch?: ScratchMount[];
  file?: InputFile[];
  artifact?: string[];
  artifactsDir?: string;
  env?: Record<string, string>;
  arg?: string[];
  input?: string;
  clock?: ClockGrant;
  seed?: string;
  terminal?: true;
  isolation?: IsolationMode;
  engine?: Engine;
  stats?: true;
}

const EXAMPLES = `Examples:
  scriptcell run count.rs --mount ./data:/data --input '{"top": 10}'
  scriptcell run totals.rs --file may.csv:/in/may.csv --scratch /tmp --artifact '/tmp/*.csv' --artifacts-dir out
  echo 'fn main() { println!("hello") }' | scriptcell run -
  sort words.txt | scriptcell run longest.rs --timeout 500ms -- --min 3`;

export function defineRun(command: Command, signal: AbortSignal): void {
  command
    .argument("<file>", "Rust script or wasm module (any of preview 1); - is stdin")
    .argument("[args...]", "arguments for the script; after -- also those that begin with -")
    .optionsGroup("Capabilities (what is not granted is denied):")
    .option(
      "--mount <host:guest[:ro|rw]>",
      "show the script a directory, read-only by default; repeatable",
      collectMount,
    )
    .option(
      "--scratch <guest[:size]>",
      "give the script an empty directory in memory, which is gone with the run; repeatable",
      collectScratch,
    )
    .option(
      "--file <host:guest>",
      "put a copy of a file in memory where the script finds it; repeatable",
      collectFile,
    )
    .option("--env <name=value>", "set a variable; repeatable", collectEnv)
    .option("--arg <text>", "pass an argument, before those after the file; repeatable", collectText)
    .option(
      "--input <json>",
      "JSON for the script's stdin; @FILE reads it from a file, @- from stdin (default: what is piped in)",
    )
    .option(
      "--clock <grant>",
      "denied (default), monotonic, real, or the instant at which it stands still",
      parseClock,
    )
    .option("--seed <text>", "make random numbers repeatable (default: secure ones)")
    .option(
      "--terminal",
      "tell the script that it has a terminal, so that it may colour its output (default: it has none, even where you do)",
    );
  addLimitOptions(command);
  addCompilerOptions(command);
  command
    .addOption(
      new Option("--isolation <cell>", "a process of its own (default), or a thread").choices([
        "process",
        "worker",
      ]),
    )
    .addOption(
      new Option(
        "--engine <name>",
        "scriptcell's own WASI host (default), or Node's: in a jail only, with --clock real and nothing to write to",
      ).choices(["preview1", "node-wasi"]),
    )
    .optionsGroup("Output:")
    .option(
      "--artifact <pattern>",
      "keep what the script left in --scratch directories: /tmp/*.csv, /tmp/**; repeatable",
      collectText,
    )
    .option(
      "--artifacts-dir <directory>",
      "where --artifact files go, each at its own path below it",
      parsePath,
    )
    .option("--json", "print the result as one JSON document, and nothing else, on stdout")
    .option("--quiet", "nothing but the script's output, compile errors and failures to run it")
    .option("--stats", "print time, memory and isolation on stderr")
    .addHelpText("after", `\n${EXAMPLES}\n\n${RESULT_JSON_HELP}\n\n${EXIT_CODE_HELP}`)
    .action((file: string, args: string[], flags: RunFlags) =>
      conclude(flags.json === true, () => run(file, args, flags, limitsOf(command), signal)),
    );
}

async function run(
  file: string,
  args: readonly string[],
  flags: RunFlags,
  limits: NonNullable<ExecuteOptions["limits"]>,
  signal: AbortSignal,
): Promise<number> {
  checkArtifactFlags(flags);
  const program = await readProgram(file, signal);
  if (program.kind === "module" && flags.fix === true) {
    throw new CommandFailure(
      EXIT.usage,
      `${nameOf(file)} is a WebAssembly module: --fix is for scripts, leave it out`,
    );
  }
  const stdin = await chooseStdin(file, flags, signal);
  const files = flags.file && (await readFiles(flags.file, signal));
  const capabilities = capabilitiesOf(file, args, flags);
  const stdout = liveOutput(process.stdout);
  const stderr = liveOutput(process.stderr);
  const options: ExecuteOptions = {
    ...defined({ stdin, files, artifacts: flags.artifact }),
    capabilities,
    limits,
    signal,
    ...(flags.json !== true && { onStdout: stdout.write, onStderr: stderr.write }),
  };
  const executor = new ScriptExecutor(executorOptions(flags));
  let result: RunResult;
  try {
    result =
      program.kind === "module"
        ? await executor.execute(program.bytes, options)
        : await executor.run(program.source, { ...options, fix: flags.fix === true });
  } finally {
    await executor.close();
  }
  stdout.end();
  stderr.end();
  if (flags.artifactsDir !== undefined) await writeArtifacts(flags.artifactsDir, result.artifacts);
  return conclusion(file, result, flags, signal);
}

function checkArtifactFlags({ artifact, artifactsDir }: RunFlags): void {
  if ((artifact === undefined) === (artifactsDir === undefined)) return;
  throw new CommandFailure(
    EXIT.usage,
    artifact === undefined
      ? "--artifacts-dir takes what --artifact asks for: add --artifact PATTERN"
      : "--artifact needs a place for the files: add --artifacts-dir DIRECTORY",
  );
}

/** Says how it ended, and makes an exit code of it. */
function conclusion(file: string, result: RunResult, flags: RunFlags, signal: AbortSignal): number {
  const { reason } = signal;
  if (reason instanceof Interruption && result.status !== "cancelled") {
    // It came when the script had ended and its output had not yet arrived: that is no success.
    return conclusion(file, { ...result, status: "cancelled", reason }, flags, signal);
  }
  const exitCode = reason instanceof Interruption ? reason.exitCode : exitCodeOf(result);
  // Whoever went away while reading wants to hear no more.
  if (exitCode === EXIT.brokenPipe) return exitCode;
  if (flags.json === true) printJson(resultDocument(result));
  else if (flags.quiet !== true || result.status === "rejected") {
    if (result.fix !== null) printFix(file, result.fix);
    reportRun(file, flags.quiet === true ? { ...result, denials: [] } : result);
  }
  if (flags.stats === true && flags.json !== true) printStats(result);
  return exitCode;
}

async function chooseStdin(
  file: string,
  flags: RunFlags,
  signal: AbortSignal,
): Promise<ExecuteOptions["stdin"]> {
  if (flags.input === undefined) return file === STDIN ? undefined : pipedStdin();
  if (file === STDIN && flags.input === "@-") {
    throw new CommandFailure(
      EXIT.usage,
      "stdin cannot be both the script and its input: give one of them as a file",
    );
  }
  return readJsonInput(flags.input, signal);
}

function capabilitiesOf(file: string, args: readonly string[], flags: RunFlags): Capabilities {
  const { mount = [], scratch = [], env, clock, seed, terminal } = flags;
  return {
    // The name alone: the directories above it are none of the script's business.
    args: [file === STDIN ? "script" : basename(file), ...(flags.arg ?? []), ...args],
    mounts: [...mount, ...scratch],
    ...defined({ env, clock, random: seed === undefined ? undefined : { seed }, terminal }),
  };
}
