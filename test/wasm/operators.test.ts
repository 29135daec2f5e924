import { expect, test } from "vitest";
import { MODULE_BOUNDS } from "../../src/instrument/bounds.ts";
import { WasmFormatError } from "../../src/wasm/format-error.ts";
import { indexSpaces } from "../../src/wasm/indices.ts";
import { closeBody, openBody, operatorCursor } from "../../src/wasm/operator-cursor.ts";
import { nextOperator } from "../../src/wasm/operators.ts";
import { readModule } from "../../src/wasm/read-module.ts";
import { assemble, assembleFixture } from "./assemble.ts";
import { body, leb, moduleOf, SECTION, section, VOID_TYPE, vector } from "./binary.ts";

/** A module with one of everything that an operator can name, and one body. `unreachable` makes any operands do. */
function moduleWith(operators: readonly number[]): Uint8Array<ArrayBuffer> {
  return moduleOf(
    section(SECTION.type, vector([VOID_TYPE])),
    section(SECTION.function, vector([[0]])),
    section(SECTION.table, vector([[0x70, 0x00, 0x01]])),
    section(SECTION.memory, vector([[0x00, 0x01]])),
    section(SECTION.global, vector([[0x7f, 0x01, 0x41, 0x00, 0x0b]])),
    section(SECTION.element, vector([[0x00, 0x41, 0x00, 0x0b, 1, 0]])),
    section(SECTION.dataCount, [1]),
    section(SECTION.code, vector([body([0x00, ...operators, 0x00], [1, 1, 0x7f])])),
    section(SECTION.data, vector([[0x01, 0]])),
  );
}

function readerSays(bytes: Uint8Array): WasmFormatError | "accepted" {
  try {
    readModule(bytes, MODULE_BOUNDS);
    return "accepted";
  } catch (error) {
    if (error instanceof WasmFormatError) return error;
    throw error;
  }
}

const ZEROS = (count: number): number[] => Array.from({ length: count }, () => 0);

/** Enough zeros for any immediates; those that are left over are `unreachable`, which suits any types. */
const ZERO_IMMEDIATES: ReadonlyArray<readonly number[]> = [ZEROS(20), [...ZEROS(20), 0x0b]];
/** Immediates that cannot be zero. */
const OTHER_IMMEDIATES: ReadonlyArray<readonly number[]> = [
  [0x40, 0x0b],
  [0x01, 0x7f],
  [0x01, 0x70],
  [0x70],
  [0x6f],
];

/** What V8 has and this reader leaves out, by name. */
const PROPOSALS =
  /\((exceptions|typed function references|garbage collection|threads|stack switching|relaxed SIMD|wide arithmetic|half precision|memory control)\) is not supported$/;

/** Runs one opcode with all immediates through both; gives how often both accepted it. */
function compareWithV8(opcode: readonly number[]): number {
  let accepted = 0;
  for (const immediates of [...ZERO_IMMEDIATES, ...OTHER_IMMEDIATES]) {
    const bytes = moduleWith([...opcode, ...immediates, 0x00]);
    const ours = readerSays(bytes);
    const v8 = WebAssembly.validate(bytes);
    const what = `${[...opcode, "with", ...immediates].join(" ")}: ${ours === "accepted" ? ours : ours.message}`;
    if (v8 && ours !== "accepted") expect(ours.message, what).toMatch(PROPOSALS);
    // Other immediates may turn out to be operators of the wrong type, which are V8's to refuse.
    if (!v8 && ZERO_IMMEDIATES.includes(immediates)) expect(ours, what).not.toBe("accepted");
    if (v8 && ours === "accepted") accepted += 1;
  }
  return accepted;
}

