import { ValueType } from "../../../src/wasm/value-types.ts";

/** Operators without immediates, by what they leave: their opcode and what they take. */
type PlainOperator = readonly [opcode: number, ...params: readonly ValueType[]];

const { i32, i64, f32, f64, v128, funcref, externref } = ValueType;

/**
 * None of them makes a NaN of its own: engines are free in the bits of those, and so two runs of one module may differ.
 * Divisions and conversions that trap are among them.
 */
export const PLAIN_OPERATORS: Readonly<Record<ValueType, readonly PlainOperator[]>> = {
  [i32]: [
    ...both(i32, [0x6a, 0x6b, 0x6c, 0x6d, 0x70, 0x71, 0x72, 0x73, 0x74, 0x77, 0x46, 0x48]),
    ...both(i64, [0x51, 0x54, 0x59]),
    ...both(f64, [0x61, 0x63]),
    [0x45, i32],
    [0x67, i32],
    [0xc0, i32],
    [0x50, i64],
    [0xa7, i64],
    [0xa9, f32],
    [0xbc, f32],
    [0xfc02, f64],
    [0xfc01, f32],
    [0xd1, funcref],
    [0xd1, externref],
    [0xfd53, v128],
  ],
  [i64]: [
    ...both(i64, [0x7c, 0x7d, 0x7e, 0x7f, 0x82, 0x83, 0x84, 0x86, 0x8a]),
    [0xac, i32],
    [0xad, i32],
    [0xc4, i64],
    [0xbd, f64],
    [0xb0, f64],
    [0xfc06, f64],
  ],
  [f32]: [
    [0x8b, f32],
    [0x8c, f32],
    [0x98, f32, f32],
    [0xb2, i32],
    [0xb5, i64],
  ],
  [f64]: [
    [0x99, f64],
    [0x9a, f64],
    [0xa6, f64, f64],
    [0xb7, i32],
    [0xba, i64],
  ],
  [v128]: [
    ...both(v128, [0xfd0e, 0xfd4e, 0xfd50, 0xfd51, 0xfd6e, 0xfdae]),
    [0xfd0f, i32],
    [0xfd12, i64],
    [0xfd4d, v128],
    [0xfd52, v128, v128, v128],
  ],
  [funcref]: [],
  [externref]: [],
};

function both(type: ValueType, opcodes: readonly number[]): PlainOperator[] {
  return opcodes.map((opcode) => [opcode, type, type]);
}
