import type { StructuredPatch } from "diff";

const NAME = "script.rs";
const CONTEXT_LINES = 3;
/**
 * Up to these numbers of lines, and of lines removed and added, the shortest diff is looked for. That takes time by their
 * product, and whoever wrote the script decides on both.
 */
const MAX_LINES = 50_000;
const MAX_CHANGED_LINES = 1_000;

/** A unified diff between two texts. Where they are very long, or differ in very many lines, it is right but not the shortest. */
export async function unifiedDiff(before: string, after: string): Promise<string> {
  // Most scripts are never corrected, and whoever waits for one of those need not wait for this.
  const { FILE_HEADERS_ONLY, formatPatch, structuredPatch } = await import("diff");
  const [old, now] = [linesOf(before), linesOf(after)];
  const options = { context: CONTEXT_LINES, maxEditLength: MAX_CHANGED_LINES };
  const shortest =
    Math.max(old.length, now.length) > MAX_LINES
      ? undefined
      : structuredPatch(NAME, NAME, before, after, undefined, undefined, options);
  return formatPatch(shortest ?? singlePatch(old, now), FILE_HEADERS_ONLY);
}

/** All from the first line that differs to the last, in one piece. */
function singlePatch(old: readonly string[], now: readonly string[]): StructuredPatch {
  const shortest = Math.min(old.length, now.length);
  let [head, tail] = [0, 0];
  while (head < shortest && old[head] === now[head]) head += 1;
  while (tail < shortest - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  const start = Math.max(0, head - CONTEXT_LINES);
  const cut = Math.max(0, tail - CONTEXT_LINES);
  const lines = [
    ...marked(" ", old.slice(start, head)),
    ...marked("-", old.slice(head, old.length - tail)),
    ...marked("+", now.slice(head, now.length - tail)),
    ...marked(" ", old.slice(old.length - tail, old.length - cut)),
  ];
  const [oldLines, newLines] = [old.length - cut - start, now.length - cut - start];
  return {
    oldFileName: NAME,
    newFileName: NAME,
    oldHeader: undefined,
    newHeader: undefined,
    hunks: [{ oldStart: start + 1, oldLines, newStart: start + 1, newLines, lines }],
  };
}

function marked(mark: string, lines: readonly string[]): string[] {
  return lines.flatMap((line) =>
    line.endsWith("\n") ? [mark + line.slice(0, -1)] : [mark + line, "\\ No newline at end of file"],
  );
}

/** Lines with their ends; the last may have none. */
function linesOf(text: string): string[] {
  const lines = text.split("\n");
  const last = lines.pop() ?? "";
  return [...lines.map((line) => `${line}\n`), ...(last === "" ? [] : [last])];
}
