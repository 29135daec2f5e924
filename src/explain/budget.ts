/** A part of the text. */
export interface Part {
  /** Stands above the lines, and is left out with the last of them. */
  title?: string;
  /** Each makes sense with those before it, so that what is cut is cut after any of them. */
  lines: readonly string[];
  /** Said instead where there is no room for all lines; if there is none for this either, nothing is said. */
  brief?: readonly string[];
  /** How many of the things that `more` speaks of are in this part. Default 0. */
  counts?: number;
}

const CUT = "(cut: there is more)";

/**
 * As many of the parts, the most important ones first, as `maxCharacters` has room for, with blank lines between. What is missing
 * is told at the end: by `more`, given the number of the things counted that are not shown, and by a line where anything was cut.
 */
export function fitParts(
  parts: readonly [Part, ...Part[]],
  maxCharacters: number,
  more: (left: number) => string | undefined = () => undefined,
): string {
  const total = parts.reduce((sum, { counts = 0 }) => sum + counts, 0);
  // Reserved from the start, so that there is always room to say that something is missing.
  let room = maxCharacters - lengthOf([CUT, more(total) ?? ""]);
  const shown: Array<readonly string[]> = [];
  let counted = 0;
  let cut = false;
  for (const part of parts) {
    const kept = shown.length === 0 ? headOf(part, room) : fitPart(part, room);
    cut ||= kept.length < part.lines.length + (part.title === undefined ? 0 : 1);
    if (kept.length === 0) continue;
    room -= lengthOf(kept);
    shown.push(kept);
    counted += part.counts ?? 0;
  }
  const left = more(total - counted);
  const tail = [...(left === undefined ? [] : [left]), ...(cut ? [CUT] : [])];
  return [...shown, tail]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

/** Without the first line of all the others mean nothing: it is there, as much of it as there is room for. */
function headOf(part: Part, room: number): readonly string[] {
  const kept = fitPart(part, room);
  return kept.length > 0 ? kept : [(part.lines[0] ?? "").slice(0, room - 2)];
}

function fitPart({ title, lines, brief }: Part, room: number): readonly string[] {
  const above = title === undefined ? [] : [title];
  const whole = [...above, ...lines];
  if (lengthOf(whole) <= room) return whole;
  if (brief !== undefined) return lengthOf(brief) <= room ? brief : [];
  const count = countWithin(lines, room - lengthOf(above));
  return count === 0 ? [] : [...above, ...lines.slice(0, count)];
}

/** Characters of lines with their ends and the blank line after them. */
function lengthOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length + 1, 1);
}

/** How many lines have room, with the blank line after them. */
function countWithin(lines: readonly string[], room: number): number {
  let length = 1;
  let count = 0;
  for (const line of lines) {
    length += line.length + 1;
    if (length > room) break;
    count++;
  }
  return count;
}
