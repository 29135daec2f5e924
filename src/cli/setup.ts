import type { Command } from "commander";
import { setupToolchain } from "../toolchain/setup.ts";
import { addCacheDirOption, cacheDirOf } from "./executor-options.ts";
import { EXIT } from "./exit-codes.ts";
import { conclude } from "./failure.ts";
import { printJson, printNote } from "./print.ts";

interface SetupFlags {
  cacheDir?: string;
  json?: true;
  quiet?: true;
}

export function defineSetup(command: Command, signal: AbortSignal): void {
  addCacheDirOption(command);
  command
    .option("--json", "print the toolchain as JSON on stdout; progress stays on stderr")
    .option("--quiet", "no progress")
    .addHelpText(
      "after",
      `
Uses what is there. Else adds the targets to rustup's active toolchain or, where rustup or its server is out of reach,
unpacks Debian's packages (about 200 MB to download) below the cache directory. Nothing else on the system is changed, and
no root is needed. Safe to interrupt and to repeat.`,
    )
    .action((flags: SetupFlags) => conclude(flags.json === true, () => setup(flags, signal)));
}

async function setup(flags: SetupFlags, signal: AbortSignal): Promise<number> {
  const toolchain = await setupToolchain({
    cacheDir: cacheDirOf(flags),
    signal,
    onProgress: ({ message }) => {
      if (flags.quiet !== true) printNote(message);
    },
  });
  if (flags.json === true) printJson(toolchain);
  return EXIT.ok;
}
