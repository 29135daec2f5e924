import { indexSpaces } from "../wasm/indices.ts";
import type { Body, WasmModule } from "../wasm/module.ts";
import { type OperatorCursor, openBody, operatorCursor } from "../wasm/operator-cursor.ts";
import { nextOperator } from "../wasm/operators.ts";
import { createWriter, type Writer, writeRange, writtenBytes } from "../wasm/writer.ts";
import { MODULE_BOUNDS } from "./bounds.ts";

/** What becomes of an operator: `write` puts something before it, or in its place. */
export interface Rewrite {
  /** Whether a body has such operators: reading it again is only worth it where it does. */
  concerns(body: Body): boolean;
  matches(opcode: number): boolean;
  /** `before`: the operator stays. `instead`: it does not. */
  place: "before" | "instead";
  write(writer: Writer): void;
}

/** Rewrites operators in the bodies that are concerned. */
export function rewriteOperators(module: WasmModule, rewrite: Rewrite): void {
  const operators = operatorCursor(indexSpaces(module), MODULE_BOUNDS);
  for (const [index, body] of module.bodies.entries()) {
    if (!rewrite.concerns(body)) continue;
    const params = module.types[module.functions[index] ?? -1]?.params.length ?? 0;
    module.bodies[index] = rewriteBody(operators, body, params, rewrite);
  }
}

function rewriteBody(operators: OperatorCursor, body: Body, params: number, rewrite: Rewrite): Body {
  const writer = createWriter(body.end - body.start + 16);
  let copied = body.start;
  openBody(operators, body, params);
  while (operators.depth > 0) {
    nextOperator(operators);
    if (!rewrite.matches(operators.opcode)) continue;
    writeRange(writer, body.bytes, copied, operators.start);
    rewrite.write(writer);
    copied = rewrite.place === "before" ? operators.start : operators.at;
  }
  writeRange(writer, body.bytes, copied, body.end);
  return { ...wholeBody(writer), grows: body.grows, bulk: body.bulk };
}

/** What was written, as a body of its own without any of the operators that passes look for. */
export function wholeBody(writer: Writer): Body {
  const bytes = writtenBytes(writer);
  return { bytes, start: 0, end: bytes.length, grows: false, bulk: false };
}
