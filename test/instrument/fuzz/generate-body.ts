import type { FunctionType } from "../../../src/wasm/module.ts";
import { Opcode } from "../../../src/wasm/opcodes.ts";
import { ValueType } from "../../../src/wasm/value-types.ts";
import { leb } from "../../wasm/binary.ts";
import { constantOf, encodeOpcode, i32Const, signedLeb } from "./encoding.ts";
import { PLAIN_OPERATORS } from "./plain-operators.ts";

export type Random = (below: number) => number;

/** What the bodies of a module can name. */
export interface Surroundings {
  /** Grows by the types of blocks. */
  types: FunctionType[];
  /** Type indices by function, imported functions first. */
  functions: readonly number[];
  /** Functions that a `ref.func` may name. */
  referable: readonly number[];
  globals: readonly ValueType[];
  tables: readonly ValueType[];
  /** Passive segments: of functions, and of bytes. */
  elementSegments: number;
  dataSegments: number;
}

interface State {
  random: Random;
  around: Surroundings;
  locals: readonly ValueType[];
  results: readonly ValueType[];
  /** What a branch to each open block takes, the body itself first. */
  frames: (readonly ValueType[])[];
  code: number[];
  /** Statements and expressions that may still be written before only small ones are. */
  budget: number;
}

/** Random operators of a function of that type, its parameters among the locals, without the closing `end`. */
export function generateBody(
  random: Random,
  around: Surroundings,
  { results }: FunctionType,
  locals: readonly ValueType[],
  size: number,
): number[] {
  const state: State = { random, around, locals, results, frames: [results], code: [], budget: size };
  inside(state, results);
  return state.code;
}

function emit(state: State, opcode: number, ...immediates: readonly number[]): void {
  state.code.push(...encodeOpcode(opcode), ...immediates);
}

function pick<Item>({ random }: State, items: readonly Item[]): Item | undefined {
  return items.length === 0 ? undefined : items[random(items.length)];
}

function indicesOf<Item>(items: readonly Item[], matches: (item: Item) => boolean): number[] {
  return items.flatMap((item, index) => (matches(item) ? [index] : []));
}

function sameTypes(one: readonly ValueType[], other: readonly ValueType[]): boolean {
  return one.length === other.length && one.every((type, index) => type === other[index]);
}

/** What stands in a block: statements, and what it leaves; or it ends in code that nothing leads to. */
function inside(state: State, results: readonly ValueType[]): void {
  for (let left = state.random(5); left > 0 && state.budget > 0; left -= 1) statement(state);
  if (state.random(6) > 0) {
    values(state, results);
    return;
  }
  transfer(state);
  deadCode(state);
  if (state.random(3) === 0) values(state, results);
}

function values(state: State, types: readonly ValueType[]): void {
  for (const type of types) value(state, type);
}

/** Leaves one value of that type. */
function value(state: State, type: ValueType): void {
  state.budget -= 1;
  const { random } = state;
  if (state.budget <= 0) {
    leaf(state, type);
    return;
  }
  switch (random(14)) {
    case 0:
    case 1:
    case 2: {
      const [opcode, ...params] = pick(state, PLAIN_OPERATORS[type]) ?? [undefined];
      if (opcode === undefined) {
        leaf(state, type);
        return;
      }
      values(state, params);
      emit(state, opcode);
      return;
    }
    case 3:
      block(state, [], [type]);
      return;
    case 4:
      if (!call(state, ({ results }) => sameTypes(results, [type]))) leaf(state, type);
      return;
    case 5: {
      const local = pick(
        state,
        indicesOf(state.locals, (other) => other === type),
      );
      if (local === undefined) {
        leaf(state, type);
        return;
      }
      value(state, type);
      emit(state, Opcode.localTee, ...leb(local));
      return;
    }
    case 6:
      values(state, [type, type, ValueType.i32]);
      emit(state, 0x1c, 1, type);
      return;
    case 7: {
      // A branch that is taken or not: its value stays where it is not.
      const labels = indicesOf(state.frames, (takes) => sameTypes(takes, [type]));
      const frame = pick(state, labels);
      if (frame === undefined) {
        leaf(state, type);
        return;
      }
      values(state, [type, ValueType.i32]);
      emit(state, Opcode.brIf, ...leb(state.frames.length - 1 - frame));
      return;
    }
    case 8:
      fromMemoryOrTable(state, type);
      return;
    case 9: {
      // Several values from one block, of which the last is kept.
      const others = Array.from({ length: 1 + random(3) }, () => anyType(state));
      block(state, [], [type, ...others]);
      for (const _ of others) emit(state, Opcode.drop);
      return;
    }
    default:
      leaf(state, type);
      return;
  }
}

