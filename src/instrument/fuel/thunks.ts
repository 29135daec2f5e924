import type { Body, FunctionType } from "../../wasm/module.ts";
import { Opcode } from "../../wasm/opcodes.ts";
import { createWriter, type Writer, writeByte, writeU32 } from "../../wasm/writer.ts";
import { wholeBody } from "../rewrite.ts";

/** A function as the world outside knows it, around one that gets and gives back fuel. */
export function withoutFuel({ params }: FunctionType, functionIndex: number, global: number): Body {
  return body((write) => {
    for (const local of params.keys()) write(Opcode.localGet, local);
    write(Opcode.globalGet, global);
    write(Opcode.call, functionIndex);
    write(Opcode.globalSet, global);
  });
}

/** A function that gets and gives back fuel, around an imported one: only such functions can be called through a table. */
export function withFuel({ params }: FunctionType, functionIndex: number, global: number): Body {
  return body((write) => {
    write(Opcode.localGet, params.length);
    write(Opcode.globalSet, global);
    for (const local of params.keys()) write(Opcode.localGet, local);
    write(Opcode.call, functionIndex);
    write(Opcode.localGet, params.length);
  });
}

function body(fill: (write: (opcode: number, index: number) => void) => void): Body {
  const writer: Writer = createWriter(64);
  writeU32(writer, 0); // no locals
  fill((opcode, index) => {
    writeByte(writer, opcode);
    writeU32(writer, index);
  });
  writeByte(writer, Opcode.end);
  return wholeBody(writer);
}
