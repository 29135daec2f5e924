import type { Diagnostic } from "../compile/diagnostics.ts";
import { styled } from "./print.ts";
import { visible } from "./terminal.ts";

const COLOURS = {
  error: ["bold", "red"],
  warning: ["bold", "yellow"],
  note: ["bold", "green"],
  help: ["bold", "cyan"],
} as const;

/** Prints diagnostics to stderr as rustc renders them. */
export function printDiagnostics(diagnostics: readonly Diagnostic[]): void {
  for (const { level, rendered } of diagnostics) {
    const text = visible(rendered.trimEnd());
    const head = /^[a-z]+(?:\[\w+\])?(?=:)/.exec(text)?.[0] ?? "";
    process.stderr.write(`${head && styled([...COLOURS[level]], head)}${text.slice(head.length)}\n\n`);
  }
}

/** `2 errors, 1 warning`. */
export function countDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const counts = (["error", "warning"] as const).map((level) => {
    const count = diagnostics.filter((diagnostic) => diagnostic.level === level).length;
    return count === 0 ? "" : `${count} ${level}${count === 1 ? "" : "s"}`;
  });
  return counts.filter((text) => text !== "").join(", ");
}