function leaf(state: State, type: ValueType): void {
  const { random, around } = state;
  const locals = indicesOf(state.locals, (other) => other === type);
  const globals = indicesOf(around.globals, (other) => other === type);
  const [local, global] = [pick(state, locals), pick(state, globals)];
  const choice = random(4);
  if (choice < 2 && local !== undefined) emit(state, Opcode.localGet, ...leb(local));
  else if (choice === 2 && global !== undefined) emit(state, Opcode.globalGet, ...leb(global));
  else if (type === ValueType.funcref && random(2) === 0) {
    const named = pick(state, around.referable);
    if (named === undefined) state.code.push(...constantOf(type, 0));
    else emit(state, Opcode.refFunc, ...leb(named));
  } else state.code.push(...constantOf(type, random(8) === 0 ? random(200) - 100 : random(4)));
}

const LOADS: Partial<Record<ValueType, readonly [opcode: number, align: number]>> = {
  [ValueType.i32]: [0x28, 2],
  [ValueType.i64]: [0x29, 3],
  [ValueType.v128]: [0xfd00, 4],
};

const STORES: Partial<Record<ValueType, readonly [opcode: number, align: number]>> = {
  [ValueType.i32]: [0x36, 2],
  [ValueType.i64]: [0x37, 3],
  [ValueType.f32]: [0x38, 2],
  [ValueType.f64]: [0x39, 3],
  [ValueType.v128]: [0xfd0b, 4],
};

/** An address that is mostly within memory. */
function address(state: State): void {
  value(state, ValueType.i32);
  if (state.random(16) === 0) return;
  state.code.push(...i32Const(0xfff0));
  emit(state, 0x71);
}

/** A number that is mostly small enough for the range that it speaks of. */
function smallNumber(state: State, below: number): void {
  value(state, ValueType.i32);
  if (state.random(16) === 0) return;
  state.code.push(...i32Const(below - 1));
  emit(state, 0x71);
}

function fromMemoryOrTable(state: State, type: ValueType): void {
  const load = LOADS[type];
  const table = pick(
    state,
    indicesOf(state.around.tables, (other) => other === type),
  );
  if (type === ValueType.i32 && state.random(3) === 0) {
    if (state.random(2) === 0) {
      emit(state, 0x3f, 0);
      return;
    }
    smallNumber(state, 2);
    emit(state, Opcode.memoryGrow, 0);
    return;
  }
  if (load !== undefined) {
    address(state);
    emit(state, load[0], load[1], ...leb(state.random(300)));
  } else if (table !== undefined) {
    smallNumber(state, 8);
    emit(state, 0x25, ...leb(table));
  } else {
    leaf(state, type);
  }
}

/** A statement takes nothing from the stack and leaves nothing there. */
function statement(state: State): void {
  state.budget -= 1;
  const { random, around } = state;
  switch (random(14)) {
    case 0:
    case 1: {
      if (state.locals.length === 0) {
        emit(state, Opcode.nop);
        return;
      }
      // The first local is the one that has to make room.
      const local = random(3) === 0 ? state.locals.length - 1 : random(state.locals.length);
      value(state, state.locals[local] ?? ValueType.i32);
      emit(state, Opcode.localSet, ...leb(local));
      return;
    }
    case 2: {
      if (around.globals.length === 0) {
        emit(state, Opcode.nop);
        return;
      }
      const global = random(around.globals.length);
      value(state, around.globals[global] ?? ValueType.i32);
      emit(state, Opcode.globalSet, ...leb(global));
      return;
    }
    case 3: {
      const type = anyType(state);
      const store = STORES[type];
      if (store === undefined) {
        value(state, type);
        emit(state, Opcode.drop);
        return;
      }
      address(state);
      value(state, type);
      emit(state, store[0], store[1], ...leb(random(300)));
      return;
    }
    case 4:
    case 5: {
      // A block that takes values, a loop among them.
      const params = Array.from({ length: random(3) }, () => anyType(state));
      const results = random(3) === 0 ? Array.from({ length: random(3) }, () => anyType(state)) : params;
      values(state, params);
      block(state, params, results);
      dropAll(state, results);
      return;
    }
    case 6:
      countdown(state);
      return;
    case 7: {
      value(state, ValueType.i32);
      emit(state, Opcode.if, 0x40);
      state.frames.push([]);
      transfer(state);
      deadCode(state);
      state.frames.pop();
      emit(state, Opcode.end);
      return;
    }
    case 8:
      callAndDrop(state);
      return;
    case 9:
      bulk(state);
      return;
    case 10: {
      const frame = pick(
        state,
        indicesOf(state.frames, ({ length }) => length === 0),
      );
      if (frame === undefined) {
        emit(state, Opcode.nop);
        return;
      }
      value(state, ValueType.i32);
      emit(state, Opcode.brIf, ...leb(state.frames.length - 1 - frame));
      return;
    }
    default:
      value(state, anyType(state));
      emit(state, Opcode.drop);
      return;
  }
}

