import { appendExport, appendFunction, appendGlobal } from "../../wasm/append.ts";
import { countImports } from "../../wasm/indices.ts";
import { mapFunctionsInConstants } from "../../wasm/map-functions.ts";
import type { Body, FunctionType, WasmModule } from "../../wasm/module.ts";
import { Opcode } from "../../wasm/opcodes.ts";
import { FUEL_EXPORT } from "../../wasm/reserved.ts";
import { ValueType } from "../../wasm/value-types.ts";
import { createWriter } from "../../wasm/writer.ts";
import { mostMeteredBytes } from "../bounds.ts";
import { createCopier } from "../fuel/copy-code.ts";
import { findLight } from "../fuel/light.ts";
import { type Meter, pastRoom, writeMetered } from "../fuel/meter.ts";
import type { Planner } from "../fuel/planner.ts";
import { withFuel, withoutFuel } from "../fuel/thunks.ts";
import type { Pass } from "../pass.ts";

/** Bytes of metered code for each byte of compiled code, with some more: the writer grows where it takes others. */
const USUAL_GROWTH = 1.75;

/** Fuel, as planned while the module was read: every function gets it as a parameter more, and gives it back as a result more. */
export function fuel(planner: Planner): Pass {
  return (module) => {
    const importTypes = module.imports.flatMap((item) => (item.kind === "function" ? [item.typeIndex] : []));
    const ownTypes = [...module.functions];
    const typeIndexOf = (functionIndex: number): number =>
      importTypes[functionIndex] ?? ownTypes[functionIndex - importTypes.length] ?? -1;
    const global = appendGlobal(module, { type: ValueType.i64, mutable: true, init: zero() });
    const meter = createMeter(module, planner, global);

    module.functions = ownTypes.map(meter.typeWithFuel);
    throughThunks(module, meter, typeIndexOf);
    meterBodies(module, planner, meter, ownTypes);
    appendExport(module, { name: FUEL_EXPORT, kind: "global", index: global });
  };
}

function createMeter(module: WasmModule, { marks, plans, firstLocal }: Planner, global: number): Meter {
  const { types, addressed } = module;
  const importedFunctions = countImports(module, "function");
  const entryCosts = new Int32Array(importedFunctions + plans.length);
  for (const [index, { first }] of plans.entries()) {
    const functionIndex = importedFunctions + index;
    if (!addressed.has(functionIndex)) entryCosts[functionIndex] = marks.cost[first] ?? 0;
  }
  const withFuel: number[] = [];
  const typeWithFuel = (typeIndex: number): number => {
    const known = withFuel[typeIndex];
    if (known !== undefined) return known;
    const { params, results } = typeAt(module, typeIndex);
    const index =
      types.push({ params: [...params, ValueType.i64], results: [...results, ValueType.i64] }) - 1;
    withFuel[typeIndex] = index;
    return index;
  };
  // By the list of a function's results, which all functions of its type share.
  const blockTypes = new Map<FunctionType["results"], number>();
  const blockType = (results: FunctionType["results"]): number => {
    const index = blockTypes.get(results) ?? types.push({ params: [], results }) - 1;
    blockTypes.set(results, index);
    return index;
  };
  const room = mostMeteredBytes(module.bodies.reduce((size, { start, end }) => size + end - start, 0));
  return {
    room,
    global,
    marks,
    copier: createCopier(firstLocal),
    importedFunctions,
    entryCosts,
    standIns: new Map(),
    typeWithFuel,
    blockType,
  };
}

/** Appends a function that stands between the guest and the world. A few bytes of guest ask for very long ones. */
function appendThunk(module: WasmModule, meter: Meter, typeIndex: number, thunk: Body): number {
  meter.room -= thunk.end;
  if (meter.room < 0) throw pastRoom();
  return appendFunction(module, typeIndex, thunk);
}

/** Puts thunks between the guest's functions and the world: what is exported has no fuel, what is in a table has. */
function throughThunks(
  module: WasmModule,
  meter: Meter,
  typeIndexOf: (functionIndex: number) => number,
): void {
  for (const functionIndex of module.addressed) {
    if (functionIndex >= meter.importedFunctions) continue;
    const typeIndex = typeIndexOf(functionIndex);
    const thunk = withFuel(typeAt(module, typeIndex), functionIndex, meter.global);
    meter.standIns.set(functionIndex, appendThunk(module, meter, meter.typeWithFuel(typeIndex), thunk));
  }
  if (meter.standIns.size > 0) {
    mapFunctionsInConstants(module, (functionIndex) => meter.standIns.get(functionIndex) ?? functionIndex);
  }
  for (const item of module.exports) {
    if (item.kind !== "function" || item.index < meter.importedFunctions) continue;
    const typeIndex = typeIndexOf(item.index);
    const thunk = withoutFuel(typeAt(module, typeIndex), item.index, meter.global);
    item.index = appendThunk(module, meter, typeIndex, thunk);
  }
}

/** What is written goes to one buffer: bodies may be very many. */
function meterBodies(module: WasmModule, planner: Planner, meter: Meter, types: readonly number[]): void {
  const { bodies } = module;
  const light = findLight(planner, meter.importedFunctions);
  const writer = createWriter(
    64 + Math.ceil(USUAL_GROWTH * bodies.reduce((size, { start, end }) => size + end - start, 0)),
  );
  for (const [index, plan] of planner.plans.entries()) {
    const start = writer.length;
    const functionIndex = meter.importedFunctions + index;
    const body = bodies[index];
    if (body === undefined) throw new RangeError(`function ${functionIndex} has no body`);
    const long = writeMetered(writer, meter, {
      body,
      plan,
      type: typeAt(module, types[index] ?? -1),
      paidByCallers: meter.entryCosts[functionIndex] !== 0,
      checksAtEntry: light[functionIndex] !== 1,
    });
    body.start = start;
    body.end = writer.length;
    body.long = long;
  }
  // Where the writer had to grow, the first bodies are in a buffer that it has left.
  for (const body of bodies.slice(0, planner.plans.length)) body.bytes = writer.bytes;
}

function typeAt({ types }: WasmModule, index: number): FunctionType {
  const type = types[index];
  if (type === undefined) throw new RangeError(`type ${index} does not exist`);
  return type;
}

function zero(): Uint8Array {
  return new Uint8Array([Opcode.i64Const, 0, Opcode.end]);
}
