import type { FunctionType } from "../../../src/wasm/module.ts";
import { Opcode } from "../../../src/wasm/opcodes.ts";
import { ValueType } from "../../../src/wasm/value-types.ts";
import { leb, vector } from "../../wasm/binary.ts";

/** A whole number of up to 64 bits in signed LEB128. */
export function signedLeb(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (;;) {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    if (rest === (byte & 0x40 ? -1n : 0n)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

export function encodeType({ params, results }: FunctionType): number[] {
  return [0x60, ...valueTypes(params), ...valueTypes(results)];
}

function valueTypes(types: readonly ValueType[]): number[] {
  return vector(types.map((type) => [type]));
}

/** An opcode, with its prefix where it has one. */
export function encodeOpcode(opcode: number): number[] {
  return opcode > 0xff ? [opcode >> 8, ...leb(opcode & 0xff)] : [opcode];
}

export function i32Const(value: number): number[] {
  return [Opcode.i32Const, ...signedLeb(value | 0)];
}

/** A constant of that type, made from a small number. */
export function constantOf(type: ValueType, value: number): number[] {
  switch (type) {
    case ValueType.i32:
      return i32Const(value);
    case ValueType.i64:
      return [Opcode.i64Const, ...signedLeb(value)];
    case ValueType.f32:
      return [Opcode.f32Const, ...new Uint8Array(new Float32Array([value]).buffer)];
    case ValueType.f64:
      return [Opcode.f64Const, ...new Uint8Array(new Float64Array([value]).buffer)];
    case ValueType.v128:
      return [...encodeOpcode(Opcode.v128Const), ...new Uint8Array(16).fill(value & 0xff)];
    default:
      return [Opcode.refNull, type];
  }
}
