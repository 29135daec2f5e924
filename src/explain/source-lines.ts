import type { DiagnosticSpan } from "../compile/diagnostics.ts";
import { cleanLine, escapeUnseen } from "./clean.ts";

/** Lines of the script that are shown for one diagnostic. */
const MAX_LINES = 6;
/** Characters of a line of the script; a longer one is shown around what is marked. */
const MAX_WIDTH = 120;

interface Mark {
  /** Columns, from 1; the end is one past the last. */
  start: number;
  end: number;
  primary: boolean;
  label: string;
}

/** The lines that spans lie in, numbered, with what is marked in them below. */
export function sourceLines(spans: readonly DiagnosticSpan[]): string[] {
  const lines = new Map<number, { text: string; marks: Mark[] }>();
  for (const span of [
    ...spans.filter(({ primary }) => primary),
    ...spans.filter(({ primary }) => !primary),
  ]) {
    const [text] = span.text;
    if (text === undefined) continue;
    const line = lines.get(span.lineStart) ?? { text, marks: [] };
    if (!lines.has(span.lineStart) && lines.size === MAX_LINES) continue;
    line.marks.push(markOf(span, text));
    lines.set(span.lineStart, line);
  }
  const width = String(Math.max(0, ...lines.keys())).length;
  return [...lines]
    .sort(([a], [b]) => a - b)
    .flatMap(([number, { text, marks }]) => renderLine(number, width, text, marks));
}

/** One numbered line. */
export function numberedLine(number: number, text: string): string {
  return `  ${number} | ${cleanLine(text)}`.trimEnd();
}

function markOf(
  { lineStart, lineEnd, columnStart, columnEnd, primary, label = "" }: DiagnosticSpan,
  text: string,
): Mark {
  // Of a span over several lines the first is shown; it goes on to the end of that.
  const end = lineEnd > lineStart ? [...text].length + 1 : columnEnd;
  return { start: columnStart, end: Math.max(end, columnStart + 1), primary, label };
}

function renderLine(number: number, width: number, text: string, marks: readonly Mark[]): string[] {
  const characters = [...text];
  const { from, to } = windowAround(characters.length, marks[0]?.start ?? 1);
  const shown = escapeUnseen(characters.slice(from, to).join("")).trimEnd();
  const before = from > 0 ? "…" : "";
  const head = `  ${String(number).padStart(width)} | ${before}${shown}${to < characters.length ? "…" : ""}`;
  const gutter = `  ${" ".repeat(width)} | `;
  const below = marks.map(({ start, end, primary, label }) => {
    // As wide as the text before it is when it is shown.
    const offset =
      before.length + escapeUnseen(characters.slice(from, Math.max(from, start - 1)).join("")).length;
    const covered = escapeUnseen(
      characters.slice(Math.max(from, start - 1), Math.min(to, end - 1)).join(""),
    ).length;
    const sign = (primary ? "^" : "-").repeat(Math.max(1, Math.min(covered, MAX_WIDTH)));
    return cutTo(`${gutter}${" ".repeat(Math.min(offset, MAX_WIDTH))}${sign}`, label);
  });
  return [head, ...new Set(below)];
}

function cutTo(marker: string, label: string): string {
  return label === "" ? marker : `${marker} ${cleanLine(label.replaceAll("\n", " "))}`;
}

/** Which characters of a line are shown. */
function windowAround(length: number, column: number): { from: number; to: number } {
  if (length <= MAX_WIDTH) return { from: 0, to: length };
  const from = Math.max(0, Math.min(column - 1 - MAX_WIDTH / 3, length - MAX_WIDTH));
  return { from, to: from + MAX_WIDTH };
}
