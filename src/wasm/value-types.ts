import { type Cursor, readByte } from "./cursor.ts";
import { WasmFormatError } from "./format-error.ts";

/** Value types, by their encodings (core specification, section 5.3). */
export const ValueType = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
  funcref: 0x70,
  externref: 0x6f,
} as const;
export type ValueType = (typeof ValueType)[keyof typeof ValueType];
/** The value types that a table can hold. */
export type ReferenceType = typeof ValueType.funcref | typeof ValueType.externref;

/** Types that exist and are not accepted, so that a refusal can name them. */
const REFUSED_TYPES = new Map<number, string>([
  [0x78, "packed type i8 (garbage collection)"],
  [0x77, "packed type i16 (garbage collection)"],
  [0x74, "type noexn (exceptions)"],
  [0x73, "type nofunc (garbage collection)"],
  [0x72, "type noextern (garbage collection)"],
  [0x71, "type none (garbage collection)"],
  [0x6e, "type anyref (garbage collection)"],
  [0x6d, "type eqref (garbage collection)"],
  [0x6c, "type i31ref (garbage collection)"],
  [0x6b, "type structref (garbage collection)"],
  [0x6a, "type arrayref (garbage collection)"],
  [0x69, "type exnref (exceptions)"],
  [0x68, "type contref (stack switching)"],
  [0x67, "type stringref (strings)"],
  [0x65, "shared type (shared-everything threads)"],
  [0x64, "typed reference (typed function references)"],
  [0x63, "nullable typed reference (typed function references)"],
]);

/** The value type of an encoding, or undefined where it is none that is accepted. */
export function asValueType(byte: number): ValueType | undefined {
  switch (byte) {
    case ValueType.i32:
    case ValueType.i64:
    case ValueType.f32:
    case ValueType.f64:
    case ValueType.v128:
    case ValueType.funcref:
    case ValueType.externref:
      return byte;
    default:
      return undefined;
  }
}

export function readValueType(cursor: Cursor): ValueType {
  const start = cursor.at;
  const byte = readByte(cursor);
  const type = asValueType(byte);
  if (type === undefined) throw refusedType(byte, start);
  return type;
}

/** The type of a `ref.null`. It is a heap type, which is encoded like a reference type where only these two exist. */
export function readHeapType(cursor: Cursor): ReferenceType {
  const start = cursor.at;
  const byte = cursor.bytes[start] ?? 0;
  // A signed integer, as in block types: what is not negative is a type index.
  if (start < cursor.end && (byte < 0x40 || byte >= 0x80)) {
    throw new WasmFormatError("a null of a type index (typed function references) is not supported", start);
  }
  return readReferenceType(cursor);
}

/** The type of a table's elements. */
export function readReferenceType(cursor: Cursor): ReferenceType {
  const start = cursor.at;
  const byte = readByte(cursor);
  if (byte === ValueType.funcref || byte === ValueType.externref) return byte;
  if (asValueType(byte) !== undefined)
    throw new WasmFormatError("a number type stands where a reference type has to", start);
  throw refusedType(byte, start);
}

/** The error for an encoding that is no accepted value type. */
export function refusedType(byte: number, offset: number): WasmFormatError {
  const name = REFUSED_TYPES.get(byte);
  return new WasmFormatError(
    name ? `${name} is not supported` : `0x${byte.toString(16).padStart(2, "0")} is not a value type`,
    offset,
  );
}
