import type { Command } from "commander";
import { ScriptExecutor } from "../executor.ts";
import type { CompileResult } from "../result.ts";
import { countDiagnostics, printDiagnostics } from "./diagnostics.ts";
import { addCompilerOptions, type CompilerFlags, executorOptions } from "./executor-options.ts";
import { EXIT } from "./exit-codes.ts";
import { conclude } from "./failure.ts";
import { printDiff, printFix } from "./fix.ts";
import { nameOf, readScript } from "./input.ts";
import { printJson, printNote } from "./print.ts";

export function defineCheck(command: Command, signal: AbortSignal): void {
  command.argument("<file>", "Rust script; - is stdin");
  addCompilerOptions(command);
  command
    .optionsGroup("Output:")
    .option("--json", "print { ok, diagnostics, fix, durationMs } on stdout")
    .option("--quiet", "nothing but errors, and the diff of --fix")
    .addHelpText(
      "after",
      "\nExits with 0 where the script compiles (with --fix: also where it does so corrected), and 65 where it does not.\nThe diff of --fix goes to stdout: scriptcell check --fix script.rs | patch script.rs",
    )
    .action((file: string, flags: CompilerFlags) =>
      conclude(flags.json === true, () => check(file, flags, signal)),
    );
}

async function check(file: string, flags: CompilerFlags, signal: AbortSignal): Promise<number> {
  const result = await compileFile(file, flags, signal);
  const { ok, diagnostics, fix, durationMs } = result;
  if (flags.json === true) printJson({ ok, diagnostics, fix, durationMs });
  else {
    if (fix !== null) printDiff(fix);
    printDiagnosticsOf(file, result, flags);
    if (ok && flags.quiet !== true)
      printNote(
        `${nameOf(file)} compiles${fix === null ? "" : " once corrected"}${diagnostics.length === 0 ? "" : `, with ${countDiagnostics(diagnostics)}`}`,
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
    return await executor.compile(source, { fix: flags.fix === true, signal });
  } finally {
    await executor.close();
  }
}

/** Prints what a compile had to say and what was corrected, for people; with `--quiet` only why it failed. */
export function printCompile(file: string, result: CompileResult, flags: CompilerFlags): void {
  // Diagnostics of a corrected script mean little to whoever does not know what was corrected.
  if (result.fix !== null && !(result.ok && flags.quiet === true)) printFix(file, result.fix);
  printDiagnosticsOf(file, result, flags);
}

function printDiagnosticsOf(
  file: string,
  { ok, diagnostics, fix }: CompileResult,
  flags: CompilerFlags,
): void {
  if (ok && flags.quiet === true) return;
  printDiagnostics(diagnostics);
  const corrected = fix === null ? "" : ", not even corrected";
  if (!ok) printNote(`${nameOf(file)} does not compile${corrected}: ${countDiagnostics(diagnostics)}`);
}
