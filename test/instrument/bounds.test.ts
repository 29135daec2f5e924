import { expect, test } from "vitest";
import { MAX_BODY_BYTES, MAX_MODULE_BYTES, MODULE_BOUNDS } from "../../src/instrument/bounds.ts";
import { instrument, ModuleRefused } from "../../src/instrument/instrument.ts";
import {
  body,
  commandSections,
  leb,
  moduleOf,
  name,
  PREAMBLE,
  SECTION,
  section,
  VOID_TYPE,
  vector,
} from "../wasm/binary.ts";

const CAPS = { memoryBytes: 1024 * 1024, tableElements: 100 };

function refusalOf(bytes: Uint8Array): string | undefined {
  try {
    instrument(bytes, CAPS);
    return undefined;
  } catch (error) {
    if (error instanceof ModuleRefused) return error.message;
    throw error;
  }
}

/** A command with one section more, or instead. */
function commandWith(
  extra: readonly number[],
  bodies: ReadonlyArray<readonly number[]> = [body([])],
): Uint8Array<ArrayBuffer> {
  const order: number[] = Object.values(SECTION);
  const others = commandSections(bodies).filter(([id]) => id !== extra[0]);
  const sections = [...others, extra].sort(
    ([one = 0], [other = 0]) => order.indexOf(one) - order.indexOf(other),
  );
  return moduleOf(...sections);
}

/** `v128.const` and `drop`: few operators for many bytes. */
const FILLER = [0xfd, 0x0c, ...new Uint8Array(16), 0x1a];

/** A command whose last function has a body of that many bytes: these operators, then filler. */
function commandWithLargeBody(
  bodyBytes: number,
  operators: readonly number[],
  otherFunctions = 1,
): Uint8Array<ArrayBuffer> {
  const others = repeat(otherFunctions, body([]));
  const head = moduleOf(...commandSections([...others, body([])]).slice(0, -1));
  const before = [...leb(otherFunctions + 1), ...others.flat(), ...leb(bodyBytes), 0, ...operators];
  const rest = bodyBytes - 1 - operators.length;
  const code = [SECTION.code, ...leb(before.length + rest), ...before];
  const bytes = new Uint8Array(head.length + code.length + rest);
  bytes.fill(0x01);
  bytes.set(head);
  bytes.set(code, head.length);
  for (let at = head.length + code.length; at + FILLER.length < bytes.length; at += FILLER.length)
    bytes.set(FILLER, at);
  bytes[bytes.length - 1] = 0x0b;
  return bytes;
}

const repeat = (count: number, item: readonly number[]): number[][] =>
  Array.from({ length: count }, () => [...item]);

test("a module of the largest size passes, and one of a byte more does not", () => {
  const padded = (size: number): Uint8Array => {
    const command = moduleOf(...commandSections([body([])]));
    const bytes = new Uint8Array(size);
    const rest = size - command.length - 1;
    const sizeBytes = leb(rest - 5, 5);
    bytes.set([...command, 0, ...sizeBytes]);
    return bytes;
  };
  expect(refusalOf(padded(MAX_MODULE_BYTES))).toBeUndefined();
  expect(refusalOf(padded(MAX_MODULE_BYTES + 1))).toContain("16777217 bytes, and at most 16777216");
});

const GLOBAL = [0x7f, 0x00, 0x41, 0x00, 0x0b];
const table = section(SECTION.table, vector([[0x70, 0x00, 0x01]]));

test.each<[string, number, (count: number) => Uint8Array]>([
  [
    "types",
    MODULE_BOUNDS.types,
    (count) => commandWith(section(SECTION.type, vector(repeat(count, VOID_TYPE)))),
  ],
  [
    "parameters",
    MODULE_BOUNDS.params,
    (count) =>
      commandWith(section(SECTION.type, [2, ...VOID_TYPE, 0x60, ...vector(repeat(count, [0x7f])), 0])),
  ],
  [
    "results",
    MODULE_BOUNDS.results,
    (count) =>
      commandWith(section(SECTION.type, [2, ...VOID_TYPE, 0x60, 0, ...vector(repeat(count, [0x7f]))])),
  ],
  [
    "globals",
    MODULE_BOUNDS.globals,
    (count) => commandWith(section(SECTION.global, vector(repeat(count, GLOBAL)))),
  ],
  [
    "data segments",
    MODULE_BOUNDS.dataSegments,
    (count) => commandWith(section(SECTION.data, vector(repeat(count, [1, 0])))),
  ],
  [
    "element segments",
    MODULE_BOUNDS.elementSegments,
    (count) => commandWith(section(SECTION.element, vector(repeat(count, [1, 0, 0])))),
  ],
  [
    "elements of a segment",
    MODULE_BOUNDS.elementsPerSegment,
    (count) => commandWith(section(SECTION.element, [1, 1, 0, ...leb(count), ...new Uint8Array(count)])),
  ],
  [
    "exports",
    MODULE_BOUNDS.exports,
    (count) =>
      commandWith(
        section(
          SECTION.export,
          vector([
            [...name("memory"), 2, 0],
            [...name("_start"), 0, 0],
            ...Array.from({ length: count - 2 }, (_, index) => [...name(`e${index}`), 0, 0]),
          ]),
        ),
      ),
  ],
  ["functions", MODULE_BOUNDS.functions, (count) => moduleOf(...commandSections(repeat(count, body([]))))],
  [
    "bytes of a name",
    MODULE_BOUNDS.nameBytes,
    (count) =>
      commandWith(
        section(
          SECTION.export,
          vector([
            [...name("memory"), 2, 0],
            [...name("_start"), 0, 0],
            [...name("n".repeat(count)), 0, 0],
          ]),
        ),
      ),
  ],
])("at most so many %s are accepted: %d", (what, most, build) => {
  expect(refusalOf(build(most))).toBeUndefined();
  expect(refusalOf(build(most + 1))).toContain(
    `${most + 1} ${what} are declared, and at most ${most} are accepted`,
  );
});

