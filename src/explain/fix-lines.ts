import type { Applicability, Diagnostic, DiagnosticSpan, Suggestion } from "../compile/diagnostics.ts";
import { cleanLine } from "./clean.ts";

/** Fixes that are shown for one diagnostic. */
const MAX_FIXES = 2;
/** Lines of the script that one fix may show. */
const MAX_LINES = 8;

const SURENESS: Readonly<Record<Applicability, string>> = {
  "machine-applicable": "sure",
  "maybe-incorrect": "maybe",
  "has-placeholders": "to be filled in",
  unspecified: "maybe",
};
const ORDER: readonly Applicability[] = [
  "machine-applicable",
  "maybe-incorrect",
  "unspecified",
  "has-placeholders",
];

/** What to change, as the lines of the script will be; the sure fixes first. */
export function fixLines({ suggestions, children, spans }: Diagnostic): string[] {
  const places = [...spans, ...children.flatMap((child) => child.spans)];
  return [...suggestions]
    .sort((a, b) => ORDER.indexOf(a.applicability) - ORDER.indexOf(b.applicability))
    .slice(0, MAX_FIXES)
    .flatMap((suggestion) => {
      const [message = ""] = suggestion.message.split("\n");
      const changes = changesOf(suggestion, places);
      return [`  fix (${SURENESS[suggestion.applicability]}): ${cleanLine(message)}`, ...changes];
    });
}

/** One replacement with the text around it. */
interface Edit {
  place: DiagnosticSpan;
  text: string;
}

/** Edits that share lines. */
interface Hunk {
  lineStart: number;
  lineEnd: number;
  edits: Edit[];
}

/** The changed lines; nothing where the lines are not known. */
function changesOf({ replacements }: Suggestion, places: readonly DiagnosticSpan[]): string[] {
  const edits: Edit[] = [];
  for (const { byteStart, byteEnd, text } of replacements) {
    const place = places.find((span) => span.byteStart === byteStart && span.byteEnd === byteEnd);
    if (place === undefined) return [];
    const edit = { place, text };
    if (place.text.length <= place.lineEnd - place.lineStart && !isNewLine(edit)) return [];
    edits.push(edit);
  }
  edits.sort((a, b) => a.place.byteStart - b.place.byteStart);
  const lines = hunksOf(edits).flatMap(renderHunk);
  return lines.length > MAX_LINES ? [...lines.slice(0, MAX_LINES), "  and so on"] : lines;
}

/** Whether an edit puts lines in front of another one, and changes none. rustc does not always show the line that follows. */
function isNewLine({ place, text }: Edit): boolean {
  return place.byteStart === place.byteEnd && place.columnStart === 1 && text.endsWith("\n");
}

function hunksOf(edits: readonly Edit[]): Hunk[] {
  const hunks: Hunk[] = [];
  for (const edit of edits) {
    const { lineStart, lineEnd } = edit.place;
    const last = hunks.at(-1);
    if (last === undefined || lineStart > last.lineEnd) hunks.push({ lineStart, lineEnd, edits: [edit] });
    else {
      last.edits.push(edit);
      last.lineEnd = Math.max(last.lineEnd, lineEnd);
    }
  }
  return hunks;
}

function renderHunk({ lineStart, lineEnd, edits }: Hunk): string[] {
  if (edits.every(isNewLine)) {
    return insertion(
      lineStart,
      edits.flatMap(({ text }) => text.trimEnd().split("\n")),
    );
  }
  const old: string[] = [];
  for (const { place } of edits) {
    for (const [i, line] of place.text.entries()) old[place.lineStart + i - lineStart] = line;
  }
  const changed = applyEdits(old, lineStart, edits).split("\n");
  // A span that ends at the start of a line leaves that line as it was.
  const same = sharedEnd(old, changed);
  const added = changed.slice(0, changed.length - same);
  const lastLine = lineEnd - same;
  if (lastLine < lineStart) return insertion(lineStart, added);
  const range = lineStart === lastLine ? `line ${lineStart}` : `lines ${lineStart}-${lastLine}`;
  if (added.every((line) => line.trim() === "")) return [`  remove ${range}`];
  return [`  replace ${range} with`, ...added.map(newLine)];
}

function insertion(line: number, added: readonly string[]): string[] {
  return [`  before line ${line} insert`, ...added.map(newLine)];
}

/** How many lines at the end of both are the same. */
function sharedEnd(a: readonly string[], b: readonly string[]): number {
  let count = 0;
  while (count < a.length && count < b.length && a.at(-1 - count) === b.at(-1 - count)) count++;
  return count;
}

function newLine(text: string): string {
  return `  + ${cleanLine(text).trimEnd()}`.trimEnd();
}

/** The lines after the edits, joined. Columns count characters, from 1. */
function applyEdits(lines: readonly string[], lineStart: number, edits: readonly Edit[]): string {
  const text = [...lines.join("\n")];
  const starts: number[] = [0];
  for (const line of lines) starts.push((starts.at(-1) ?? 0) + [...line].length + 1);
  const offsetOf = (line: number, column: number): number => (starts[line - lineStart] ?? 0) + column - 1;
  const pieces: string[] = [];
  let done = 0;
  for (const { place, text: replacement } of edits) {
    pieces.push(text.slice(done, offsetOf(place.lineStart, place.columnStart)).join(""), replacement);
    done = offsetOf(place.lineEnd, place.columnEnd);
  }
  return [...pieces, text.slice(done).join("")].join("");
}
