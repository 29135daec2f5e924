import { basename, extname } from "node:path";
import { isatty } from "node:tty";
import type { Command } from "commander";
import { compileFile, printCompile } from "./check.ts";
import { addCompilerOptions, type CompilerFlags } from "./executor-options.ts";
import { EXIT } from "./exit-codes.ts";
import { CommandFailure, conclude } from "./failure.ts";
import { STDIN } from "./input.ts";
import { formatBytes, formatMs, printJson, printNote } from "./print.ts";
import { writeWhole } from "./write-file.ts";

interface CompileFlags extends CompilerFlags {
  output?: string;
}

export function defineCompile(command: Command, signal: AbortSignal): void {
  command
    .argument("<file>", "Rust script; - is stdin")
    .option(
      "-o, --output <file>",
      "where the module goes; - is stdout (default: the script's name with .wasm, in this directory)",
    );
  addCompilerOptions(command);
  command
    .optionsGroup("Output:")
    .option("--json", "print { ok, file, hash, target, bytes, from, diagnostics, fix, durationMs } on stdout")
    .option("--quiet", "nothing but errors")
    .addHelpText(
      "after",
      "\nExits with 0 where the script compiles, and 65 where it does not: then nothing is written.",
    )
    .action((file: string, flags: CompileFlags) =>
      conclude(flags.json === true, () => compile(file, flags, signal)),
    );
}

async function compile(file: string, flags: CompileFlags, signal: AbortSignal): Promise<number> {
  const output = outputOf(file, flags);
  const result = await compileFile(file, flags, signal);
  const { diagnostics, fix, durationMs } = result;
  if (flags.json !== true) printCompile(file, result, flags);
  if (!result.ok) {
    if (flags.json === true) printJson({ ok: false, diagnostics, fix, durationMs });
    return EXIT.rejected;
  }
  const { module, from } = result;
  if (output === STDIN) process.stdout.write(module.bytes);
  else await writeWhole(output, module.bytes);
  const bytes = module.bytes.length;
  if (flags.json === true) {
    const { hash, target } = module;
    printJson({ ok: true, file: output, hash, target, bytes, from, diagnostics, fix, durationMs });
  } else if (flags.quiet !== true && output !== STDIN) {
    printNote(`${output}: ${formatBytes(bytes)}, from ${from} in ${formatMs(durationMs)}`);
  }
  return EXIT.ok;
}

function outputOf(file: string, { output, json }: CompileFlags): string {
  const usage = (message: string): never => {
    throw new CommandFailure(EXIT.usage, message);
  };
  if (output === undefined) {
    if (file === STDIN)
      return usage("a script from stdin has no name: say where the module goes with -o FILE or -o -");
    return `${basename(file, extname(file))}.wasm`;
  }
  if (output === STDIN && json === true)
    return usage("stdout cannot take both the module and the document of --json: give -o FILE");
  if (output === STDIN && isatty(1))
    return usage("a module is no text for a terminal: pipe it on, or give -o FILE");
  return output;
}
