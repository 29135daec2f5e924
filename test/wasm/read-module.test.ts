import { expect, test } from "vitest";
import { MODULE_BOUNDS } from "../../src/instrument/bounds.ts";
import { WasmFormatError } from "../../src/wasm/format-error.ts";
import type { WasmModule } from "../../src/wasm/module.ts";
import { readModule } from "../../src/wasm/read-module.ts";
import { assembleFixture } from "./assemble.ts";
import {
  body,
  commandSections,
  customSection,
  leb,
  moduleOf,
  name,
  SECTION,
  section,
  VOID_TYPE,
  vector,
} from "./binary.ts";

function read(bytes: Uint8Array): WasmModule {
  return readModule(bytes, MODULE_BOUNDS);
}

function refusal(bytes: Uint8Array): WasmFormatError {
  try {
    read(bytes);
  } catch (error) {
    if (error instanceof WasmFormatError) return error;
    throw error;
  }
  throw new Error("the module was not refused");
}

const TYPE = section(SECTION.type, vector([VOID_TYPE]));
const FUNCTION = section(SECTION.function, vector([[0]]));
const TABLE = section(SECTION.table, vector([[0x70, 0x00, 0x01]]));
const MEMORY = section(SECTION.memory, vector([[0x00, 0x01]]));
const GLOBAL = section(SECTION.global, vector([[0x7f, 0x00, 0x41, 0x00, 0x0b]]));
const EXPORT = section(SECTION.export, vector([[...name("f"), 0x00, 0x00]]));
const START = section(SECTION.start, [0]);
const ELEMENT = section(SECTION.element, vector([[0x00, 0x41, 0x00, 0x0b, ...vector([[0]])]]));
const DATA_COUNT = section(SECTION.dataCount, [1]);
const CODE = section(SECTION.code, vector([body([])]));
const DATA = section(SECTION.data, vector([[0x01, ...vector([[0x61]])]]));
const ALL = [TYPE, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, START, ELEMENT, DATA_COUNT, CODE, DATA];

test("sections are read in the order of the specification, each at most once", () => {
  expect(read(moduleOf(...ALL)).bodies).toHaveLength(1);
  expect(WebAssembly.validate(moduleOf(...ALL))).toBe(true);
  for (let index = 0; index < ALL.length; index += 1) {
    const one = ALL[index] ?? [];
    const repeated = [...ALL.slice(0, index), one, one, ...ALL.slice(index + 1)];
    const offset = 8 + ALL.slice(0, index + 1).flat().length;
    expect(refusal(moduleOf(...repeated))).toMatchObject({
      offset,
      message: expect.stringMatching(/repeated or out of order/),
    });
  }
  for (let index = 1; index < ALL.length; index += 1) {
    const swapped = [...ALL];
    swapped[index - 1] = ALL[index] ?? [];
    swapped[index] = ALL[index - 1] ?? [];
    expect(() => read(moduleOf(...swapped))).toThrow(WasmFormatError);
  }
});

test.each([14, 15, 64, 127, 128, 255])("section %d, which nobody knows, is refused where it begins", (id) => {
  expect(refusal(moduleOf(TYPE, section(id, [])))).toMatchObject({
    offset: 8 + TYPE.length,
    message: `section ${id} does not exist`,
  });
});

test.each([
  ["nothing", []],
  ["a cut preamble", [0x00, 0x61, 0x73]],
  ["text", [...new TextEncoder().encode("(module)")]],
  ["an executable", [0x7f, 0x45, 0x4c, 0x46, 0x01, 0x00, 0x00, 0x00]],
])("%s is no module", (_, bytes) => {
  expect(refusal(new Uint8Array(bytes)).message).toBe("the bytes are not a WebAssembly module");
});

test("a component is refused as what it is", () => {
  expect(refusal(new Uint8Array([0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00])).message).toContain(
    "component",
  );
});

test("a module cut at any byte is refused, or is whole up to there", () => {
  const whole = assembleFixture("accepted/all-sections.wat", { names: true });
  let accepted = 0;
  for (let length = 0; length < whole.length; length += 1) {
    const cut = whole.slice(0, length);
    try {
      read(cut);
    } catch (error) {
      expect(error).toBeInstanceOf(WasmFormatError);
      expect((error as WasmFormatError).offset).toBeLessThanOrEqual(length);
      continue;
    }
    accepted += 1;
    expect(WebAssembly.validate(cut)).toBe(true);
  }
  // Ends of sections after which nothing is missing.
  expect(accepted).toBeGreaterThan(0);
  expect(accepted).toBeLessThan(12);
});

