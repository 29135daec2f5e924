import { MODULE_BOUNDS } from "../../../src/instrument/bounds.ts";
import { indexSpaces } from "../../../src/wasm/indices.ts";
import type { Body, WasmModule } from "../../../src/wasm/module.ts";
import { Opcode } from "../../../src/wasm/opcodes.ts";
import { openBody, operatorCursor } from "../../../src/wasm/operator-cursor.ts";
import { nextOperator } from "../../../src/wasm/operators.ts";
import { readModule } from "../../../src/wasm/read-module.ts";
import { writeModule } from "../../../src/wasm/write-module.ts";
import {
  createWriter,
  writeByte,
  writeBytes,
  writeRange,
  writeS32,
  writeU32,
} from "../../../src/wasm/writer.ts";
import { encodeOpcode } from "./encoding.ts";
import type { Random } from "./generate-body.ts";

/** An operator of a body: `bytes[start, end)`. */
interface Place {
  opcode: number;
  start: number;
  end: number;
  /** Open blocks around it. */
  depth: number;
}

/** Operators that may stand for each other. */
const FAMILIES: ReadonlyArray<readonly [first: number, last: number]> = [
  [0x46, 0x4f], // comparisons of i32
  [0x51, 0x5a], // of i64
  [0x6a, 0x78], // arithmetic of i32
  [0x7c, 0x8a], // of i64
];

/** What can be put in anywhere without a change of types. */
const INSERTIONS: ReadonlyArray<(random: Random, depth: number) => readonly number[]> = [
  () => [Opcode.nop],
  () => [Opcode.unreachable],
  (random, depth) => [Opcode.br, random(Math.min(depth, 100))],
  (random, depth) => [Opcode.i32Const, random(2), Opcode.brIf, random(Math.min(depth, 100))],
  () => [Opcode.return],
  () => [Opcode.block, 0x40, Opcode.end],
  () => [Opcode.loop, 0x40, Opcode.end],
  () => [Opcode.i32Const, 1, Opcode.memoryGrow, 0, Opcode.drop],
  () => [Opcode.i32Const, 64, Opcode.i32Const, 0, Opcode.i32Const, 20, ...encodeOpcode(Opcode.memoryFill), 0],
];

/**
 * A module with one to three operators changed, in functions at random: most of what comes of it is still valid, and does
 * something else.
 */
export function mutateOperators(bytes: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  const module = readModule(bytes, MODULE_BOUNDS);
  for (let left = 1 + random(3); left > 0; left -= 1) {
    const index = random(module.bodies.length);
    const body = module.bodies[index];
    if (body === undefined) continue;
    const places = placesOf(module, body, index);
    const place = places[random(places.length)];
    if (place !== undefined) module.bodies[index] = changed(body, place, random);
  }
  return writeModule(module);
}

function placesOf(module: WasmModule, body: Body, index: number): Place[] {
  const operators = operatorCursor(indexSpaces(module), MODULE_BOUNDS);
  openBody(operators, body, module.types[module.functions[index] ?? -1]?.params.length ?? 0);
  const places: Place[] = [];
  while (operators.depth > 0) {
    const { depth } = operators;
    nextOperator(operators);
    places.push({ opcode: operators.opcode, start: operators.start, end: operators.at, depth });
  }
  return places;
}

function changed(body: Body, { opcode, start, end, depth }: Place, random: Random): Body {
  const writer = createWriter(body.end - body.start + 16);
  writeRange(writer, body.bytes, body.start, start);
  const family = FAMILIES.find(([first, last]) => opcode >= first && opcode <= last);
  if (family !== undefined) {
    writeByte(writer, family[0] + random(family[1] - family[0] + 1));
  } else if (opcode === Opcode.i32Const && random(2) === 0) {
    writeByte(writer, opcode);
    writeS32(writer, random(300) - 100);
  } else if ((opcode === Opcode.br || opcode === Opcode.brIf) && random(2) === 0) {
    writeByte(writer, random(4) === 0 ? opcode ^ 1 : opcode);
    writeU32(writer, random(depth));
  } else {
    const insertion = INSERTIONS[random(INSERTIONS.length)]?.(random, depth) ?? [];
    writeBytes(writer, new Uint8Array(insertion));
    writeRange(writer, body.bytes, start, end);
  }
  writeRange(writer, body.bytes, end, body.end);
  return { ...body, bytes: writer.bytes, start: 0, end: writer.length };
}
