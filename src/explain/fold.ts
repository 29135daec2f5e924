import type { Diagnostic, DiagnosticSpan } from "../compile/diagnostics.ts";
import { type MissingName, missingName } from "../compile/missing-name.ts";

/** Diagnostics that say the same. */
export interface Entry {
  diagnostic: Diagnostic;
  /** Where the others are, as `line:column`, in their order. */
  alsoAt: readonly string[];
}

/** Diagnostics, sorted by what they are worth. */
export interface Folded {
  errors: readonly Entry[];
  /** Errors that are there because of one of `errors`, and will go with it. */
  followUps: number;
  warnings: readonly Entry[];
  /** Notes on the list itself: that it is not complete. */
  remarks: readonly Diagnostic[];
}

/** Folds what is said twice, and leaves out what only follows from something else. Rules that depend on a guess are none of these. */
export function foldDiagnostics(diagnostics: readonly Diagnostic[]): Folded {
  const errors = diagnostics.filter(({ level }) => level === "error");
  const roots = errors.filter((error, i) => !followsFrom(error, errors.slice(0, i), errors));
  return {
    errors: foldAlike(roots),
    followUps: errors.length - roots.length,
    warnings: foldAlike(diagnostics.filter(({ level }) => level === "warning")),
    remarks: diagnostics.filter(({ level }) => level === "note" || level === "help"),
  };
}

function foldAlike(diagnostics: readonly Diagnostic[]): Entry[] {
  const groups = new Map<string, [Diagnostic, ...Diagnostic[]]>();
  for (const diagnostic of diagnostics) {
    const key = identityOf(diagnostic);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [diagnostic]);
    else group.push(diagnostic);
  }
  return [...groups.values()].map((group) => {
    const diagnostic = group.find(({ suggestions }) => suggestions.length > 0) ?? group[0];
    const place = placeOf(diagnostic);
    const places = new Set(group.map(placeOf).filter((other) => other !== undefined && other !== place));
    return { diagnostic, alsoAt: [...places] as string[] };
  });
}

/** Two diagnostics with the same identity are corrected by the same thought. */
function identityOf(diagnostic: Diagnostic): string {
  const missing = missingName(diagnostic);
  // A type, a constructor and a module of that name are all one definition, or one import.
  if (missing !== undefined) return JSON.stringify(["missing", groupOf(missing), missing.name]);
  const moved = moveOf(diagnostic);
  if (moved !== undefined) return JSON.stringify(["moved", moved]);
  const { code, message } = diagnostic;
  // `mismatched types` says nothing without its labels; "`A` doesn't implement `Debug`" says it all.
  const labels = message.includes("`") ? [] : primariesOf(diagnostic).map(({ label }) => label);
  return JSON.stringify([code, message, labels]);
}

function groupOf({ kind }: MissingName): string {
  return kind === "module" || kind === "item" ? "name" : kind;
}

/** The value whose move is complained about, once for each use after it. */
function moveOf({ code, spans }: Diagnostic): string | undefined {
  if (code !== "E0382") return undefined;
  const owner = spans.find(({ label }) => label?.startsWith("move occurs because"));
  return owner === undefined ? undefined : `${owner.byteStart}-${owner.byteEnd}`;
}

function followsFrom(error: Diagnostic, earlier: readonly Diagnostic[], all: readonly Diagnostic[]): boolean {
  return (
    isAboutUnknownType(error, all) ||
    isHelperAttribute(error, all) ||
    isInBrokenSyntax(error, earlier) ||
    isOperatorOnMismatch(error, earlier)
  );
}

/** rustc writes these where a type is unknown because of another error. */
const TYPE_ERROR = /[{[]type error[}\]]/;

function isAboutUnknownType(error: Diagnostic, all: readonly Diagnostic[]): boolean {
  const mentions = (other: Diagnostic): boolean =>
    [other.message, ...other.spans.map(({ label }) => label ?? "")].some((text) => TYPE_ERROR.test(text));
  return mentions(error) && all.some((other) => !mentions(other));
}

/** An attribute such as `#[serde]` exists only with its derive. */
function isHelperAttribute(error: Diagnostic, all: readonly Diagnostic[]): boolean {
  if (missingName(error)?.kind !== "attribute") return false;
  return all.some((other) => missingName(other)?.kind === "derive");
}

const DELIMITER =
  /^(?:this file contains an unclosed delimiter|unexpected closing delimiter|mismatched closing delimiter|unterminated )/;
const PARSER = /^(?:expected |unexpected |unknown start of token|missing |struct fields are separated by)/;

/** After a delimiter that is wrong the parser reads another program; after another mistake of syntax, the rest of the line. */
function isInBrokenSyntax(error: Diagnostic, earlier: readonly Diagnostic[]): boolean {
  const [at] = primariesOf(error);
  if (at === undefined) return false;
  return earlier.some((syntax) => {
    if (DELIMITER.test(syntax.message)) return isSyntax(error);
    const [broken] = primariesOf(syntax);
    if (broken === undefined || !isSyntax(syntax)) return false;
    return at.lineStart === broken.lineStart && at.byteStart >= broken.byteStart;
  });
}

/** Mistakes of syntax have no codes, but unterminated literals and comments. */
function isSyntax({ code, message }: Diagnostic): boolean {
  return DELIMITER.test(message) || (code === undefined && PARSER.test(message));
}

const OPERATOR = /^cannot [a-z-]+ `([^`]+)` [a-z]+ `([^`]+)`$/;
const MISMATCH = /^expected `([^`]+)`, found `([^`]+)`$/;

/** For `a / b` with two types rustc reports `b`, and then that nothing divides the one by the other. */
function isOperatorOnMismatch(error: Diagnostic, earlier: readonly Diagnostic[]): boolean {
  const operands = error.code === "E0277" ? OPERATOR.exec(error.message)?.slice(1) : undefined;
  if (operands === undefined) return false;
  const line = primariesOf(error)[0]?.lineStart;
  return earlier.some(
    (other) =>
      other.code === "E0308" &&
      primariesOf(other).some(({ label = "", lineStart }) => {
        const types = MISMATCH.exec(label)?.slice(1);
        return lineStart === line && types !== undefined && types.every((type) => operands.includes(type));
      }),
  );
}

function primariesOf({ spans }: Diagnostic): DiagnosticSpan[] {
  return spans.filter(({ primary }) => primary);
}

/** `line:column` of what a diagnostic is about; undefined where it is about no place. */
export function placeOf(diagnostic: Diagnostic): string | undefined {
  const span = primariesOf(diagnostic)[0] ?? diagnostic.spans[0];
  return span === undefined ? undefined : `${span.lineStart}:${span.columnStart}`;
}
