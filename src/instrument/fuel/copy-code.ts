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
  /** Those of this body that are still ahead, and have to be written anew, are `[next, last)`. */
  next: number;
  last: number;
  /** The first local's new index. */
  displaced: number;
}

export function createCopier({ at: firstLocal }: Places): CodeCopier {
  const bytes = new Uint8Array();
  return { bytes, view: new DataView(bytes.buffer), firstLocal, next: 0, last: 0, displaced: 0 };
}

/** Begins a body. Where that is enough, what it was read from is changed: the pass that calls this writes the body anew. */
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
  if (locals < ONE_BYTE) displaceInPlace(copier);
}

/** The new index takes no more bytes than the old one: it is written over it. */
function displaceInPlace(copier: CodeCopier): void {
  const { bytes, firstLocal, last, displaced } = copier;
  for (let { next } = copier; next < last; next += 1) {
    let at = (firstLocal[next] ?? 0) + 1;
    let rest = displaced;
    for (; (bytes[at] ?? 0) >= ONE_BYTE; at += 1) {
      bytes[at] = ONE_BYTE | rest;
      rest = 0;
    }
    bytes[at] = rest;
  }
  copier.next = last;
}

/** Copies `[start, end)` of the body: what begins in it ends in it. Later calls are for later code. */
export function copyCode(writer: Writer, copier: CodeCopier, start: number, end: number): void {
  if (copier.next === copier.last) copyUnchanged(writer, copier, start, end);
  else copyInPieces(writer, copier, start, end);
}

function copyInPieces(writer: Writer, copier: CodeCopier, start: number, end: number): void {
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
  while ((bytes[at] ?? 0) >= ONE_BYTE) at += 1;
  return at + 1;
}
