import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { MODULE_BOUNDS } from "../../src/instrument/bounds.ts";
import { instrument } from "../../src/instrument/instrument.ts";
import { interruptible } from "../../src/instrument/passes/interruptible.ts";
import { indexSpaces } from "../../src/wasm/indices.ts";
import { openBody, operatorCursor } from "../../src/wasm/operator-cursor.ts";
import { nextOperator } from "../../src/wasm/operators.ts";
import { readModule } from "../../src/wasm/read-module.ts";
import { assembleFixture } from "../wasm/assemble.ts";
import { instantiate } from "./instantiate.ts";
import { through } from "./through.ts";

const CAPS = { memoryBytes: 256 * 1024 * 1024, tableElements: 100 };
const filling = assembleFixture("filling.wat");

const STARTER = `
  const { parentPort, workerData } = require("node:worker_threads");
  const { bytes, memory: { minimum: initial, maximum } } = workerData;
  const memory = new WebAssembly.Memory({ initial, maximum });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { scriptcell: { memory } });
  exports["scriptcell:fuel"].value = 2n ** 62n;
  parentPort.postMessage("running");
  exports._start();
`;

test("a thread in an endless loop of large fills can be ended", async () => {
  const worker = new Worker(STARTER, { eval: true, workerData: instrument(filling, CAPS) });
  await once(worker, "message");
  // By now it is in the loop and not before it; without the pass, ending it would take minutes.
  await setTimeout(500);
  expect(await worker.terminate()).toBe(1);
});

/** Opcodes of a body, in order. */
function opcodes(bytes: Uint8Array, index: number): number[] {
  const module = readModule(bytes, MODULE_BOUNDS);
  const body = module.bodies[index];
  if (body === undefined) throw new Error(`there is no body ${index}`);
  const cursor = operatorCursor(indexSpaces(module), MODULE_BOUNDS);
  openBody(cursor, body, 0);
  const seen: number[] = [];
  while (cursor.depth > 0) {
    nextOperator(cursor);
    seen.push(cursor.opcode);
  }
  return seen;
}

test("every operator whose work grows with an operand has a call before it, and nothing else has", () => {
  const before = opcodes(filling, 1);
  const after = opcodes(through(interruptible, filling, CAPS), 1);
  const long = new Set([0xfc0b, 0xfc08, 0xfc0a, 0xfc0c, 0xfc0e, 0xfc11, 0xfc0f]);
  expect(before.filter((opcode) => long.has(opcode))).toHaveLength(7);
  expect(after).toEqual(before.flatMap((opcode) => (long.has(opcode) ? [0x10, opcode] : [opcode])));
});

test("bulk operators do what they did", () => {
  const { all, text } = instantiate(instrument(filling, CAPS)) as { all: () => void; text: () => number };
  all();
  expect(text()).toBe("t".charCodeAt(0));
});

test("a function without such operators stays as it is", () => {
  expect(opcodes(through(interruptible, filling, CAPS), 2)).toEqual(opcodes(filling, 2));
});
