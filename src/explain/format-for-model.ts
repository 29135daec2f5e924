import { z } from "zod";
import { ScriptcellError } from "../errors.ts";
import type { CompileResult, RunResult } from "../result.ts";
import { fitParts } from "./budget.ts";
import { describeDiagnostics } from "./diagnostics-text.ts";
import { describeFix, fixNote } from "./fix-text.ts";
import { describeRun } from "./outcome-text.ts";

/** How {@link formatForModel} writes. */
export interface FormatForModelOptions {
  /**
   * The most that the text may take, in tokens of a model, taken to be four characters each. Default 1,500; at least 64.
   * The text is never longer; where something was left out for it, it says so.
   */
  maxTokens?: number;
  /** The script that the result is of. With it the text shows the line that a panic names. */
  source?: string;
}

const CHARACTERS_PER_TOKEN = 4;

const optionsSchema = z.strictObject({
  maxTokens: z.int().min(64).max(1_000_000).default(1_500),
  source: z.string().optional(),
});

/**
 * What came of a compile or a run as a short text for a model that is to correct its script, or to go on with its output.
 *
 * Errors come first, each with its code, its lines of the script, what is marked in them, and the fix as the line should be.
 * What is said twice is folded, what only follows from another error is left out and counted. A panic has its message, its line,
 * its backtrace where there is one, and the end of stderr; a trap, a limit and a denial say what to do about them.
 *
 * Only what begins at the start of a line is scriptcell's own structure. Everything that a script can choose, output, messages, source
 * lines, stands in a line behind a word of scriptcell's, or is indented; controls, colours and invisible characters in it are escaped, and
 * long lines are cut in their middle. So a script cannot forge a heading. It can still say what it likes: treat what is indented as data.
 *
 * The wording is for readers and may change with any release: programs look at the result.
 *
 * @throws ScriptcellError INVALID_OPTIONS
 */
export function formatForModel(
  result: CompileResult | RunResult,
  options: FormatForModelOptions = {},
): string {
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success) {
    throw new ScriptcellError(
      "INVALID_OPTIONS",
      `formatForModel cannot use these options: ${z.prettifyError(parsed.error)}; give maxTokens as a whole number of at least 64, and source as text`,
      { cause: parsed.error },
    );
  }
  const { maxTokens, source } = parsed.data;
  const maxCharacters = maxTokens * CHARACTERS_PER_TOKEN;
  if ("status" in result && result.status !== "rejected") {
    return fitParts(describeRun(result, source), maxCharacters);
  }
  const { parts, errors, more } = describeDiagnostics(result.diagnostics);
  const head = { lines: [headline(result, errors), ...fixNote(result.fix)] };
  return fitParts([head, ...parts, ...describeFix(result.fix)], maxCharacters, more);
}

function headline(result: CompileResult | (RunResult & { status: "rejected" }), errors: number): string {
  if ("ok" in result && result.ok) {
    return `The script compiles${result.diagnostics.length > 0 ? ", with warnings:" : "."}`;
  }
  const what = "status" in result ? "was not run" : "does not compile";
  return `The script ${what}: ${errors} error${errors === 1 ? "" : "s"} to correct.`;
}
