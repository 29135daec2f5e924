import type { Diagnostic } from "../compile/diagnostics.ts";
import type { Part } from "./budget.ts";
import { cleanLine, cleanLines, fenced } from "./clean.ts";
import { fixLines } from "./fix-lines.ts";
import { type Entry, foldDiagnostics, placeOf } from "./fold.ts";
import { sourceLines } from "./source-lines.ts";

/** Notes and help that are shown for one diagnostic, and lines of each. */
const MAX_NOTES = 4;
const MAX_NOTE_LINES = 6;
/** Lines of a message; what a script makes rustc say may have more. */
const MAX_MESSAGE_LINES = 6;
/** Places that are listed for errors that are alike. */
const MAX_PLACES = 8;

/** Notes that say where something comes from, and none of what is to be done. */
const IDLE_NOTE =
  /^(?:`#\[\w+\(.*\)\]`.* (?:on by default|implied by)|see issue #|this error originates in the |in this macro invocation|the item is gated here|found an item that was configured out|for more information|the full type name|the lint level is defined here|the following other types implement trait)/;
/** What rustc says to a crate with a Cargo.toml and several files. A script has neither. */
const FOR_CRATES =
  /^(?:you might be missing a crate named|if you wanted to use a crate named|to create the module )/;
/** Warnings that an error brings with it: what would have used the thing was not compiled. */
const UNUSED = /^(?:unused_|dead_code|unreachable_)/;

/** The text of diagnostics: parts, and what is said of the errors that are left out. */
export interface DiagnosticsText {
  parts: Part[];
  /** Errors in `parts`, those that are folded into one counted once. */
  errors: number;
  /** The line on errors that are not shown, given how many of `errors` these are. */
  more: (left: number) => string | undefined;
}

/** Errors first, each with its source lines and its fix; warnings after them, in full where there are no errors. */
export function describeDiagnostics(diagnostics: readonly Diagnostic[]): DiagnosticsText {
  const { errors, followUps, warnings, remarks } = foldDiagnostics(diagnostics);
  const said = new Set<string>();
  const told =
    errors.length === 0
      ? warnings.map((entry) => describeEntry(entry, said))
      : warnings.filter(({ diagnostic }) => !UNUSED.test(diagnostic.code ?? "")).map(describeBriefly);
  return {
    parts: [
      ...errors.map((entry) => ({ ...describeEntry(entry, said), counts: 1 })),
      ...remarks.map(({ message }) => ({ lines: [`note: ${cleanLine(message)}`] })),
      ...told,
    ],
    errors: errors.length,
    more: (left) => describeMore(left, followUps),
  };
}

function describeMore(left: number, followUps: number): string | undefined {
  const more = left + followUps;
  if (more === 0) return undefined;
  const because = followUps === 0 ? "" : followUps === more ? ", which" : `, of which ${followUps}`;
  const follow = followUps === 0 ? "" : `${because} only follow${followUps === 1 ? "s" : ""} from the above`;
  return `and ${more} more error${more === 1 ? "" : "s"}${follow}`;
}

/** `said` are the notes without a place that entries before this one have. */
function describeEntry({ diagnostic, alsoAt }: Entry, said: Set<string>): Part {
  const heading = headingOf(diagnostic, alsoAt);
  return {
    lines: [
      ...heading,
      ...sourceLines(diagnostic.spans),
      ...noteLines(diagnostic, said),
      ...fixLines(diagnostic),
    ],
    brief: heading.slice(0, 2),
  };
}

function describeBriefly({ diagnostic, alsoAt }: Entry): Part {
  return { lines: headingOf(diagnostic, alsoAt).slice(0, 2) };
}

/** The message behind the level, and below it, indented like all that is not ours, the rest of it. */
function headingOf(diagnostic: Diagnostic, alsoAt: readonly string[]): string[] {
  const { level, code, message } = diagnostic;
  const [first = "", ...rest] = cleanLines(message, MAX_MESSAGE_LINES);
  const place = placeOf(diagnostic);
  const at = place === undefined ? [] : [`  at ${place}${alsoAtText(alsoAt)}`];
  const head = `${level}${code === undefined ? "" : `[${cleanLine(code)}]`}: ${first}`;
  return [head, ...at, ...rest.map(fenced)];
}

function alsoAtText(places: readonly string[]): string {
  if (places.length === 0) return "";
  const untold = places.length - MAX_PLACES;
  const more = untold > 0 ? ` and ${untold} more places` : "";
  return `, and the same at ${places.slice(0, MAX_PLACES).join(", ")}${more}`;
}

function noteLines({ children, suggestions }: Diagnostic, said: Set<string>): string[] {
  const fixes = new Set(suggestions.map(({ message }) => message));
  const ours = children.some(({ message }) => !FOR_CRATES.test(message));
  return children
    .filter(({ message }) => !fixes.has(message) && !IDLE_NOTE.test(message))
    .filter(({ message }) => !ours || !FOR_CRATES.test(message))
    .filter(({ message, spans }) => spans.length > 0 || !said.has(message))
    .slice(0, MAX_NOTES)
    .flatMap(({ level, message, spans }) => {
      said.add(message);
      const [first = "", ...rest] = cleanLines(message, MAX_NOTE_LINES);
      const places = spans.map(({ lineStart, columnStart, label }) => {
        const said = label === undefined ? "" : `: ${cleanLine(label.replaceAll("\n", " "))}`;
        return `    at ${lineStart}:${columnStart}${said}`;
      });
      return [`  ${level}: ${first}`, ...rest.map(fenced), ...new Set(places)];
    });
}
