import { z } from "zod";
import type { Diagnostic, DiagnosticSpan, Suggestion } from "../compile/diagnostics.ts";

/** Forces a schema to name every field of the type, optional ones too: a field left out here would be refused on read. */
type Fields<T> = { [Key in keyof Required<T>]: z.ZodType<T[Key]> };

const text = z.string();
const count = z.int().min(0);
const level = z.enum(["error", "warning", "note", "help"]);

const span = z.strictObject({
  lineStart: count,
  columnStart: count,
  lineEnd: count,
  columnEnd: count,
  byteStart: count,
  byteEnd: count,
  primary: z.boolean(),
  label: text.exactOptional(),
  text: z.array(text),
} satisfies Record<keyof DiagnosticSpan, z.ZodType>);

const suggestion = z.strictObject({
  message: text,
  applicability: z.enum(["machine-applicable", "maybe-incorrect", "has-placeholders", "unspecified"]),
  replacements: z.array(z.strictObject({ byteStart: count, byteEnd: count, text })),
} satisfies Fields<Suggestion>);

/**
 * Diagnostics as they come back from a file, which is data like any other. A change here needs a new format version
 * (layout.ts): two releases that share a directory would else remove each other's entries.
 */
export const storedDiagnosticsSchema: z.ZodType<readonly Diagnostic[]> = z.array(
  z.strictObject({
    level,
    code: text.exactOptional(),
    message: text,
    spans: z.array(span),
    children: z.array(z.strictObject({ level, message: text, spans: z.array(span) })),
    suggestions: z.array(suggestion),
    rendered: text,
  } satisfies Record<keyof Diagnostic, z.ZodType>),
);
