import { prologueLength } from "./rust-lexer.ts";
import type { RustcMessage } from "./rustc-messages.ts";

/*
 * Without a jail, and without dep-info, nothing tells whether rustc had read anything but the script when it stopped, and
 * messages quote what was read: `compile_error!(include_str!("…"))`. But rustc reads other files only once it expands the
 * script, and a script whose items are all switched off is parsed and never expanded. What rustc says about that one too
 * is about the script's own text.
 */

/** The same script with everything in it switched off: it parses as before, and there is nothing to expand. */
export function switchOff(source: string): string {
  const at = prologueLength(source);
  return `${source.slice(0, at)}\n#![cfg(any())]${source.slice(at)}`;
}

/** A missing crate stops rustc before it writes dep-info, and the message holds nothing but the crate's name. */
const HARMLESS = new Set(["E0463"]);

/** Those messages that rustc has, word for word, for the switched off script as well. */
export function keepSyntaxErrors(
  messages: readonly RustcMessage[],
  switchedOff: readonly RustcMessage[],
): RustcMessage[] {
  const known = new Set(switchedOff.map(wordsOf));
  return messages.filter(
    (message) =>
      message.spans.length > 0 && (known.has(wordsOf(message)) || HARMLESS.has(message.code?.code ?? "")),
  );
}

/** All that a message says besides where, and besides the lines of the script that it shows. */
function wordsOf(message: RustcMessage): string {
  return JSON.stringify(
    [message, ...message.children].map(({ message: text, spans }) => [text, spans.map(({ label }) => label)]),
  );
}