const TYPES = Object.values(ValueType);

function anyType({ random }: State): ValueType {
  return random(2) === 0 ? ValueType.i32 : (TYPES[random(TYPES.length)] ?? ValueType.i32);
}

function dropAll(state: State, types: readonly ValueType[]): void {
  for (const _ of types) emit(state, Opcode.drop);
}

/** A block, a loop or an `if` of that type; its parameters are on the stack. */
function block(state: State, params: readonly ValueType[], results: readonly ValueType[]): void {
  const { random } = state;
  const opcode = [Opcode.block, Opcode.loop, Opcode.if][random(3)] ?? Opcode.block;
  if (opcode === Opcode.if) value(state, ValueType.i32);
  emit(state, opcode, ...blockType(state, params, results));
  state.frames.push(opcode === Opcode.loop ? params : results);
  branchOfBlock(state, params, results);
  if (opcode === Opcode.if && !(sameTypes(params, results) && random(2) === 0)) {
    emit(state, Opcode.else);
    branchOfBlock(state, params, results);
  }
  state.frames.pop();
  emit(state, Opcode.end);
}

function branchOfBlock(state: State, params: readonly ValueType[], results: readonly ValueType[]): void {
  if (sameTypes(params, results) && state.random(3) === 0) {
    if (state.random(2) === 0) statement(state);
    return;
  }
  dropAll(state, params);
  inside(state, results);
}

function blockType(state: State, params: readonly ValueType[], results: readonly ValueType[]): number[] {
  const [only] = results;
  if (params.length === 0 && only === undefined) return [0x40];
  if (params.length === 0 && results.length === 1 && only !== undefined) return [only];
  return signedLeb(state.around.types.push({ params, results }) - 1);
}

/** A loop that runs a few times, with a local that counts. */
function countdown(state: State): void {
  const local = pick(
    state,
    indicesOf(state.locals, (type) => type === ValueType.i32),
  );
  if (local === undefined) {
    emit(state, Opcode.nop);
    return;
  }
  emit(state, Opcode.loop, 0x40);
  state.frames.push([]);
  if (state.budget > 0) statement(state);
  emit(state, Opcode.localGet, ...leb(local));
  state.code.push(...i32Const(1));
  emit(state, Opcode.i32Sub);
  emit(state, Opcode.localTee, ...leb(local));
  state.code.push(...i32Const([3, 7, 31][state.random(3)] ?? 1));
  emit(state, 0x71);
  emit(state, Opcode.brIf, 0);
  state.frames.pop();
  emit(state, Opcode.end);
}

function callAndDrop(state: State): void {
  let results: readonly ValueType[] = [];
  const any = (type: FunctionType): boolean => {
    results = type.results;
    return true;
  };
  if (call(state, any)) dropAll(state, results);
}

/** A call of a function with such a type, directly or through a table; false where there is none. */
function call(state: State, matches: (type: FunctionType) => boolean, tail = false): boolean {
  const { random, around } = state;
  const first = random(around.functions.length);
  for (let turn = 0; turn < around.functions.length; turn += 1) {
    const index = (first + turn) % around.functions.length;
    const typeIndex = around.functions[index] ?? -1;
    const type = around.types[typeIndex];
    if (type === undefined || !matches(type)) continue;
    values(state, type.params);
    if (random(3) > 0) {
      emit(state, tail ? Opcode.returnCall : Opcode.call, ...leb(index));
      return true;
    }
    const table = pick(
      state,
      indicesOf(around.tables, (other) => other === ValueType.funcref),
    );
    smallNumber(state, 8);
    const opcode = tail ? Opcode.returnCallIndirect : Opcode.callIndirect;
    emit(state, opcode, ...leb(typeIndex), ...leb(table ?? 0));
    return true;
  }
  return false;
}

