import { PREVIEW1_FUNCTIONS, PREVIEW1_MODULE } from "../../../src/instrument/wasi-preview1.ts";
import type { FunctionType } from "../../../src/wasm/module.ts";
import { Opcode } from "../../../src/wasm/opcodes.ts";
import { ValueType } from "../../../src/wasm/value-types.ts";
import { leb, moduleOf, name, SECTION, section, vector } from "../../wasm/binary.ts";
import { constantOf, encodeType, i32Const } from "./encoding.ts";
import { generateBody, type Random, type Surroundings } from "./generate-body.ts";

const TYPES = Object.values(ValueType);
const IMPORTED = ["sched_yield", "fd_close", "fd_seek", "fd_write", "random_get", "path_rename"];

/**
 * A random command that is valid, aims at what metering has to get right (branches to the end of a function, several values,
 * loops and blocks with parameters, dead code, calls through tables, imported functions in tables, tail calls, few and many
 * locals) and shows what it did: memory, globals, tables and the functions that a host can call are exported. It imports some
 * of `imported`, and a way to exit where there is any.
 */
export function generateCommand(random: Random, imported = IMPORTED): Uint8Array<ArrayBuffer> {
  const names = imported.filter(() => random(3) === 0);
  if (random(6) === 0 && imported.length > 0) names.push("proc_exit");
  const imports = names.map((item) => ({
    item,
    type: PREVIEW1_FUNCTIONS.get(item) ?? { params: [], results: [] },
  }));
  const types: FunctionType[] = [{ params: [], results: [] }];
  const functions = [...imports.map(({ type }) => types.push(type) - 1), 0];
  for (let left = 1 + random(6); left > 0; left -= 1) {
    // A type of its own, or one that another function has.
    functions.push(
      random(4) === 0 ? (functions[random(functions.length)] ?? 0) : types.push(anyType(random)) - 1,
    );
  }
  const passive = { elementSegments: random(3), dataSegments: random(3) };
  const around: Surroundings = {
    types,
    functions,
    referable: functions.flatMap((_, index) => (random(2) === 0 ? [index] : [])),
    globals: listOf(random, 6, () => anyValueType(random)),
    tables: [ValueType.funcref, ...listOf(random, 2, () => anyReferenceType(random))],
    ...passive,
  };
  const own = functions.slice(imports.length);
  const bodies = own.map((typeIndex) => encodedBody(random, around, types[typeIndex]));
  return moduleOf(
    section(SECTION.type, vector(types.map(encodeType))),
    section(
      SECTION.import,
      vector(
        imports.map(({ item }, index) => [
          ...name(PREVIEW1_MODULE),
          ...name(item),
          0,
          ...leb(functions[index] ?? 0),
        ]),
      ),
    ),
    section(SECTION.function, vector(own.map((typeIndex) => leb(typeIndex)))),
    section(
      SECTION.table,
      vector(around.tables.map((type) => [type, 1, 4 + random(5), ...leb(10 + random(200))])),
    ),
    section(SECTION.memory, vector([random(2) === 0 ? [0, 1] : [1, 1, 1 + random(3)]])),
    section(
      SECTION.global,
      vector(around.globals.map((type) => [type, 1, ...initialValue(random, around, type)])),
    ),
    section(SECTION.export, vector(exportsOf(around, imports.length))),
    section(SECTION.element, vector(elements(random, around))),
    section(SECTION.dataCount, leb(passive.dataSegments + 1)),
    section(SECTION.code, vector(bodies)),
    section(
      SECTION.data,
      vector([
        ...Array.from({ length: passive.dataSegments }, () => [1, ...vector([[1], [2], [3], [4], [5]])]),
        [0, ...i32Const(random(0xfff0)), Opcode.end, ...name("memory begins with this")],
      ]),
    ),
  );
}

function listOf<Item>(random: Random, below: number, make: () => Item): Item[] {
  return Array.from({ length: random(below) }, make);
}

function anyValueType(random: Random): ValueType {
  return random(2) === 0 ? ValueType.i32 : (TYPES[random(TYPES.length)] ?? ValueType.i32);
}

function anyReferenceType(random: Random): ValueType {
  return random(2) === 0 ? ValueType.funcref : ValueType.externref;
}

function anyType(random: Random): FunctionType {
  const most = random(12) === 0 ? 12 : 4;
  return {
    params: listOf(random, most, () => anyValueType(random)),
    results: listOf(random, most, () => anyValueType(random)),
  };
}

/** Few locals, none, or so many that an index takes two bytes. */
function encodedBody(random: Random, around: Surroundings, type: FunctionType | undefined): number[] {
  if (type === undefined) throw new RangeError("a function has no type");
  const groups = listOf(random, 5, () => ({
    count: random(8) === 0 ? 130 * random(2) : 1 + random(3),
    type: anyValueType(random),
  }));
  const locals = groups.flatMap((group) => Array.from({ length: group.count }, () => group.type));
  const operators = generateBody(random, around, type, [...type.params, ...locals], 10 + random(80));
  const contents = [
    ...vector(groups.map((group) => [...leb(group.count), group.type])),
    ...operators,
    Opcode.end,
  ];
  return [...leb(contents.length), ...contents];
}

function initialValue(random: Random, around: Surroundings, type: ValueType): number[] {
  const named = around.referable[0];
  if (type === ValueType.funcref && named !== undefined && random(2) === 0)
    return [Opcode.refFunc, ...leb(named), Opcode.end];
  return [...constantOf(type, random(5)), Opcode.end];
}

/** A host cannot call a function that takes or gives vectors, nor look at a global that is one. */
function exportsOf({ types, functions, globals, tables }: Surroundings, imported: number): number[][] {
  const hasVectors = ({ params, results }: FunctionType): boolean =>
    [...params, ...results].includes(ValueType.v128);
  return [
    [...name("memory"), 2, 0],
    [...name("_start"), 0, ...leb(imported)],
    ...functions.flatMap((typeIndex, index) => {
      const type = types[typeIndex];
      return type === undefined || hasVectors(type) ? [] : [[...name(`function ${index}`), 0, ...leb(index)]];
    }),
    ...globals.flatMap((type, index) =>
      type === ValueType.v128 ? [] : [[...name(`global ${index}`), 3, ...leb(index)]],
    ),
    ...tables.map((_, index) => [...name(`table ${index}`), 1, ...leb(index)]),
  ];
}

/** Passive segments first, in both encodings; then one that fills the first table, and one that declares what may be named. */
function elements(random: Random, { functions, referable, elementSegments }: Surroundings): number[][] {
  const some = (): number[] => Array.from({ length: 4 }, () => random(functions.length));
  const indices = (list: readonly number[]): number[] => vector(list.map((index) => leb(index)));
  const expressions = (list: readonly number[]): number[] =>
    vector(list.map((index) => [Opcode.refFunc, ...leb(index), Opcode.end]));
  const active = [...i32Const(0), Opcode.end];
  return [
    ...Array.from({ length: elementSegments }, () =>
      random(2) === 0 ? [1, 0, ...indices(some())] : [5, ValueType.funcref, ...expressions(some())],
    ),
    ...[
      [0, ...active, ...indices(some())],
      [4, ...active, ...expressions(some())],
      [2, 0, ...active, 0, ...indices(some())],
    ].filter(() => random(2) === 0),
    [3, 0, ...indices(referable)],
  ];
}
