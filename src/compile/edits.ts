import type { Suggestion } from "./diagnostics.ts";

/** A replacement of a stretch of the source. */
export type Edit = Suggestion["replacements"][number];

/** Edits of one text, none of which collides with one of another suggestion. */
export interface Edits {
  /** Whether an edit of another suggestion collides with one of these. */
  collidesWith(edit: Edit): boolean;
  /** Takes an edit in; of those at one place it becomes the last. */
  add(edit: Edit): void;
  inOrder(): Iterable<Edit>;
}

/** One list would be copied at every insertion; the parts of it that are this long, hardly. */
const MAX_CHUNK = 512;

export function createEdits(): Edits {
  const chunks: Edit[][] = [[]];

  /** The chunk that an edit belongs to, the edits before it there, and the two beside it. */
  function locate(edit: Edit) {
    const comesAfter = (other: Edit | undefined) => other === undefined || byPlace(other, edit) <= 0;
    const index = Math.max(0, countWhile(chunks, ([first]) => comesAfter(first)) - 1);
    const chunk = chunks[index] ?? [];
    const place = countWhile(chunk, comesAfter);
    return { index, chunk, place, beside: [chunk[place - 1], chunk[place] ?? chunks[index + 1]?.[0]] };
  }

  return {
    // They do not collide with each other, so those next to its place decide.
    collidesWith: (edit) => locate(edit).beside.some((other) => other !== undefined && collide(edit, other)),
    add(edit) {
      const { index, chunk, place } = locate(edit);
      chunk.splice(place, 0, edit);
      if (chunk.length > MAX_CHUNK) chunks.splice(index + 1, 0, chunk.splice(MAX_CHUNK / 2));
    },
    *inOrder() {
      for (const chunk of chunks) yield* chunk;
    },
  };
}

/** For sorting edits by their places in the text. */
export function byPlace(a: Edit, b: Edit): number {
  return a.byteStart - b.byteStart || a.byteEnd - b.byteEnd;
}

/** How many items at the beginning of a list hold; none behind the first that does not hold may. */
export function countWhile<Item>(items: readonly Item[], holds: (item: Item) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(items[middle] as Item)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Overlapping edits of two suggestions collide, and so does an insertion with anything at its place: each was meant for the
 * text as it was. Only whole lines at one place stand beside each other: that is how imports are added.
 */
function collide(a: Edit, b: Edit): boolean {
  if (isInsertion(a) && isInsertion(b))
    return a.byteStart === b.byteStart && !(isWholeLines(a) && isWholeLines(b));
  if (isInsertion(a) || isInsertion(b)) return a.byteStart <= b.byteEnd && b.byteStart <= a.byteEnd;
  return a.byteStart < b.byteEnd && b.byteStart < a.byteEnd;
}

function isInsertion({ byteStart, byteEnd }: Edit): boolean {
  return byteStart === byteEnd;
}

function isWholeLines({ text }: Edit): boolean {
  return text.endsWith("\n");
}
