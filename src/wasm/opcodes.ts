/** Opcodes that the reader or a pass speaks of. Prefixed ones are `prefix << 8 | number` (core specification, section 5.4). */
export const Opcode = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  f32Const: 0x43,
  f64Const: 0x44,
  i32Eq: 0x46,
  i32Ne: 0x47,
  i64LtS: 0x53,
  i64ExtendI32U: 0xad,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64Mul: 0x7e,
  refNull: 0xd0,
  refFunc: 0xd2,
  memoryInit: 0xfc08,
  dataDrop: 0xfc09,
  memoryCopy: 0xfc0a,
  memoryFill: 0xfc0b,
  tableInit: 0xfc0c,
  tableCopy: 0xfc0e,
  tableGrow: 0xfc0f,
  tableFill: 0xfc11,
  v128Const: 0xfd0c,
} as const;

/** What follows an opcode. */
export const Immediates = {
  /** No such operator here. */
  refused: 0,
  none: 1,
  blockType: 2,
  /** `end`: closes a block. */
  end: 3,
  label: 4,
  labelTable: 5,
  function: 6,
  typeAndTable: 7,
  local: 8,
  global: 9,
  table: 10,
  memoryArgument: 11,
  memory: 12,
  i32: 13,
  i64: 14,
  f32: 15,
  f64: 16,
  selectTypes: 17,
  heapType: 18,
  prefixBulk: 19,
  prefixVector: 20,
  dataAndMemory: 21,
  data: 22,
  twoMemories: 23,
  elementAndTable: 24,
  element: 25,
  twoTables: 26,
  v128: 27,
  lane: 28,
  memoryArgumentAndLane: 29,
  shuffle: 30,
} as const;

type Row = readonly [first: number, last: number, immediates: number];

const PLAIN: readonly Row[] = [
  [0x00, 0x01, Immediates.none],
  [0x02, 0x04, Immediates.blockType],
  [0x05, 0x05, Immediates.none],
  [0x0b, 0x0b, Immediates.end],
  [0x0c, 0x0d, Immediates.label],
  [0x0e, 0x0e, Immediates.labelTable],
  [0x0f, 0x0f, Immediates.none],
  [0x10, 0x10, Immediates.function],
  [0x11, 0x11, Immediates.typeAndTable],
  [0x12, 0x12, Immediates.function],
  [0x13, 0x13, Immediates.typeAndTable],
  [0x1a, 0x1b, Immediates.none],
  [0x1c, 0x1c, Immediates.selectTypes],
  [0x20, 0x22, Immediates.local],
  [0x23, 0x24, Immediates.global],
  [0x25, 0x26, Immediates.table],
  [0x28, 0x3e, Immediates.memoryArgument],
  [0x3f, 0x40, Immediates.memory],
  [0x41, 0x41, Immediates.i32],
  [0x42, 0x42, Immediates.i64],
  [0x43, 0x43, Immediates.f32],
  [0x44, 0x44, Immediates.f64],
  [0x45, 0xc4, Immediates.none],
  [0xd0, 0xd0, Immediates.heapType],
  [0xd1, 0xd1, Immediates.none],
  [0xd2, 0xd2, Immediates.function],
  [0xfc, 0xfc, Immediates.prefixBulk],
  [0xfd, 0xfd, Immediates.prefixVector],
];

/** After 0xfc: saturating conversions, bulk memory and table operators. */
const BULK: readonly Row[] = [
  [0x00, 0x07, Immediates.none],
  [0x08, 0x08, Immediates.dataAndMemory],
  [0x09, 0x09, Immediates.data],
  [0x0a, 0x0a, Immediates.twoMemories],
  [0x0b, 0x0b, Immediates.memory],
  [0x0c, 0x0c, Immediates.elementAndTable],
  [0x0d, 0x0d, Immediates.element],
  [0x0e, 0x0e, Immediates.twoTables],
  [0x0f, 0x11, Immediates.table],
];

/** After 0xfd: 128-bit vectors. The gaps are numbers that the specification leaves free. */
const VECTOR: readonly Row[] = [
  [0x00, 0x0b, Immediates.memoryArgument],
  [0x0c, 0x0c, Immediates.v128],
  [0x0d, 0x0d, Immediates.shuffle],
  [0x0e, 0x14, Immediates.none],
  [0x15, 0x22, Immediates.lane],
  [0x23, 0x53, Immediates.none],
  [0x54, 0x5b, Immediates.memoryArgumentAndLane],
  [0x5c, 0x5d, Immediates.memoryArgument],
  [0x5e, 0x99, Immediates.none],
  [0x9b, 0xa1, Immediates.none],
  [0xa3, 0xa4, Immediates.none],
  [0xa7, 0xae, Immediates.none],
  [0xb1, 0xb1, Immediates.none],
  [0xb5, 0xba, Immediates.none],
  [0xbc, 0xc1, Immediates.none],
  [0xc3, 0xc4, Immediates.none],
  [0xc7, 0xce, Immediates.none],
  [0xd1, 0xd1, Immediates.none],
  [0xd5, 0xe1, Immediates.none],
  [0xe3, 0xed, Immediates.none],
  [0xef, 0xff, Immediates.none],
];

function table(rows: readonly Row[]): Uint8Array {
  const kinds = new Uint8Array(256);
  for (const [first, last, immediates] of rows) kinds.fill(immediates, first, last + 1);
  return kinds;
}

/** Immediates by opcode byte, and by the number after each prefix. */
export const PLAIN_IMMEDIATES = table(PLAIN);
export const BULK_IMMEDIATES = table(BULK);
export const VECTOR_IMMEDIATES = table(VECTOR);

const REFUSED: ReadonlyArray<readonly [first: number, last: number, proposal: string]> = [
  [0x06, 0x0a, "exceptions"],
  [0x14, 0x15, "typed function references"],
  [0x18, 0x19, "exceptions"],
  [0x1f, 0x1f, "exceptions"],
  [0xd3, 0xd3, "garbage collection"],
  [0xd4, 0xd6, "typed function references"],
  [0xe0, 0xe6, "stack switching"],
  [0xfb, 0xfb, "garbage collection"],
  [0xfe, 0xfe, "threads"],
];

/** The same for the numbers after a prefix. */
const REFUSED_AFTER_PREFIX: ReadonlyArray<
  readonly [prefix: number, first: number, last: number, proposal: string]
> = [
  [0xfc, 0x12, 0x12, "memory control"],
  [0xfc, 0x13, 0x16, "wide arithmetic"],
  [0xfd, 0x100, 0x113, "relaxed SIMD"],
  [0xfd, 0x120, 0x14f, "half precision"],
];

/** The proposal that a refused opcode belongs to, for the message. */
export function proposalOf(opcode: number, number: number | undefined): string | undefined {
  if (number === undefined) return REFUSED.find(([first, last]) => opcode >= first && opcode <= last)?.[2];
  return REFUSED_AFTER_PREFIX.find(
    ([prefix, first, last]) => opcode === prefix && number >= first && number <= last,
  )?.[3];
}