test("a section that says it is longer or shorter than its contents is refused", () => {
  const [id, size, ...contents] = EXPORT;
  for (const wrong of [-1, 1]) {
    const bytes = moduleOf(TYPE, FUNCTION, [id ?? 0, (size ?? 0) + wrong, ...contents], CODE);
    expect(() => read(bytes)).toThrow(WasmFormatError);
    expect(WebAssembly.validate(bytes)).toBe(false);
  }
  expect(refusal(moduleOf([SECTION.type, ...leb(0xffff_ffff)])).message).toContain("beyond the module");
  expect(refusal(moduleOf(section(SECTION.type, [0, 0]))).message).toBe(
    "the type section has 1 bytes more than its contents",
  );
});

const HUGE = leb(0xffff_ffff);
test.each([
  ["types", [section(SECTION.type, HUGE)]],
  ["parameters", [section(SECTION.type, [1, 0x60, ...HUGE])]],
  ["results", [section(SECTION.type, [1, 0x60, 0, ...HUGE])]],
  ["imports", [section(SECTION.import, HUGE)]],
  ["functions", [TYPE, section(SECTION.function, HUGE)]],
  ["tables", [section(SECTION.table, HUGE)]],
  ["memories", [section(SECTION.memory, HUGE)]],
  ["globals", [section(SECTION.global, HUGE)]],
  ["exports", [section(SECTION.export, HUGE)]],
  ["bytes of a name", [section(SECTION.export, [1, ...HUGE])]],
  ["element segments", [section(SECTION.element, HUGE)]],
  ["elements of a segment", [section(SECTION.element, [1, 0x01, 0x00, ...HUGE])]],
  ["data segments", [section(SECTION.dataCount, HUGE)]],
  ["data segments", [section(SECTION.data, HUGE)]],
  ["function bodies", [section(SECTION.code, HUGE)]],
  ["groups of locals", [TYPE, FUNCTION, section(SECTION.code, vector([[...leb(6), ...HUGE, 0x0b]]))]],
  ["labels of a br_table", [TYPE, FUNCTION, section(SECTION.code, vector([body([0x41, 0, 0x0e, ...HUGE])]))]],
])("a declared number of 2^32 - 1 %s is refused before anything is made of it", (what, sections) => {
  expect(refusal(moduleOf(...sections)).message).toContain(`4294967295 ${what} are declared`);
});

test.each([
  ["type", [TYPE, section(SECTION.function, vector([[1]]))]],
  ["function", [TYPE, FUNCTION, section(SECTION.export, vector([[...name("f"), 0x00, 0x01]])), CODE]],
  ["table", [section(SECTION.export, vector([[...name("t"), 0x01, 0x00]]))]],
  ["memory", [section(SECTION.export, vector([[...name("m"), 0x02, 0x00]]))]],
  ["global", [section(SECTION.export, vector([[...name("g"), 0x03, 0x00]]))]],
  ["function", [section(SECTION.start, [0])]],
  ["table", [section(SECTION.element, vector([[0x00, 0x41, 0x00, 0x0b, 0x00]]))]],
  ["function", [TABLE, section(SECTION.element, vector([[0x00, 0x41, 0x00, 0x0b, 1, 0]]))]],
  ["function", [section(SECTION.element, vector([[0x05, 0x70, 1, 0xd2, 0x00, 0x0b]]))]],
  ["memory", [section(SECTION.data, vector([[0x00, 0x41, 0x00, 0x0b, 0x00]]))]],
  ["memory", [MEMORY, section(SECTION.data, vector([[0x02, 0x01, 0x41, 0x00, 0x0b, 0x00]]))]],
  ["global", [section(SECTION.global, vector([[0x7f, 0x00, 0x23, 0x00, 0x0b]]))]],
  ["local", [TYPE, FUNCTION, section(SECTION.code, vector([body([0x20, 2, 0x1a], [1, 2, 0x7f])]))]],
  ["label", [TYPE, FUNCTION, section(SECTION.code, vector([body([0x0c, 1])]))]],
  ["data segment", [TYPE, FUNCTION, MEMORY, section(SECTION.code, vector([body([0xfc, 9, 0])])), DATA]],
  ["element segment", [TYPE, FUNCTION, section(SECTION.code, vector([body([0xfc, 13, 0])]))]],
])("an index of a %s that does not exist is refused (case %#)", (what, sections) => {
  const bytes = moduleOf(...sections);
  expect(refusal(bytes).message).toMatch(new RegExp(`^${what} \\d+ does not exist: there are \\d+$`));
  expect(WebAssembly.validate(bytes)).toBe(false);
});