// `else` and `end` need a block around them, which these bodies do not have; `if`, `block` and `loop` close theirs.
test("every one-byte operator is read as V8 reads it, or refused by the name of its proposal", () => {
  const known = [];
  for (let opcode = 0; opcode < 256; opcode += 1) {
    if (opcode === 0x05 || opcode === 0x0b || opcode === 0xfc || opcode === 0xfd) continue;
    if (compareWithV8([opcode]) > 0) known.push(opcode);
  }
  // The first version's, sign extension, typed select, references, table access, tail calls; without `else` and `end`.
  expect(known).toHaveLength(172 + 5 + 1 + 3 + 2 + 2 - 2);
});

test("every operator of bulk memory and saturating conversion is read as V8 reads it", () => {
  const known = [];
  for (let number = 0; number < 512; number += 1)
    if (compareWithV8([0xfc, ...leb(number)]) > 0) known.push(number);
  expect(known).toEqual(Array.from({ length: 18 }, (_, number) => number));
});

test("every vector operator is read as V8 reads it, and relaxed ones are refused by name", () => {
  const known = [];
  for (let number = 0; number < 512; number += 1)
    if (compareWithV8([0xfd, ...leb(number)]) > 0) known.push(number);
  // The specification has 236 of them.
  expect(known).toHaveLength(236);
  expect(known.at(-1)).toBe(255);
});

test("a prefixed operator may pad its number, up to five bytes", () => {
  expect(readerSays(moduleWith([0xfc, 0x80, 0x80, 0x80, 0x80, 0x00]))).toBe("accepted");
  expect(readerSays(moduleWith([0xfc, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]))).toMatchObject({
    message: expect.stringContaining("32 bits"),
  });
});

test.each([
  [
    "memory.size of memory 1",
    [0x3f, 0x01, 0x1a],
    "a memory other than 0 (multiple memories) is not supported",
  ],
  [
    "memory.copy from memory 1",
    [0xfc, 0x0a, 0x00, 0x01],
    "a memory other than 0 (multiple memories) is not supported",
  ],
  [
    "a load that names its memory",
    [0x28, 0x42, 0x00, 0x00, 0x1a],
    "a memory other than 0 (multiple memories) is not supported",
  ],
  ["an alignment of 2^32", [0x28, 0x20, 0x00, 0x1a], "an alignment of 2^32 is malformed"],
  [
    "a block of a reference type that needs an index",
    [0x02, 0x64, 0x00, 0x0b],
    "typed reference (typed function references) is not supported",
  ],
  ["a block of type i16", [0x02, 0x77, 0x0b], "packed type i16 (garbage collection) is not supported"],
  ["a block with a padded negative type", [0x02, 0xc0, 0x7f, 0x0b], "type 16320 does not exist: there are 1"],
  ["a select of two types", [0x1c, 0x02, 0x7f, 0x7f], "a select has to have exactly one type"],
  [
    "a null of a type index",
    [0xd0, 0x00, 0x1a],
    "a null of a type index (typed function references) is not supported",
  ],
  ["a lane that does not exist", [0xfd, 0x15, 0x10], "a vector lane does not exist"],
  [
    "a shuffle with a lane that does not exist",
    [0xfd, 0x0d, ...ZEROS(15), 0x20],
    "a vector lane does not exist",
  ],
  ["a br_table whose default does not exist", [0x0e, 0x00, 0x01], "label 1 does not exist: there are 1"],
  [
    "a br_table whose second label does not exist",
    [0x0e, 0x02, 0x00, 0x07, 0x00],
    "label 7 does not exist: there are 1",
  ],
  ["an operator of no number", [0xff], "operator 0xff does not exist"],
  ["wide arithmetic", [0xfc, 0x13], "operator 0xfc 19 (wide arithmetic) is not supported"],
  ["an unassigned vector operator", [0xfd, 0x9a, 0x01], "operator 0xfd 154 does not exist"],
])("%s is refused", (_, operators, message) => {
  expect(readerSays(moduleWith(operators))).toMatchObject({ message });
});

