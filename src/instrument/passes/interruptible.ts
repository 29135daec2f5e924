import { appendFunction, internType } from "../../wasm/append.ts";
import { Opcode } from "../../wasm/opcodes.ts";
import { createWriter, writeByte, writeU32 } from "../../wasm/writer.ts";
import type { Pass } from "../pass.ts";
import { rewriteOperators, wholeBody } from "../rewrite.ts";

/** Operators whose work grows with an operand. */
const LONG_OPERATORS: ReadonlySet<number> = new Set([
  Opcode.memoryInit,
  Opcode.memoryCopy,
  Opcode.memoryFill,
  Opcode.tableInit,
  Opcode.tableCopy,
  Opcode.tableGrow,
  Opcode.tableFill,
]);

/**
 * Calls an empty function before each bulk operator. V8's first compiler looks for a request to end at the entry of a
 * function, but in a loop only every so many bytes of code, not every so much work: without this a thread in a loop of
 * large `memory.fill` hears of nothing for minutes, and a worker cell could not be ended.
 */
export const interruptible: Pass = (module) => {
  const empty = createWriter(2);
  writeU32(empty, 0); // no locals
  writeByte(empty, Opcode.end);
  const listen = appendFunction(module, internType(module, { params: [], results: [] }), wholeBody(empty));
  rewriteOperators(module, {
    matches: (opcode) => LONG_OPERATORS.has(opcode),
    place: "before",
    write(writer) {
      writeByte(writer, Opcode.call);
      writeU32(writer, listen);
    },
  });
};
