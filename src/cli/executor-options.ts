import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { JailMode } from "../jail/jail.ts";
import type { Edition, ExecutorOptions, IsolationMode, Profile } from "../options.ts";
import type { Engine } from "../run/engine.ts";
import { defaultCacheDir } from "../toolchain/cache-dir.ts";
import { parsePath } from "./parse.ts";
import { printWarning } from "./print.ts";

/** What the commands that compile have in common. */
export interface CompilerFlags {
  edition?: Edition;
  profile?: Profile;
  fix?: true;
  jail?: JailMode;
  toolchain?: string;
  cacheDir?: string;
  json?: true;
  quiet?: true;
}

export function addCompilerOptions(command: Command): void {
  command
    .optionsGroup("Compiler:")
    .addOption(
      new Option("--edition <year>", "Rust edition (default: 2024)").choices([
        "2015",
        "2018",
        "2021",
        "2024",
      ]),
    )
    .addOption(
      new Option(
        "--profile <name>",
        "fast-compile: soonest first result (default); fast-run: fastest code",
      ).choices(["fast-compile", "fast-run"]),
    )
    .option(
      "--fix",
      "correct what rustc is sure of, in what is compiled and not in the file, and print it as a diff",
    );
  addMachineOptions(command);
}

/** Where things are on this machine, and what confines them. */
export function addMachineOptions(command: Command): void {
  command
    .optionsGroup("Machine:")
    .addOption(
      new Option(
        "--jail <mode>",
        "bubblewrap around compiler and cell: where it can be had (default), always, never",
      ).choices(["auto", "required", "off"]),
    )
    .option(
      "--toolchain <rustc>",
      "path of the rustc to use (default: $RUSTC, PATH, scriptcell's own)",
      parsePath,
    );
  addCacheDirOption(command);
}

export function addCacheDirOption(command: Command): void {
  command.option("--cache-dir <directory>", "compiled modules and scriptcell's own toolchain", parsePath);
}

/** The directory that `--cache-dir` names, or the default. */
export function cacheDirOf({ cacheDir }: { cacheDir?: string }): string {
  return cacheDir === undefined ? defaultCacheDir() : resolve(cacheDir);
}

export function executorOptions(
  flags: CompilerFlags & { isolation?: IsolationMode; engine?: Engine },
): ExecutorOptions {
  const { edition, profile, jail, toolchain, isolation, engine } = flags;
  return {
    ...defined({ edition, profile, jail, toolchain, isolation, engine }),
    cacheDir: cacheDirOf(flags),
    // One script, once: its cell starts while rustc works, and none is kept for a next run.
    cells: { maxRunning: 1, maxIdle: 0, spares: 0 },
    onWarning: (message) => {
      if (flags.quiet !== true) printWarning(message);
    },
  };
}

/** The fields that have a value. */
export function defined<T extends object>(fields: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}