test("a negative type index cannot pass for a positive one", () => {
  // 65 types, so that the bits of these encodings, read as unsigned, would name one.
  const types = section(SECTION.type, vector(Array.from({ length: 65 }, () => VOID_TYPE)));
  const withBlock = (type: number[]): Uint8Array<ArrayBuffer> =>
    moduleOf(
      types,
      section(SECTION.function, vector([[0]])),
      section(SECTION.code, vector([body([0x02, ...type, 0x0b])])),
    );
  expect(readerSays(withBlock([0xc0, 0x00]))).toBe("accepted");
  expect(WebAssembly.validate(withBlock([0xc0, 0x00]))).toBe(true);
  expect(readerSays(withBlock([0x80, 0x40]))).not.toBe("accepted");
  expect(WebAssembly.validate(withBlock([0x80, 0x40]))).toBe(false);
});

test("an operator without a memory to act on is refused", () => {
  const bytes = moduleOf(
    section(SECTION.type, vector([VOID_TYPE])),
    section(SECTION.function, vector([[0]])),
    section(SECTION.code, vector([body([0x3f, 0x00, 0x1a])])),
  );
  expect(readerSays(bytes)).toMatchObject({ message: "memory 0 does not exist: there are 0" });
});

test("the cursor gives opcode, place, indices and depth of each operator", () => {
  const bytes = assemble(`(module
    (type $t (func (param i32)))
    (memory 1)
    (table 1 funcref) (table 1 funcref)
    (data "x")
    (func (param i32) (local i64)
      (block
        (loop
          (br_table 0 2 1 (local.get 0))))
      (i32.const -7)
      (call_indirect 1 (type $t) (i32.const 0))
      (table.copy 1 0 (i32.const 0) (i32.const 0) (i32.const 0))
      (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 0))))`);
  const module = readModule(bytes, MODULE_BOUNDS);
  const [only] = module.bodies;
  if (only === undefined) throw new Error("no body");
  const cursor = operatorCursor(indexSpaces(module), MODULE_BOUNDS);
  openBody(cursor, only, 1);
  expect(cursor.locals).toBe(2);
  const seen = [];
  let at = cursor.at;
  while (cursor.depth > 0) {
    nextOperator(cursor);
    expect(cursor.start).toBe(at);
    at = cursor.at;
    seen.push({
      opcode: cursor.opcode,
      first: cursor.first,
      second: cursor.second,
      depth: cursor.depth,
      outermost: cursor.outermost,
    });
  }
  closeBody(cursor);
  expect(seen.slice(0, 4)).toMatchObject([
    { opcode: 0x02, first: -1, depth: 2 },
    { opcode: 0x03, first: -1, depth: 3 },
    { opcode: 0x20, first: 0, depth: 3 },
    { opcode: 0x0e, first: 2, outermost: 2, depth: 3 },
  ]);
  expect(seen.find(({ opcode }) => opcode === 0x41)).toMatchObject({ first: -7 });
  expect(seen.find(({ opcode }) => opcode === 0x11)).toMatchObject({ first: 0, second: 1 });
  expect(seen.find(({ opcode }) => opcode === 0xfc0e)).toMatchObject({ first: 1, second: 0 });
  expect(seen.find(({ opcode }) => opcode === 0xfc08)).toMatchObject({ first: 0 });
  expect(seen.at(-1)).toMatchObject({ opcode: 0x0b, depth: 0 });
});

test("a hundred thousand open blocks are refused where they become too many, without recursion", () => {
  const blocks = Array.from({ length: 100_000 }, () => [0x02, 0x40]).flat();
  const ends = Array.from({ length: 100_000 }, () => 0x0b);
  expect(readerSays(moduleWith([...blocks, ...ends]))).toMatchObject({
    message: "more than 50000 blocks inside each other",
  });
});

test("operators of a real-looking module are all known", () => {
  expect(readerSays(assembleFixture("accepted/all-sections.wat"))).toBe("accepted");
});