test("parameters and results of all types are bounded together", () => {
  const wide = [0x60, ...vector(repeat(MODULE_BOUNDS.params, [0x7f])), 0];
  const types = (count: number): Uint8Array =>
    commandWith(section(SECTION.type, [...leb(count + 1), ...VOID_TYPE, ...repeat(count, wide).flat()]));
  const most = Math.floor(MODULE_BOUNDS.typeValues / MODULE_BOUNDS.params);
  expect(refusalOf(types(most))).toBeUndefined();
  expect(refusalOf(types(most + 1))).toContain("more than 200000 parameters and results of types together");
});

test("functions are as large as V8 takes them, once they count their fuel", () => {
  // A loop that is looked into costs what it costs; straight code is looked into every few hundred operators.
  expect(refusalOf(commandWithLargeBody(Math.floor(MAX_BODY_BYTES * 0.99), []))).toBeUndefined();
  expect(refusalOf(commandWithLargeBody(MAX_BODY_BYTES, []))).toContain(
    "a function is too large once it is metered",
  );
  expect(refusalOf(commandWithLargeBody(MAX_BODY_BYTES + 1, []))).toContain(
    "a function has 7654322 bytes, and at most 7654321 are accepted",
  );
});

test("locals are bounded by function, and together", () => {
  const withLocals = (functions: number, count: number): Uint8Array =>
    moduleOf(...commandSections([body([]), ...repeat(functions, body([], [1, ...leb(count), 0x7e]))]));
  expect(refusalOf(withLocals(1, MODULE_BOUNDS.localsPerFunction))).toBeUndefined();
  expect(refusalOf(withLocals(1, MODULE_BOUNDS.localsPerFunction + 1))).toContain(
    "a function has 40001 locals",
  );
  const each = 40_000;
  const most = MODULE_BOUNDS.locals / each;
  expect(refusalOf(withLocals(most, each))).toBeUndefined();
  expect(refusalOf(withLocals(most + 1, each))).toContain(
    "more than 10000000 locals in all functions together",
  );
});

test("labels of a br_table are bounded", () => {
  const labels = (count: number): Uint8Array =>
    moduleOf(...commandSections([body([0x41, 0, 0x0e, ...leb(count), ...new Uint8Array(count + 1)])]));
  expect(refusalOf(labels(MODULE_BOUNDS.branchTableLabels))).toBeUndefined();
  expect(refusalOf(labels(MODULE_BOUNDS.branchTableLabels + 1))).toContain("65521 labels of a br_table");
});

test("blocks inside each other are bounded", () => {
  const nested = (depth: number): Uint8Array =>
    moduleOf(
      ...commandSections([body([...repeat(depth, [0x02, 0x40]).flat(), ...repeat(depth, [0x0b]).flat()])]),
    );
  expect(refusalOf(nested(MODULE_BOUNDS.nesting))).toBeUndefined();
  expect(refusalOf(nested(MODULE_BOUNDS.nesting + 1))).toContain("more than 50000 blocks inside each other");
});

test("operands of calls are bounded together, so that a module cannot be made slow to validate", () => {
  // Calls of a function with as many parameters as there may be, two bytes each, where anything can be on the stack.
  const types = section(SECTION.type, [
    2,
    ...VOID_TYPE,
    0x60,
    ...vector(repeat(MODULE_BOUNDS.params, [0x7f])),
    0,
  ]);
  const calling = (calls: number): Uint8Array =>
    moduleOf(
      types,
      section(SECTION.function, [2, 0, 1]),
      section(SECTION.memory, vector([[0, 1]])),
      section(
        SECTION.export,
        vector([
          [...name("memory"), 2, 0],
          [...name("_start"), 0, 0],
        ]),
      ),
      section(SECTION.code, vector([body([0x00, ...repeat(calls, [0x10, 1]).flat()]), body([])])),
    );
  const most = Math.floor(MODULE_BOUNDS.operands / MODULE_BOUNDS.params);
  expect(refusalOf(calling(most))).toBeUndefined();
  expect(refusalOf(calling(most + 1))).toContain("more than 16777216 operands of calls and blocks together");
});

test("tables without a bound of their own are bounded by number and by the cap", () => {
  expect(refusalOf(commandWith(table))).toBeUndefined();
  expect(
    refusalOf(commandWith(section(SECTION.table, vector(repeat(4, [0x70, 0x00, 100]))))),
  ).toBeUndefined();
  expect(refusalOf(commandWith(section(SECTION.table, vector(repeat(5, [0x70, 0x00, 1])))))).toContain(
    "5 tables",
  );
  expect(
    refusalOf(commandWith(section(SECTION.table, vector([[0x70, 0x00, ...leb(0xffff_ffff)]])))),
  ).toContain("4294967295 elements");
});

test("the 22 bytes that make V8 abort, a table of ten million functions, are refused", () => {
  const bytes = new Uint8Array([
    ...PREAMBLE,
    ...section(SECTION.table, vector([[0x70, 0x00, ...leb(10_000_000)]])),
  ]);
  expect(WebAssembly.validate(bytes)).toBe(true);
  expect(refusalOf(bytes)).toContain("its table has 10000000 elements, above the limit of 100");
});
