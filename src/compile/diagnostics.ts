/** How sure rustc is that a suggestion is right. */
export type Applicability = "machine-applicable" | "maybe-incorrect" | "has-placeholders" | "unspecified";

/** A stretch of the script. Lines and columns count from 1, columns in characters. */
export interface DiagnosticSpan {
  lineStart: number;
  columnStart: number;
  lineEnd: number;
  /** One past the last column. */
  columnEnd: number;
  /** UTF-8 byte offsets into the script: `[byteStart, byteEnd)`. */
  byteStart: number;
  byteEnd: number;
  /** The span that the message is about; others add context. */
  primary: boolean;
  /** What rustc says about this span, where it says anything. */
  label?: string;
  /** The source lines that the span covers (capped). */
  text: readonly string[];
}

/** An edit that rustc proposes: all replacements together. */
export interface Suggestion {
  message: string;
  applicability: Applicability;
  replacements: ReadonlyArray<{ byteStart: number; byteEnd: number; text: string }>;
}

/** One thing that rustc, or scriptcell, has to say about a script. */
export interface Diagnostic {
  level: "error" | "warning" | "note" | "help";
  /** `E0308`, a lint's name, or a code of scriptcell's own that starts with `scriptcell::`. */
  code?: string;
  message: string;
  spans: readonly DiagnosticSpan[];
  /** Notes and help below the message. */
  children: ReadonlyArray<{ level: Diagnostic["level"]; message: string; spans: readonly DiagnosticSpan[] }>;
  suggestions: readonly Suggestion[];
  /** The text as rustc prints it, without colours. */
  rendered: string;
}

/** What scriptcell itself has to say about a script; the diagnostic's code is this after `scriptcell::`. */
export type OwnDiagnosticName =
  /** The source is larger than `compileLimits.sourceBytes`. */
  | "source-too-large"
  /** Without a jail around the compiler: the source could make it read files or variables. */
  | "source-refused"
  /** The compiler read something other than the script, so what it said and made was discarded. */
  | "foreign-input"
  /** Without a jail around the compiler: it stopped before it told what it had read, so what it said is not shown. */
  | "diagnostics-withheld"
  /** `compileLimits.wallTimeMs` was reached. */
  | "compile-timeout"
  /** `compileLimits.memoryBytes` was reached. */
  | "compile-memory"
  /** rustc or its linker crashed. */
  | "compiler-crashed"
  /** The script compiles, but names symbols that nothing provides, or provides one twice. */
  | "link-failed"
  /** `compileLimits.outputBytes` was reached. */
  | "module-too-large"
  /** The module is valid, but not one that scriptcell runs. */
  | "module-refused"
  /** The compiler was stopped because it did not stop talking. */
  | "too-many-diagnostics"
  /** More was said than `compileLimits.diagnosticsBytes` allows. */
  | "diagnostics-truncated";

/** What goes with the message of an {@link ownDiagnostic}. */
export interface OwnDiagnosticDetails {
  /** Default `error`. */
  level?: Diagnostic["level"];
  /** What to do. */
  help?: string;
  span?: DiagnosticSpan;
}

/** A diagnostic of scriptcell's own. */
export function ownDiagnostic(
  name: OwnDiagnosticName,
  message: string,
  { level = "error", help, span }: OwnDiagnosticDetails = {},
): Diagnostic {
  const code = `scriptcell::${name}`;
  const place = span === undefined ? "" : `\n --> script.rs:${span.lineStart}:${span.columnStart}`;
  const advice = help === undefined ? "" : `\n  = help: ${help}`;
  return {
    level,
    code,
    message,
    spans: span === undefined ? [] : [span],
    children: help === undefined ? [] : [{ level: "help", message: help, spans: [] }],
    suggestions: [],
    rendered: `${level}[${code}]: ${message}${place}${advice}`,
  };
}
