/**
 * Text for a terminal from a program that nobody trusts. Escape sequences can retitle a window, write its clipboard, or
 * make it type an answer into the shell: all control characters but line ends and tabs are shown instead of sent,
 * and of the sequences only colours pass.
 */

const ESCAPE = "\u001b";
const COLOUR = `${ESCAPE}\\[[0-9;:]{0,64}m`;
const HARMLESS = new Set(["\n", "\r", "\t"]);

const controls = /\p{Cc}/gu;
const coloursAndControls = new RegExp(`${COLOUR}|\\p{Cc}`, "gu");
/** The beginning of what may become a colour with the next chunk. */
const unfinishedColour = new RegExp(`${ESCAPE}(?:\\[[0-9;:]{0,64})?$`, "u");

/** One line or more of text, with every control character but line ends and tabs made visible. */
export function visible(text: string): string {
  return text.replace(controls, show);
}

/** The same for a stream of bytes, which may be coloured. Characters and colours may be split between chunks. */
export class TerminalFilter {
  readonly #decoder = new TextDecoder();
  #held = "";
  #coloured = false;

  push(chunk: Uint8Array): string {
    const text = this.#held + this.#decoder.decode(chunk, { stream: true });
    const unfinished = unfinishedColour.exec(text);
    this.#held = unfinished?.[0] ?? "";
    return this.#clean(text.slice(0, text.length - this.#held.length));
  }

  /** What was held back, and the terminal's own colour again. */
  end(): string {
    const rest = this.#clean(this.#held + this.#decoder.decode());
    this.#held = "";
    return this.#coloured ? `${rest}${ESCAPE}[0m` : rest;
  }

  #clean(text: string): string {
    return text.replace(coloursAndControls, (match) => {
      if (match.length === 1) return show(match);
      this.#coloured = true;
      return match;
    });
  }
}

/** The Unicode picture of a C0 control or DEL; an escape for those of C1, which have none. */
function show(control: string): string {
  if (HARMLESS.has(control)) return control;
  const code = control.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "\u2421" : `\\u{${code.toString(16)}}`;
}