function bulk(state: State): void {
  const { random, around } = state;
  const range = (): void => {
    address(state);
    smallNumber(state, 256);
  };
  switch (random(7)) {
    case 0:
      address(state);
      range();
      emit(state, Opcode.memoryFill, 0);
      return;
    case 1:
      address(state);
      range();
      emit(state, Opcode.memoryCopy, 0, 0);
      return;
    case 2:
      if (around.dataSegments === 0) {
        emit(state, Opcode.nop);
        return;
      }
      if (random(6) === 0) {
        emit(state, Opcode.dataDrop, ...leb(random(around.dataSegments)));
        return;
      }
      address(state);
      smallNumber(state, 8);
      smallNumber(state, 8);
      emit(state, Opcode.memoryInit, ...leb(random(around.dataSegments)), 0);
      return;
    default:
      onTable(state);
      return;
  }
}

function onTable(state: State): void {
  const { random, around } = state;
  const table = random(around.tables.length);
  const type = around.tables[table] ?? ValueType.funcref;
  const range = (): void => {
    for (let operand = 0; operand < 3; operand += 1) smallNumber(state, 4);
  };
  switch (random(5)) {
    case 0:
      smallNumber(state, 8);
      value(state, type);
      emit(state, 0x26, ...leb(table));
      return;
    case 1:
      value(state, type);
      smallNumber(state, 4);
      emit(state, Opcode.tableGrow, ...leb(table));
      emit(state, Opcode.drop);
      return;
    case 2:
      smallNumber(state, 4);
      value(state, type);
      smallNumber(state, 4);
      emit(state, Opcode.tableFill, ...leb(table));
      return;
    case 3:
      range();
      emit(state, Opcode.tableCopy, ...leb(table), ...leb(table));
      return;
    default:
      if (around.elementSegments === 0 || type !== ValueType.funcref) {
        emit(state, Opcode.nop);
        return;
      }
      range();
      emit(state, Opcode.tableInit, ...leb(random(around.elementSegments)), ...leb(table));
      return;
  }
}

/** Control goes elsewhere: what follows is dead. */
function transfer(state: State): void {
  const { random, frames } = state;
  switch (random(12)) {
    case 0:
      emit(state, Opcode.unreachable);
      return;
    case 1:
    case 2:
    case 3: {
      values(state, state.results);
      emit(state, Opcode.return);
      return;
    }
    case 4:
    case 5:
      if (call(state, ({ results }) => sameTypes(results, state.results), true)) return;
      emit(state, Opcode.unreachable);
      return;
    case 6:
    case 7: {
      const takes = pick(state, frames) ?? [];
      const labels = indicesOf(frames, (other) => sameTypes(other, takes));
      const table = Array.from({ length: random(5) + 1 }, () => pick(state, labels) ?? 0);
      values(state, takes);
      smallNumber(state, 8);
      emit(
        state,
        Opcode.brTable,
        ...leb(table.length - 1),
        ...table.flatMap((frame) => leb(frames.length - 1 - frame)),
      );
      return;
    }
    default: {
      const label = random(3) === 0 ? frames.length - 1 : random(frames.length);
      values(state, frames[frames.length - 1 - label] ?? []);
      emit(state, Opcode.br, ...leb(label));
      return;
    }
  }
}

/** Operators that nothing leads to and that would not be valid anywhere else; they leave nothing. */
function deadCode(state: State): void {
  const { random } = state;
  for (let left = random(4); left > 0; left -= 1) {
    switch (random(9)) {
      case 0:
        emit(state, Opcode.drop);
        break;
      case 1:
        emit(state, Opcode.i32Add);
        emit(state, Opcode.drop);
        break;
      case 2:
        emit(state, 0x1b); // `select` of what has no type
        emit(state, Opcode.drop);
        break;
      case 3:
        if (state.locals.length > 0) emit(state, Opcode.localSet, ...leb(random(state.locals.length)));
        break;
      case 4: {
        const index = random(state.around.functions.length);
        emit(state, Opcode.call, ...leb(index));
        dropAll(state, state.around.types[state.around.functions[index] ?? -1]?.results ?? []);
        break;
      }
      case 5: {
        const label = random(state.frames.length);
        emit(state, Opcode.brIf, ...leb(label));
        dropAll(state, state.frames[state.frames.length - 1 - label] ?? []);
        break;
      }
      case 6: {
        emit(state, Opcode.memoryFill, 0);
        emit(state, Opcode.br, ...leb(random(state.frames.length)));
        break;
      }
      case 7: {
        const types = [anyType(state), anyType(state)];
        block(state, types, types);
        dropAll(state, types);
        break;
      }
      default:
        if (state.budget > 0) statement(state);
    }
  }
}
