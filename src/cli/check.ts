import type { Command } from "commander";
import { ScriptExecutor } from "../executor.ts";
import type { CompileResult } from "../result.ts";
import { countDiagnostics, printDiagnostics } from "./diagnostics.ts";
import { addCompilerOptions, type CompilerFlags, executorOptions } from "./executor-options.ts";
import { EXIT } from "./exit-codes.ts";
import { conclude } from "./failure.ts";
import { nameOf, readScript } from "./input.ts";
import { printJson, printNote } from "./print.ts";

export function defineCheck(command: Command, signal: AbortSignal): void {
  command.argument("<file>", "Rust script; - is stdin");
  addCompilerOptions(command);
  command
    .optionsGroup("Output:")
    .option("--json", "print { ok, diagnostics, durationMs } on stdout")
    .option("--quiet", "nothing but errors")
    .addHelpText("after", "\nExits with 0 where the script compiles, and 65 where it does not.")
    .action((file: string, flags: CompilerFlags) =>
      conclude(flags.json === true, () => check(file, flags, signal)),
    );
}

async function check(file: string, flags: CompilerFlags, signal: AbortSignal): Promise<number> {
  const result = await compileFile(file, flags, signal);
  const { ok, diagnostics, durationMs } = result;
  if (flags.json === true) printJson({ ok, diagnostics, durationMs });
  else {
    printCompileDiagnostics(file, result, flags);
    if (ok && flags.quiet !== true)
      printNote(
        `${nameOf(file)} compiles${diagnostics.length === 0 ? "" : `, with ${countDiagnostics(diagnostics)}`}`,
      );
  }
  return ok ? EXIT.ok : EXIT.rejected;
}

/** Compiles a script file, or finds its module in the store. */
export async function compileFile(
  file: string,
  flags: CompilerFlags,
  signal: AbortSignal,
): Promise<CompileResult> {
  const source = await readScript(file, signal);
  const executor = new ScriptExecutor(executorOptions(flags));
  try {
    return await executor.compile(source, { signal });
  } finally {
    await executor.close();
  }
}

/** Prints what a compile had to say, for people; with `--quiet` only why it failed. */
export function printCompileDiagnostics(
  file: string,
  { ok, diagnostics }: CompileResult,
  flags: CompilerFlags,
): void {
  if (ok && flags.quiet === true) return;
  printDiagnostics(diagnostics);
  if (!ok) printNote(`${nameOf(file)} does not compile: ${countDiagnostics(diagnostics)}`);
}
