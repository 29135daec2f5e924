import { indexSpaces } from "../wasm/indices.ts";
import type { Body, WasmModule } from "../wasm/module.ts";
import { operatorCursor } from "../wasm/operator-cursor.ts";
import { nextOperator } from "../wasm/operators.ts";
import { createWriter, type Writer, writeRange, writtenBytes } from "../wasm/writer.ts";
import { MODULE_BOUNDS } from "./bounds.ts";

/** What becomes of an operator that works on a range or grows something: `write` puts something before it, or in its place. */
export interface Rewrite {
  matches(opcode: number): boolean;
  /** `before`: the operator stays. `instead`: it does not. */
  place: "before" | "instead";
  write(writer: Writer): void;
}

/** Rewrites operators that are {@link Body.long}. What is written goes to one buffer: bodies may be very many. */
export function rewriteOperators(module: WasmModule, { matches, place, write }: Rewrite): void {
  const operator = operatorCursor(indexSpaces(module), MODULE_BOUNDS);
  const readAt = ({ bytes, end }: Body, at: number): number => {
    operator.bytes = bytes;
    operator.at = at;
    operator.end = end;
    nextOperator(operator);
    return operator.opcode;
  };
  const concerned: [index: number, body: Body][] = [];
  // Hardly any body has such an operator: this is asked of very many.
  for (let index = 0; index < module.bodies.length; index += 1) {
    const body = module.bodies[index];
    if (body === undefined || body.long.length === 0) continue;
    if (body.long.some((at) => matches(readAt(body, at)))) concerned.push([index, body]);
  }
  const writer = createWriter(concerned.reduce((size, [, { start, end }]) => size + end - start + 16, 0));
  const rewritten = concerned.map(([index, body]) => {
    const start = writer.length;
    const long: number[] = [];
    let copied = body.start;
    for (const at of body.long) {
      writeRange(writer, body.bytes, copied, at);
      copied = at;
      const matched = matches(readAt(body, at));
      if (matched) write(writer);
      if (matched && place === "instead") copied = operator.at;
      else long.push(writer.length);
    }
    writeRange(writer, body.bytes, copied, body.end);
    return { index, start, end: writer.length, long };
  });
  const { bytes } = writer;
  for (const { index, ...body } of rewritten) module.bodies[index] = { ...body, bytes };
}

/** What was written, as a body of its own of which no pass wants anything. */
export function wholeBody(writer: Writer): Body {
  const bytes = writtenBytes(writer);
  return { bytes, start: 0, end: bytes.length, long: [] };
}
