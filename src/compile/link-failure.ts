import { type Diagnostic, ownDiagnostic } from "./diagnostics.ts";
import type { RustcMessage } from "./rustc-messages.ts";

const FAILED = /^linking with `.*` failed: /s;
const MAX_FACTS = 10;

/** What a linker says about the script, as opposed to its command line and its files. */
const FACTS: readonly RegExp[] = [
  /\bundefined symbol: [^\n]{1,300}/g,
  /\bduplicate symbol: [^\n]{1,300}/g,
  /\bfunction signature mismatch: [^\n]{1,300}/g,
  /\bimport module mismatch for symbol: [^\n]{1,300}/g,
];

/** Whether rustc says that the linker failed. */
export function isLinkFailure({ code, spans, message }: RustcMessage): boolean {
  return code === null && spans.length === 0 && FAILED.test(message);
}

/** Why the linker failed; rustc's own text is full of paths of this machine, so only what is known to be none is taken. */
export function explainLinkFailure(message: RustcMessage): Diagnostic {
  const said = linkerOutput(message);
  const facts = [...new Set(FACTS.flatMap((fact) => said.match(fact) ?? []))].slice(0, MAX_FACTS);
  const undefinedSymbol = facts.some((fact) => fact.startsWith("undefined symbol"));
  const help = "a script links Rust's standard library and wasi-libc, nothing else";
  return ownDiagnostic(
    "link-failed",
    `the script compiles, but does not link${facts.length === 0 ? "" : `: ${facts.join("; ")}`}`,
    undefinedSymbol ? { help } : {},
  );
}

/** All that rustc passes on from a linker that failed. */
export function linkerOutput({ message, children }: RustcMessage): string {
  return [message, ...children.map((child) => child.message)].join("\n");
}
