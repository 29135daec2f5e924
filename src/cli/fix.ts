import { isatty } from "node:tty";
import type { Fix } from "../compile/fix.ts";
import { nameOf } from "./input.ts";
import { printNote, styled } from "./print.ts";
import { visible } from "./terminal.ts";

const COLOURS: Readonly<Record<string, "red" | "green" | "cyan">> = { "-": "red", "+": "green", "@": "cyan" };

/** Tells a person on stderr what `--fix` has changed. */
export function printFix(file: string, { diff, applied }: Fix): void {
  process.stderr.write(forTerminal(diff, process.stderr));
  const count = `${applied.length} correction${applied.length === 1 ? "" : "s"}`;
  printNote(`${nameOf(file)} itself is as it was: ${count} applied to what was compiled`);
}

/** Writes the diff of `--fix` to stdout: for `patch` as it is, for a person coloured and without control characters. */
export function printDiff({ diff }: Fix): void {
  process.stdout.write(isatty(1) ? forTerminal(diff, process.stdout) : diff);
}

function forTerminal(diff: string, stream: NodeJS.WriteStream): string {
  return diff
    .split("\n")
    .map((line) => {
      const colour = COLOURS[line[0] ?? ""];
      // A carriage return before the end of a line would let the rest cover what was changed.
      const text = visible(line.replace(/\r(?!$)/g, "\u240d"));
      return colour === undefined ? text : styled(colour, text, stream);
    })
    .join("\n");
}
