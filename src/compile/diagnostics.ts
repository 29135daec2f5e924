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
