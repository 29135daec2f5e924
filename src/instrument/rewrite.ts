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
  const concerned = [...module.bodies.entries()].filter(([, { long }]) => long.length > 0);
  const writer = createWriter(concerned.reduce((size, [, { start, end }]) => size + end - start + 16, 0));
  const operator = operatorCursor(indexSpaces(module), MODULE_BOUNDS);
  const written = concerned.map(([index, { bytes, start, end, long }]) => {
    const body = { start: writer.length, end: 0, long: [] as number[] };
    let copied = start;
    for (const at of long) {
      writeRange(writer, bytes, copied, at);
      copied = at;
      Object.assign(operator, { bytes, at, end });
      nextOperator(operator);
      const matched = matches(operator.opcode);
      if (matched) write(writer);
      if (matched && place === "instead") copied = operator.at;
      else body.long.push(writer.length);
    }
    writeRange(writer, bytes, copied, end);
    body.end = writer.length;
    return { index, body };
  });
  const { bytes } = writer;
  for (const { index, body } of written) module.bodies[index] = { ...body, bytes };
}

/** What was written, as a body of its own of which no pass wants anything. */
export function wholeBody(writer: Writer): Body {
  const bytes = writtenBytes(writer);
  return { bytes, start: 0, end: bytes.length, long: [] };
}
