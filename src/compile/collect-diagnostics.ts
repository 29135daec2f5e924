import { type Diagnostic, ownDiagnostic } from "./diagnostics.ts";
import { addHint } from "./hints.ts";
import { explainLinkFailure, isLinkFailure } from "./link-failure.ts";
import { filesOf, type RustcMessage } from "./rustc-messages.ts";
import { clip, type Presentation, translateMessage } from "./translate-message.ts";

const MAX_DIAGNOSTICS = 100;
/** Room for the closing diagnostic. */
const CLOSING_BYTES = 1_024;
const SLIM_LENGTH = 200;

/** What rustc says at the end of a compile, which the list of diagnostics says by itself. */
const CLOSING =
  /^(?:aborting due to |\d+ warnings? emitted|For more information about |Some errors have detailed )/;

/** The standard library's own sources: a path that rustc was built with, or that of the component `rust-src`. */
const STANDARD_LIBRARY =
  /\/library\/(?:alloc|core|panic_abort|panic_unwind|proc_macro|std|test|unwind)\/src\//;

/** Whether a message shows any part of a file that is neither the script nor the standard library. */
export function showsForeignFile(message: RustcMessage, script: string): boolean {
  return [...filesOf(message)].some((file) => file !== script && !STANDARD_LIBRARY.test(file));
}

/** rustc's messages as diagnostics, without its closing words and without anything that only concerns this machine. */
export function translateMessages(
  messages: readonly RustcMessage[],
  presentation: Presentation,
): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const message of messages) {
    if (message.level === "failure-note" || isClosing(message) || isAboutLinker(message)) continue;
    diagnostics.push(
      isLinkFailure(message) ? explainLinkFailure(message) : addHint(translateMessage(message, presentation)),
    );
  }
  return diagnostics;
}

function isClosing({ code, spans, message }: RustcMessage): boolean {
  return code === null && spans.length === 0 && CLOSING.test(message);
}

/** Warnings of the linker are about its command line. */
function isAboutLinker({ code }: RustcMessage): boolean {
  return code?.code === "linker_messages" || code?.code === "linker_info";
}

/**
 * At most 100 diagnostics and `maxBytes` of JSON, in the order they came, errors before all else; where some are left out,
 * a last one says how many. At least one error stays if there was one.
 */
export function boundDiagnostics(all: readonly Diagnostic[], maxBytes: number): Diagnostic[] {
  const kept = new Map<number, Diagnostic>();
  let bytes = CLOSING_BYTES;
  for (const wanted of ["errors", "the rest"]) {
    for (const [i, diagnostic] of all.entries()) {
      if ((diagnostic.level === "error") !== (wanted === "errors") || kept.size === MAX_DIAGNOSTICS) continue;
      const fitting = bytes + sizeOf(diagnostic) <= maxBytes ? diagnostic : slim(diagnostic);
      bytes += sizeOf(fitting);
      if (bytes > maxBytes && kept.size > 0) break;
      kept.set(i, fitting);
    }
  }
  const shown = [...kept].sort(([a], [b]) => a - b).map(([, diagnostic]) => diagnostic);
  return kept.size === all.length ? shown : [...shown, describeOmission(all.filter((_, i) => !kept.has(i)))];
}

function sizeOf(diagnostic: Diagnostic): number {
  return Buffer.byteLength(JSON.stringify(diagnostic));
}

function slim({ level, code, message, rendered }: Diagnostic): Diagnostic {
  const texts = { message: clip(message, SLIM_LENGTH), rendered: clip(rendered, SLIM_LENGTH) };
  return { level, ...(code !== undefined && { code }), ...texts, spans: [], children: [], suggestions: [] };
}

function describeOmission(omitted: readonly Diagnostic[]): Diagnostic {
  const errors = omitted.filter(({ level }) => level === "error").length;
  const counts = `${errors} more errors and ${omitted.length - errors} more warnings`;
  return ownDiagnostic("diagnostics-truncated", `${counts} are not shown`, {
    level: "note",
    help: "correct the errors above first: later ones often follow from them",
  });
}
