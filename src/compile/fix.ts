import type { Diagnostic } from "./diagnostics.ts";
import { unifiedDiff } from "./fix-diff.ts";
import { type AppliedSuggestion, applySuggestions } from "./suggestions.ts";

/** How often suggestions are applied and the script is compiled again, at most. */
const MAX_ROUNDS = 5;

/** What was changed in a script because rustc was sure how to correct it. */
export interface Fix {
  /** The script as it was compiled in the end; the diagnostics beside it speak of this one. */
  source: string;
  /** From the script as it was given to `source`, as a unified diff of `script.rs` with three lines of context. */
  diff: string;
  /** How often suggestions were applied and the script was compiled again: 1 to 5. */
  rounds: number;
  /** What was applied, in order. Each line is one of the source as it was in that round. */
  applied: readonly AppliedSuggestion[];
}

/** As much of a compile's result as it takes to go on from it. */
interface Compiled {
  ok: boolean;
  diagnostics: readonly Diagnostic[];
}

/**
 * Compiles a script; while it does not compile and rustc is sure how to correct errors, applies that and compiles again, at
 * most five times. Stops where nothing is applicable, or where corrections lead in a circle. Every compile is one like any
 * other, under the same checks and limits. Warnings are left alone: a script that compiles is not touched.
 * @returns The last result, and what was changed for it; null where nothing was.
 */
export async function compileWithFixes<Result extends Compiled>(
  given: string,
  compile: (source: string) => Promise<Result>,
): Promise<{ result: Result; fix: Fix | null }> {
  const seen = new Set([given]);
  const applied: AppliedSuggestion[] = [];
  let source = given;
  let result = await compile(source);
  while (!result.ok && seen.size <= MAX_ROUNDS) {
    const corrected = applySuggestions(source, result.diagnostics.filter(isError));
    if (corrected.applied.length === 0 || seen.has(corrected.source)) break;
    source = corrected.source;
    seen.add(source);
    applied.push(...corrected.applied);
    result = await compile(source);
  }
  const rounds = seen.size - 1;
  if (rounds === 0) return { result, fix: null };
  return { result, fix: { source, diff: await unifiedDiff(given, source), rounds, applied } };
}

function isError({ level }: Diagnostic): boolean {
  return level === "error";
}
