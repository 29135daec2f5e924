import type { Applicability, Diagnostic, DiagnosticSpan, Suggestion } from "./diagnostics.ts";
import { expansionsOf, type RustcChild, type RustcMessage, type RustcSpan } from "./rustc-messages.ts";

/** How a message is to be shown. */
export interface Presentation {
  /** The script's name as rustc was given it. */
  script: string;
  /** Takes paths of this machine out of a text. */
  scrub: (text: string) => string;
}

const MAX_MESSAGE = 2_000;
const MAX_RENDERED = 8_000;
/** Characters of a source line that a span shows. */
export const MAX_LINE = 400;
const MAX_LINES = 8;
const MAX_SPANS = 16;
const MAX_CHILDREN = 16;
const MAX_SUGGESTIONS = 16;

const APPLICABILITY: Readonly<Record<string, Applicability>> = {
  MachineApplicable: "machine-applicable",
  MaybeIncorrect: "maybe-incorrect",
  HasPlaceholders: "has-placeholders",
};

/** Notes about files that rustc wrote for people at a terminal, and about its own command line. */
const ASIDE =
  /full (?:name for the )?type (?:name )?has been written to|using `--verbose` to print the full type name/;

/** rustc's message as a {@link Diagnostic}. Every text is bounded, whatever the script made rustc say. */
export function translateMessage(message: RustcMessage, presentation: Presentation): Diagnostic {
  const { scrub } = presentation;
  const children = message.children.filter((child) => !ASIDE.test(child.message)).slice(0, MAX_CHILDREN);
  return {
    level: levelOf(message.level),
    ...(message.code !== null && { code: message.code.code }),
    message: clip(scrub(message.message), MAX_MESSAGE),
    spans: spansOf(message, presentation),
    children: children.map((child) => ({
      level: levelOf(child.level),
      message: clip(scrub(child.message), MAX_MESSAGE),
      spans: spansOf(child, presentation),
    })),
    suggestions: children.flatMap((child) => suggestionsOf(child, presentation)).slice(0, MAX_SUGGESTIONS),
    rendered: clip(scrub(withoutAsides(message.rendered ?? message.message)), MAX_RENDERED),
  };
}

/** Shortens a text to at most `length` code units, saying so. */
export function clip(text: string, length: number): string {
  return text.length <= length
    ? text
    : `${text.slice(0, isSplit(text, length) ? length - 1 : length)}… (${text.length - length} more characters)`;
}

/** Whether a cut at `at` goes through a character of two code units. */
function isSplit(text: string, at: number): boolean {
  return (text.codePointAt(at - 1) ?? 0) > 0xffff;
}

function levelOf(level: string): Diagnostic["level"] {
  if (level === "warning" || level === "note" || level === "help") return level;
  return level.startsWith("error") ? "error" : "note";
}

function withoutAsides(rendered: string): string {
  return rendered
    .split("\n")
    .filter((line) => !ASIDE.test(line))
    .join("\n")
    .trimEnd();
}

function spansOf({ spans }: RustcChild, { script, scrub }: Presentation): DiagnosticSpan[] {
  return spans
    .flatMap((span) => inScript(span, script) ?? [])
    .slice(0, MAX_SPANS)
    .map((span) => ({
      lineStart: span.line_start,
      columnStart: span.column_start,
      lineEnd: span.line_end,
      columnEnd: span.column_end,
      byteStart: span.byte_start,
      byteEnd: span.byte_end,
      primary: span.is_primary,
      ...(span.label !== null && span.label !== "" && { label: clip(scrub(span.label), MAX_MESSAGE) }),
      text: span.text.slice(0, MAX_LINES).map((line) => clip(line.text, MAX_LINE)),
    }));
}

/** The span, or where it stands inside a macro of the standard library, the place in the script that called it. */
function inScript(span: RustcSpan, script: string): RustcSpan | undefined {
  for (const { span: at } of expansionsOf(span)) {
    if (at.file_name === script) return { ...at, is_primary: span.is_primary, label: span.label };
  }
  return undefined;
}

/**
 * rustc lists the parts of a suggestion in any order, and those of its alternatives one after the other: the next
 * alternative begins where a place is edited again. An edit that is cut short would be another edit, so a suggestion that
 * is too long is left out.
 */
function suggestionsOf(child: RustcChild, { script, scrub }: Presentation): Suggestion[] {
  const edits = child.spans.filter((span) => span.suggested_replacement !== null);
  if (edits.some((span) => span.file_name !== script || replacementOf(span).length > MAX_MESSAGE)) return [];
  const alternatives: RustcSpan[][] = [];
  for (const edit of edits) {
    const current = alternatives.at(-1);
    if (current === undefined || current.some((other) => isSamePlace(edit, other))) alternatives.push([edit]);
    else current.push(edit);
  }
  return alternatives.map((parts) => ({
    message: clip(scrub(child.message), MAX_MESSAGE),
    applicability: APPLICABILITY[parts[0]?.suggestion_applicability ?? ""] ?? "unspecified",
    replacements: parts.map((span) => ({
      byteStart: span.byte_start,
      byteEnd: span.byte_end,
      text: replacementOf(span),
    })),
  }));
}

function replacementOf(span: RustcSpan): string {
  return span.suggested_replacement ?? "";
}

function isSamePlace(a: RustcSpan, b: RustcSpan): boolean {
  const equal = a.byte_start === b.byte_start && a.byte_end === b.byte_end;
  return equal || (a.byte_start < b.byte_end && b.byte_start < a.byte_end);
}
