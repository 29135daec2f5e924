import type { ReadBounds } from "../wasm/read-bounds.ts";

/** Bytes of the largest module that is looked at. */
export const MAX_MODULE_BYTES = 16 * 1024 * 1024;

/** V8's own limit on a function body; rewriting must not lead over it either. */
export const MAX_BODY_BYTES = 7_654_321;

/**
 * Bytes that metering may make of that many bytes of code, the functions between guest and host included. Compiled code
 * becomes half as large again; a module that is made to grow could become thirty times as large, on the host side.
 */
export function mostMeteredBytes(codeBytes: number): number {
  return 1024 * 1024 + 4 * codeBytes;
}

/**
 * The most that a module may have of everything. Real modules stay far below: rustc's largest come to some ten thousand
 * functions. V8's limits are named where they are the reason; the others keep what V8 does with a module on the host side
 * (validation) in proportion to the module's size.
 */
export const MODULE_BOUNDS: Readonly<ReadBounds> = Object.freeze({
  types: 10_000,
  // V8's limit of 1,000, and fuel is one more.
  params: 999,
  results: 16,
  typeValues: 200_000,
  imports: 1_000,
  functions: 200_000,
  tables: 4,
  memories: 1,
  globals: 10_000,
  exports: 10_000,
  elementSegments: 10_000,
  elementsPerSegment: 200_000,
  dataSegments: 10_000,
  nameBytes: 4_096,
  bodyBytes: MAX_BODY_BYTES,
  // Below V8's 50,000, so that a pass may add some.
  localsPerFunction: 40_000,
  locals: 10_000_000,
  // V8's limit.
  branchTableLabels: 65_520,
  nesting: 50_000,
  blockParams: 16,
  operands: 16 * 1024 * 1024,
});
