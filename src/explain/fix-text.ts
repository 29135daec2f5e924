import type { Fix } from "../compile/fix.ts";
import type { Part } from "./budget.ts";
import { cleanLine } from "./clean.ts";

/** Lines of the diff that are shown. */
const MAX_LINES = 60;

/** Whoever goes on from a result has to know that its lines are others than those of the script that was given. */
export function fixNote(fix: Fix | null): string[] {
  return fix === null
    ? []
    : ["It was corrected before; all lines named here are those of the corrected script."];
}

/** What was corrected. */
export function describeFix(fix: Fix | null): Part[] {
  if (fix === null) return [];
  const lines = fix.diff.trimEnd().split("\n");
  const shown = lines.slice(0, MAX_LINES).map((line) => `  ${cleanLine(line)}`.trimEnd());
  const untold = lines.length - shown.length;
  return [{ title: "corrected:", lines: [...shown, ...(untold > 0 ? [`  and ${untold} more lines`] : [])] }];
}
