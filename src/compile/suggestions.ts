import { z } from "zod";
import { ScriptcellError } from "../errors.ts";
import type { Applicability, Diagnostic, Suggestion } from "./diagnostics.ts";
import { byPlace, countWhile, createEdits, type Edit } from "./edits.ts";

/** Which suggestions {@link applySuggestions} takes. */
export interface ApplySuggestionsOptions {
  /** Default `machine-applicable`: those that rustc itself is sure of. */
  applicability?: Applicability | readonly Applicability[];
}

/** A suggestion that was applied. */
export interface AppliedSuggestion {
  /** What rustc said about it: `consider changing this to be mutable`. */
  message: string;
  /** The code of the diagnostic that it belongs to, where that has one. */
  code?: string;
  /** The line, from 1, where its first replacement begins, in the source that it was applied to. */
  line: number;
}

/** The surest first. */
const APPLICABILITIES = ["machine-applicable", "maybe-incorrect", "has-placeholders", "unspecified"] as const;

const applicability = z.enum(APPLICABILITIES);
const optionsSchema = z.strictObject({
  applicability: z.union([applicability, z.array(applicability).readonly()]).optional(),
});

const NOT_A_START = 0x80;
const BOM = Buffer.from("\ufeff");

/**
 * Applies suggestions of diagnostics to the source that they speak of. Each is applied as a whole or not at all, at most one
 * for each diagnostic (of alternatives the surest, of equally sure ones the first), in the order of the diagnostics. The same
 * suggestion made twice is applied once. One that touches what another has changed is left out: compile what comes back, and
 * it is made again if it still holds. So is one that does not fit the source: offsets beyond its end, backwards, in the middle
 * of a character.
 *
 * Pure, and it compiles nothing: whether the new source means what its author meant is for the caller to say. With no
 * applicable suggestion the source comes back as it was; else it is as a compiler sees it: what UTF-8 cannot hold is U+FFFD.
 *
 * @param source The script. Offsets count its bytes as UTF-8, a byte order mark included.
 * @param diagnostics Of a compile of exactly this source, in any number.
 * @throws ScriptcellError INVALID_OPTIONS; never because of what diagnostics say
 */
export function applySuggestions(
  source: string,
  diagnostics: readonly Diagnostic[],
  options: ApplySuggestionsOptions = {},
): { source: string; applied: readonly AppliedSuggestion[] } {
  const wanted = wantedBy(options);
  const isWanted = (suggestion: Suggestion) => wanted.has(suggestion.applicability);
  const bytes = Buffer.from(source);
  const taken = createEdits();
  const known = new Set<string>();
  const chosen: Array<{ message: string; code: string | undefined; at: number }> = [];
  for (const { code, suggestions } of diagnostics) {
    for (const { message, replacements } of surestFirst(suggestions.filter(isWanted))) {
      const edits = fittingEdits(replacements, bytes);
      const [first] = edits ?? [];
      if (edits === undefined || first === undefined) continue;
      const identity = JSON.stringify(edits);
      // Where it collides, an alternative is not taken instead: it would be second best for no reason.
      if (known.has(identity) || edits.some(taken.collidesWith)) break;
      known.add(identity);
      for (const edit of edits) taken.add(edit);
      chosen.push({ message, code, at: first.byteStart });
      break;
    }
  }
  if (chosen.length === 0) return { source, applied: [] };
  const lineOf = lineCounter(bytes);
  const applied = chosen.map(({ message, code, at }) => ({
    message,
    ...(code !== undefined && { code }),
    line: lineOf(at),
  }));
  return { source: withEdits(bytes, taken.inOrder()), applied };
}

function wantedBy(options: ApplySuggestionsOptions): ReadonlySet<Applicability> {
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success) {
    throw new ScriptcellError(
      "INVALID_OPTIONS",
      `options of applySuggestions: ${z.prettifyError(parsed.error)}`,
      {
        cause: parsed.error,
      },
    );
  }
  const { applicability: wanted = "machine-applicable" } = parsed.data;
  return new Set(typeof wanted === "string" ? [wanted] : wanted);
}

function surestFirst(suggestions: readonly Suggestion[]): Suggestion[] {
  const rank = ({ applicability }: Suggestion) => APPLICABILITIES.indexOf(applicability);
  return suggestions.toSorted((a, b) => rank(a) - rank(b));
}

/** The replacements of a suggestion in the order of their places; undefined where they do not fit the source or change nothing. */
function fittingEdits(replacements: readonly Edit[], bytes: Buffer): Edit[] | undefined {
  const edits = replacements
    .map(({ byteStart, byteEnd, text }) => ({ byteStart, byteEnd, text }))
    .sort(byPlace);
  const first = bytes.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0;
  let changes = false;
  for (const [i, { byteStart, byteEnd, text }] of edits.entries()) {
    if (byteStart < first || byteEnd < byteStart || !isBoundary(byteStart, bytes)) return undefined;
    if (!isBoundary(byteEnd, bytes)) return undefined;
    const previous = edits[i - 1];
    // Two insertions at one place: nothing says which comes first.
    if (previous !== undefined && (byteStart < previous.byteEnd || previous.byteStart === byteEnd))
      return undefined;
    changes ||= !bytes.subarray(byteStart, byteEnd).equals(Buffer.from(text));
  }
  return changes ? edits : undefined;
}

function isBoundary(at: number, bytes: Buffer): boolean {
  if (!Number.isSafeInteger(at) || at < 0 || at > bytes.length) return false;
  return ((bytes[at] ?? 0) & 0xc0) !== NOT_A_START;
}

function withEdits(bytes: Buffer, edits: Iterable<Edit>): string {
  const parts: Buffer[] = [];
  let end = 0;
  for (const { byteStart, byteEnd, text } of edits) {
    parts.push(bytes.subarray(end, byteStart), Buffer.from(text));
    end = byteEnd;
  }
  parts.push(bytes.subarray(end));
  return Buffer.concat(parts).toString();
}

/** Tells the line of an offset; looks for the ends of lines once. */
function lineCounter(bytes: Buffer): (at: number) => number {
  const ends: number[] = [];
  for (let at = bytes.indexOf("\n"); at >= 0; at = bytes.indexOf("\n", at + 1)) ends.push(at);
  return (at) => countWhile(ends, (end) => end < at) + 1;
}
