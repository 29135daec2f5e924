import { indexSpaces } from "../wasm/indices.ts";
import type { Body, WasmModule } from "../wasm/module.ts";
import { type OperatorCursor, openBody, operatorCursor } from "../wasm/operator-cursor.ts";
import { nextOperator } from "../wasm/operators.ts";
import { skipComputing } from "../wasm/skip-computing.ts";
import { createWriter, type Writer, writeRange, writtenBytes } from "../wasm/writer.ts";
import { MODULE_BOUNDS } from "./bounds.ts";

/** No operator is kept from being passed over for the local it works on. */
const NO_LOCAL = -1;

/** What becomes of an operator: `write` puts something before it, or in its place. */
export interface Rewrite {
  /** Whether a body has such operators: reading it again is only worth it where it does. */
  concerns(body: Body): boolean;
  /** Not asked for operators that only compute (see {@link skipComputing}). */
  matches(opcode: number): boolean;
  /** `before`: the operator stays. `instead`: it does not. */
  place: "before" | "instead";
  write(writer: Writer): void;
}

/** Rewrites operators in the bodies that are concerned. What is written goes to one buffer: bodies may be very many. */
export function rewriteOperators(module: WasmModule, rewrite: Rewrite): void {
  const concerned = module.bodies.flatMap((body, index) => (rewrite.concerns(body) ? [{ body, index }] : []));
  const writer = createWriter(concerned.reduce((size, { body }) => size + body.end - body.start + 16, 0));
  const operators = operatorCursor(indexSpaces(module), MODULE_BOUNDS);
  const ranges = concerned.map(({ body, index }) => {
    const start = writer.length;
    openBody(operators, body, module.types[module.functions[index] ?? -1]?.params.length ?? 0);
    writeRewritten(writer, operators, body, rewrite);
    return { start, end: writer.length };
  });
  const { bytes } = writer;
  for (const [position, { body, index }] of concerned.entries()) {
    module.bodies[index] = { ...body, ...ranges[position], bytes };
  }
}

function writeRewritten(writer: Writer, operators: OperatorCursor, body: Body, rewrite: Rewrite): void {
  let copied = body.start;
  while (operators.depth > 0) {
    skipComputing(operators, NO_LOCAL);
    nextOperator(operators);
    if (!rewrite.matches(operators.opcode)) continue;
    writeRange(writer, body.bytes, copied, operators.start);
    rewrite.write(writer);
    copied = rewrite.place === "before" ? operators.start : operators.at;
  }
  writeRange(writer, body.bytes, copied, body.end);
}

/** What was written, as a body of its own without any of the operators that passes look for. */
export function wholeBody(writer: Writer): Body {
  const bytes = writtenBytes(writer);
  return { bytes, start: 0, end: bytes.length, grows: false, bulk: false };
}
