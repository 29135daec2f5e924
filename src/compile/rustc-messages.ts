import { z } from "zod";

/** A span as rustc writes it. `expansion` leads from the inside of a macro to the place that called it, and may be very deep. */
const spanSchema = z.object({
  file_name: z.string(),
  byte_start: z.int(),
  byte_end: z.int(),
  line_start: z.int(),
  line_end: z.int(),
  column_start: z.int(),
  column_end: z.int(),
  is_primary: z.boolean(),
  text: z.array(z.object({ text: z.string() })),
  label: z.string().nullable(),
  suggested_replacement: z.string().nullable(),
  suggestion_applicability: z.string().nullable(),
  expansion: z.unknown(),
});

const expansionSchema = z.object({ span: spanSchema, def_site_span: spanSchema.optional() });

const childSchema = z.object({ level: z.string(), message: z.string(), spans: z.array(spanSchema) });

const messageSchema = childSchema.extend({
  code: z.object({ code: z.string() }).nullable(),
  children: z.array(childSchema),
  rendered: z.string().nullable(),
});

export type RustcSpan = z.output<typeof spanSchema>;
export type RustcChild = z.output<typeof childSchema>;
export type RustcMessage = z.output<typeof messageSchema>;

/** What rustc wrote to stderr under `--error-format=json`. */
export interface RustcOutput {
  messages: RustcMessage[];
  /** Lines that are not JSON: what crashes, the loader and the jail print. */
  plain: string;
}

/** Takes rustc's stderr apart. A last line that was cut off counts as plain text. */
export function readRustcOutput(stderr: string): RustcOutput {
  const messages: RustcMessage[] = [];
  const plain: string[] = [];
  for (const line of stderr.split("\n")) {
    const message = line.startsWith("{") ? readMessage(line) : undefined;
    if (message !== undefined) messages.push(message);
    else plain.push(line);
  }
  return { messages, plain: plain.join("\n").trim() };
}

function readMessage(line: string): RustcMessage | undefined {
  try {
    return messageSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** The span, then the place that called the macro it stands in, and so on outwards. */
export function* expansionsOf(
  span: RustcSpan,
): Generator<{ span: RustcSpan; definition?: RustcSpan | undefined }> {
  let current: RustcSpan | undefined = span;
  let definition: RustcSpan | undefined;
  while (current !== undefined) {
    yield { span: current, definition };
    const outer: z.output<typeof expansionSchema> | undefined = expansionSchema.safeParse(
      current.expansion,
    ).data;
    current = outer?.span;
    definition = outer?.def_site_span;
  }
}

/** Every file that a message names in its spans. */
export function filesOf(message: RustcMessage): Set<string> {
  const files = new Set<string>();
  for (const span of [message, ...message.children].flatMap(({ spans }) => spans)) {
    for (const { span: at, definition } of expansionsOf(span)) {
      files.add(at.file_name);
      if (definition !== undefined) files.add(definition.file_name);
    }
  }
  return files;
}