test.each([
  ["functions without bodies", [TYPE, FUNCTION], "1 functions have no code section"],
  [
    "more bodies than functions",
    [TYPE, FUNCTION, section(SECTION.code, vector([body([]), body([])]))],
    "2 bodies follow 1 functions",
  ],
  ["a data count without data", [DATA_COUNT], "a data count of 1 has no data section"],
  [
    "another number of data segments than counted",
    [DATA_COUNT, section(SECTION.data, [0])],
    "0 data segments follow a data count of 1",
  ],
  [
    "two exports of one name",
    [
      TYPE,
      FUNCTION,
      section(
        SECTION.export,
        vector([
          [1, 0x66, 0, 0],
          [1, 0x66, 0, 0],
        ]),
      ),
      CODE,
    ],
    'two exports are called "f"',
  ],
  [
    "a maximum below the minimum",
    [section(SECTION.memory, vector([[0x01, 2, 1]]))],
    "the maximum of 1 pages of memory is below the minimum of 2",
  ],
  [
    "a memory of more than 4 GiB",
    [section(SECTION.memory, vector([[0x00, ...leb(65_537)]]))],
    "65537 pages of memory are more than 65536",
  ],
  [
    "a memory with its own page size",
    [section(SECTION.memory, vector([[0x08, 1, 0]]))],
    "a memory with its own page size is not supported",
  ],
  [
    "unknown flags of a memory",
    [section(SECTION.memory, vector([[0x10, 1]]))],
    "memory flags 0x10 do not exist",
  ],
  [
    "a 64-bit table",
    [section(SECTION.table, vector([[0x70, 0x04, 1]]))],
    "a 64-bit table (memory64) is not supported",
  ],
  [
    "a shared table",
    [section(SECTION.table, vector([[0x70, 0x03, 1, 1]]))],
    "a shared table (threads) is not supported",
  ],
  [
    "a table with an initial value",
    [section(SECTION.table, vector([[0x40, 0x00, 0x70, 0x00, 1, 0xd0, 0x70, 0x0b]]))],
    "a table with an initial value (typed function references) is not supported",
  ],
  [
    "a table of numbers",
    [section(SECTION.table, vector([[0x7f, 0x00, 1]]))],
    "a number type stands where a reference type has to",
  ],
  [
    "a table of anyref",
    [section(SECTION.table, vector([[0x6e, 0x00, 1]]))],
    "type anyref (garbage collection) is not supported",
  ],
  [
    "a typed reference",
    [section(SECTION.type, vector([[0x60, 1, 0x63, 0x70, 0]]))],
    "nullable typed reference (typed function references) is not supported",
  ],
  [
    "a parameter of no type",
    [section(SECTION.type, vector([[0x60, 1, 0x40, 0]]))],
    "0x40 is not a value type",
  ],
  [
    "a recursive type group",
    [section(SECTION.type, vector([[0x4e, 0]]))],
    "recursive type group (garbage collection) is not supported",
  ],
  [
    "a shared global",
    [section(SECTION.global, vector([[0x7f, 0x02, 0x41, 0, 0x0b]]))],
    "a shared global (threads) is not supported",
  ],
  [
    "a call in a constant expression",
    [section(SECTION.global, vector([[0x7f, 0x00, 0x10, 0, 0x0b]]))],
    "operator 0x10 does not belong in a constant expression",
  ],
  [
    "a null of a type index in a constant expression",
    [section(SECTION.global, vector([[0x70, 0x00, 0xd0, 0x00, 0x0b]]))],
    "a null of a type index (typed function references) is not supported",
  ],
  [
    "a vector operator in a constant expression",
    [section(SECTION.global, vector([[0x7b, 0x00, 0xfd, 0x0f, 0x0b]]))],
    "operator 0xfd does not belong in a constant expression",
  ],
  [
    "an unknown kind of import",
    [section(SECTION.import, vector([[0, 0, 0x05]]))],
    "import kind 5 does not exist",
  ],
  [
    "an unknown kind of export",
    [section(SECTION.export, vector([[0, 0x05, 0]]))],
    "export kind 5 does not exist",
  ],
  [
    "an exported tag",
    [section(SECTION.export, vector([[0, 0x04, 0]]))],
    "an exported tag (exceptions) is not supported",
  ],
  [
    "unknown flags of an element segment",
    [section(SECTION.element, vector([[0x08]]))],
    "element segment flags 0x8 do not exist",
  ],
  [
    "an unknown kind of elements",
    [section(SECTION.element, vector([[0x01, 0x01, 0]]))],
    "element kind 0x1 does not exist",
  ],
  [
    "unknown flags of a data segment",
    [section(SECTION.data, vector([[0x03, 0]]))],
    "data segment flags 0x3 do not exist",
  ],
  [
    "data beyond its section",
    [section(SECTION.data, vector([[0x01, ...leb(0xffff_ffff)]]))],
    "unexpected end",
  ],
])("%s is refused by name", (_, sections, message) => {
  expect(refusal(moduleOf(...sections)).message).toBe(message);
});

