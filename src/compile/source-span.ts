import type { DiagnosticSpan } from "./diagnostics.ts";
import { clip, MAX_LINE } from "./translate-message.ts";

/** The span of a stretch of one line of the source, given in UTF-16 code units. */
export function spanAt(source: string, start: number, end: number): DiagnosticSpan {
  const before = source.slice(0, start);
  const lineStart = before.lastIndexOf("\n") + 1;
  const lineEnd = source.indexOf("\n", start);
  const line = before.split("\n").length;
  const column = [...source.slice(lineStart, start)].length + 1;
  const byteStart = Buffer.byteLength(before);
  const covered = source.slice(start, end);
  return {
    lineStart: line,
    columnStart: column,
    lineEnd: line,
    columnEnd: column + [...covered].length,
    byteStart,
    byteEnd: byteStart + Buffer.byteLength(covered),
    primary: true,
    text: [clip(source.slice(lineStart, lineEnd < 0 ? source.length : lineEnd), MAX_LINE)],
  };
}
