import type { Body } from "../../wasm/module.ts";
import type { Places } from "../../wasm/places.ts";
import { WORD_OVERHANG, type Writer, writeOperator, writeRange, writeWords } from "../../wasm/writer.ts";
import type { BodyPlan } from "./planner.ts";

/** Indices from here on take more than a byte. */
const ONE_BYTE = 0x80;

/** Copies bodies that are not to be changed but for one thing: the guest's first local, whose index the fuel takes, gets another. */
export interface CodeCopier {
  bytes: Uint8Array;
  /** Of the same bytes. */
  view: DataView;
  /** Where operators on the first local begin, in all bodies. */
  readonly firstLocal: Int32Array;
  /** Those of this body that are still ahead are `[next, last)`. */
  next: number;
  last: number;
  /** The first local's new index. */
  displaced: number;
}

export function createCopier({ at: firstLocal }: Places): CodeCopier {
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
  if (copier.displaced < ONE_BYTE) copyAndPatch(writer, copier, start, end);
  else copyInPieces(writer, copier, start, end);
}

/** The new index takes no more bytes than the old one: it is written over it. */
function copyAndPatch(writer: Writer, copier: CodeCopier, start: number, end: number): void {
  const { bytes, firstLocal, last, displaced } = copier;
  const shift = writer.length - start;
  copyUnchanged(writer, copier, start, end);
  const copy = writer.bytes;
  let { next } = copier;
  for (; next < last; next += 1) {
    const at = firstLocal[next] ?? end;
    if (at >= end) break;
    // In code that was left out.
    if (at < start) continue;
    let index = at + 1;
    let rest = displaced;
    for (; (bytes[index] ?? 0) >= ONE_BYTE; index += 1) {
      copy[shift + index] = ONE_BYTE | rest;
      rest = 0;
    }
    copy[shift + index] = rest;
  }
  copier.next = next;
}

function copyInPieces(writer: Writer, copier: CodeCopier, start: number, end: number): void {
  const { bytes, firstLocal, last, displaced } = copier;
  let copied = start;
  let { next } = copier;
  for (; next < last; next += 1) {
    const at = firstLocal[next] ?? end;
    if (at >= end) break;
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
  while ((bytes[at] ?? 0) >= ONE_BYTE) at += 1;
  return at + 1;
}
