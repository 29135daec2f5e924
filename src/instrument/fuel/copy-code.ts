import type { Body } from "../../wasm/module.ts";
import { WORD_OVERHANG, type Writer, writeOperator, writeRange, writeWords } from "../../wasm/writer.ts";
import type { BodyPlan } from "./planner.ts";

/** Copies bodies that are not to be changed but for one thing: the guest's first local, whose index the fuel takes, gets another. */
export interface CodeCopier {
  bytes: Uint8Array;
  /** Of the same bytes. */
  view: DataView;
  /** Where operators on the first local begin, in all bodies. */
  readonly firstLocal: readonly number[];
  /** Those of this body that are still ahead are `[next, last)`. */
  next: number;
  last: number;
  /** The first local's new index. */
  displaced: number;
}

export function createCopier(firstLocal: readonly number[]): CodeCopier {
  const bytes = new Uint8Array();
  return { bytes, view: new DataView(bytes.buffer), firstLocal, next: 0, last: 0, displaced: 0 };
}

/** Begins a body. */
export function openCopy(
  copier: CodeCopier,
  { bytes }: Body,
  { firstLocal, lastLocal, locals }: BodyPlan,
): void {
  if (copier.bytes !== bytes) {
    copier.bytes = bytes;
    copier.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  copier.next = firstLocal;
  copier.last = lastLocal;
  copier.displaced = locals;
}

/** Copies `[start, end)` of the body: what begins in it ends in it. Later calls are for later code. */
export function copyCode(writer: Writer, copier: CodeCopier, start: number, end: number): void {
  const { bytes, firstLocal, last, displaced } = copier;
  let copied = start;
  let { next } = copier;
  for (; next < last; next += 1) {
    const at = firstLocal[next] ?? end;
    if (at >= end) break;
    // In code that was left out.
    if (at < start) continue;
    copyUnchanged(writer, copier, copied, at);
    writeOperator(writer, bytes[at] ?? 0, displaced);
    copied = behindIndex(bytes, at + 1);
  }
  copier.next = next;
  copyUnchanged(writer, copier, copied, end);
}

function copyUnchanged(writer: Writer, { bytes, view }: CodeCopier, start: number, end: number): void {
  if (end + WORD_OVERHANG <= bytes.length) writeWords(writer, view, start, end);
  else writeRange(writer, bytes, start, end);
}

function behindIndex(bytes: Uint8Array, start: number): number {
  let at = start;
  while ((bytes[at] ?? 0) >= 0x80) at += 1;
  return at + 1;
}
