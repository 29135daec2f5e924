import type { ReferenceType, ValueType } from "./value-types.ts";

/** A module as sections. A pass changes it in place: what it appends goes to the end of a list, so that no index moves. */
export interface WasmModule {
  types: FunctionType[];
  imports: Import[];
  /** Type indices of the functions that the module defines; their indices follow those of the imported functions. */
  functions: number[];
  tables: Table[];
  memories: Memory[];
  globals: Global[];
  exports: Export[];
  start: StartFunction | undefined;
  elements: Segment[];
  /** What the data count section says; undefined where there is none. Operators cannot name data segments without it. */
  dataCount: number | undefined;
  /** Indices of functions that something other than a call names: they may be called from anywhere. */
  addressed: Set<number>;
  /** Bodies of `functions`, in their order. */
  bodies: Body[];
  data: Segment[];
  /** The name section's module and function names; other custom sections are dropped. */
  names: Names | undefined;
}

/** A type that functions and blocks have. */
export interface FunctionType {
  params: readonly ValueType[];
  results: readonly ValueType[];
}

/** Something the module asks for. `offset` is where it stands in the input. */
export type Import = { module: string; name: string; offset: number } & ImportedItem;
export type ImportedItem =
  | { kind: "function"; typeIndex: number }
  | { kind: "table"; table: Table }
  | { kind: "memory"; memory: Memory }
  | { kind: "global"; type: ValueType; mutable: boolean };

/** Sizes in elements or pages of 64 KiB. */
export interface SizeRange {
  minimum: number;
  maximum: number | undefined;
}

export interface Table extends SizeRange {
  type: ReferenceType;
  offset: number;
}

/** A 32-bit, unshared memory: there is no other here. */
export interface Memory extends SizeRange {
  offset: number;
}

export interface Global {
  type: ValueType;
  mutable: boolean;
  /** Its constant expression as encoded, with the closing `end`. */
  init: Uint8Array;
}

export type ExternKind = "function" | "table" | "memory" | "global";

export interface Export {
  name: string;
  kind: ExternKind;
  index: number;
  offset: number;
}

export interface StartFunction {
  functionIndex: number;
  offset: number;
}

/** An element or data segment, checked and kept as it is encoded. */
export interface Segment {
  encoded: Uint8Array;
}

/**
 * A function body: `bytes[start, end)` holds the declarations of locals and the operators with the closing `end`, without
 * the size in front. Bodies share the buffer that they were read from or written to.
 */
export interface Body {
  bytes: Uint8Array;
  start: number;
  end: number;
  /** Where in `bytes` the operators are that work on ranges or grow something, in order: few, and passes look for them. */
  long: readonly number[];
}

/** Subsections of the name section, kept as they are encoded (without id and size). */
export interface Names {
  module: Uint8Array | undefined;
  functions: Uint8Array | undefined;
}

/** How many entities of each kind operators can refer to, imported ones included. */
export interface IndexSpaces {
  types: number;
  functions: number;
  tables: number;
  memories: number;
  globals: number;
  elements: number;
  data: number;
}
