/** What the caps of a run mean for its module. */
export interface ModuleCaps {
  /** Bytes of linear memory, rounded down to pages of 64 KiB. */
  memoryBytes: number;
  /** Elements of each table. */
  tableElements: number;
}

/** Bytes of a page of linear memory. */
export const PAGE_BYTES = 65_536;

/** The most pages that a 32-bit memory can have. */
const MAX_PAGES = 65_536;
/** V8's limit on a table. */
const MAX_TABLE_ELEMENTS = 10_000_000;

/** Pages that a memory may have at most. */
export function pageCap({ memoryBytes }: ModuleCaps): number {
  return Math.min(Math.floor(wholeNumber(memoryBytes, "memoryBytes") / PAGE_BYTES), MAX_PAGES);
}

/** Elements that a table may have at most. */
export function elementCap({ tableElements }: ModuleCaps): number {
  return Math.min(wholeNumber(tableElements, "tableElements"), MAX_TABLE_ELEMENTS);
}

/** A NaN would pass every comparison below: a cap that is no number must not mean "no cap". */
function wholeNumber(value: number, name: string): number {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${name} must be a whole number, not ${value}`);
  return value;
}
