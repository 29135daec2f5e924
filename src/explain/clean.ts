import { stripVTControlCharacters } from "node:util";

/**
 * What nobody sees and what moves what is seen: controls, line and paragraph separators, marks of direction, the tag and selector
 * characters in which text can be hidden. Joiners stay: words of some languages, and emoji, are made with them.
 */
const UNSEEN = /(?!\u200c|\u200d)(?:[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|[\u{e0100}-\u{e01ef}])/gu;
/** What a terminal or a browser may take for the end of a line. */
const LINE_END = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/;
const TAB = "    ";
/** Line ends that are looked at for each line that is wanted: some lines are blank. */
const BLANKS = 4;

/** Characters of a line that are shown. */
export const MAX_LINE = 200;
/** How much of a text is looked at for one line: cutting comes before cleaning, which a script could else make long work. */
const LOOKED_AT = 8 * MAX_LINE;

/** A text as one line: no colours, nothing that is not seen, never longer than `length`. */
export function cleanLine(text: string, length: number = MAX_LINE): string {
  return cutMiddle(escapeUnseen(cutMiddle(text, Math.max(LOOKED_AT, length))), length);
}

/** A text as lines, each clean and none too long; at most `count` of them. */
export function cleanLines(text: string, count: number): string[] {
  const lines = cutEnd(text, count * LOOKED_AT).split(LINE_END);
  return lines.slice(0, count).map((line) => cleanLine(line).trimEnd());
}

/** The first lines of a text with something on them, and whether there are more. */
export function headLines(text: string, count: number): { lines: string[]; cut: boolean } {
  const trimmed = text.trim();
  let end = -1;
  for (let i = 0; i < count * BLANKS; i++) {
    end = trimmed.indexOf("\n", end + 1);
    if (end < 0) break;
  }
  const lines = nonEmpty(end < 0 ? trimmed : trimmed.slice(0, end));
  return { lines: lines.slice(0, count), cut: lines.length > count || end >= 0 };
}

/** The last lines of a text with something on them, and whether there are more. */
export function tailLines(text: string, count: number): { lines: string[]; cut: boolean } {
  const trimmed = text.trim();
  let start = trimmed.length;
  for (let i = 0; i < count * BLANKS && start > 0; i++) start = trimmed.lastIndexOf("\n", start - 1);
  const lines = nonEmpty(trimmed.slice(Math.max(0, start)));
  return { lines: lines.slice(-count), cut: lines.length > count || start > 0 };
}

/** A name that a script chose, in quotation marks that it cannot close. */
export function quote(text: string, length = MAX_LINE): string {
  return `"${cleanLine(text, length).replaceAll('"', "'")}"`;
}

/** A line that a script chose, on a line of its own: indented, as nothing is that scriptcell says. */
export function fenced(line: string): string {
  return `  | ${line}`.trimEnd();
}

/** Every character that cannot be seen as one that can. */
export function escapeUnseen(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll("\t", TAB)
    .replace(UNSEEN, (unseen) => `\\u{${(unseen.codePointAt(0) ?? 0).toString(16)}}`);
}

function nonEmpty(text: string): string[] {
  return text
    .split(LINE_END)
    .map((line) => cleanLine(line).trimEnd())
    .filter((line) => line !== "");
}

function cutEnd(text: string, length: number): string {
  return text.length <= length ? text : text.slice(0, length);
}

/** The beginning and the end of a long text. */
function cutMiddle(text: string, length: number): string {
  if (text.length <= length) return text;
  const omission = " … ";
  const head = Math.ceil((length - omission.length) * 0.6);
  const tail = length - omission.length - head;
  // A cut through a character of two code units would leave half of it.
  return `${text.slice(0, head)}${omission}${text.slice(text.length - tail)}`.toWellFormed();
}