test.each([
  ["operators after its end", [2, 0, 0x0b, 0x01]],
  ["no end", [3, 0, 0x01, 0x01]],
  ["a block left open", [4, 0, 0x02, 0x40, 0x0b]],
  ["a constant that reaches beyond it", [4, 0, 0x43, 0, 0]],
  ["no bytes", [0]],
])("a function with %s is refused", (_, encoded) => {
  const size = encoded[0] ?? 0;
  // What follows would complete the operators, were they allowed to leave their function.
  const bytes = moduleOf(
    TYPE,
    section(SECTION.function, vector([[0], [0]])),
    section(SECTION.code, [2, ...encoded.slice(0, size + 1), ...body([0x01, 0x01, 0x0b])]),
  );
  expect(() => read(bytes)).toThrow(WasmFormatError);
});

test("a function that ends beyond its section is refused", () => {
  expect(refusal(moduleOf(TYPE, FUNCTION, section(SECTION.code, [1, 0x7f, 0x00, 0x0b]))).message).toBe(
    "a function ends beyond its section",
  );
});

test("locals are counted without being made", () => {
  const locals = (count: number): Uint8Array<ArrayBuffer> =>
    moduleOf(TYPE, FUNCTION, section(SECTION.code, vector([body([], [1, ...leb(count), 0x7f])])));
  expect(read(locals(MODULE_BOUNDS.localsPerFunction)).bodies).toHaveLength(1);
  expect(refusal(locals(MODULE_BOUNDS.localsPerFunction + 1)).message).toContain("locals");
  expect(refusal(locals(0xffff_ffff)).message).toContain("4294967295 locals");
  const twice = [2, ...leb(0xffff_ffff), 0x7f, ...leb(0xffff_ffff), 0x7f];
  expect(() => read(moduleOf(TYPE, FUNCTION, section(SECTION.code, vector([body([], twice)]))))).toThrow(
    WasmFormatError,
  );
});

const NAMES = [0x00, 2, ...name("m"), 0x01, 4, 1, 0, ...name("f"), 0x02, 1, 0];

test("module and function names are kept, other custom sections are dropped wherever they stand", () => {
  const module = read(
    moduleOf(
      customSection("producers", [1, 2, 3]),
      ...commandSections([body([])]),
      customSection("name", NAMES),
      customSection("", []),
    ),
  );
  expect(module.names).toEqual({
    module: new Uint8Array(name("m")),
    functions: new Uint8Array([1, 0, ...name("f")]),
  });
});

test.each([
  ["a subsection beyond its end", [0x01, 100, 1]],
  ["a name beyond its subsection", [0x00, 2, 5, 0x61]],
  ["fewer names than it says", [0x01, 5, ...leb(0xffff_ffff)]],
  ["bytes after its names", [0x01, 2, 0, 0]],
  ["subsections out of order", [0x01, 1, 0, 0x00, 1, 0]],
])("a name section with %s is dropped, and the module is read", (_, contents) => {
  const module = read(moduleOf(...commandSections([body([])]), customSection("name", contents)));
  expect(module.bodies).toHaveLength(1);
  expect(module.names).toBeUndefined();
});

test("a custom section without a whole name is refused", () => {
  expect(() => read(moduleOf(section(0, [5, 0x61])))).toThrow(WasmFormatError);
  expect(() => read(moduleOf(section(0, [])))).toThrow(WasmFormatError);
});
