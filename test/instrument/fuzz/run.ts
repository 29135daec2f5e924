import { createContext, Script } from "node:vm";
import { PAGE_BYTES } from "../../../src/instrument/caps.ts";
import type { MemorySize } from "../../../src/instrument/instrument.ts";
import { PREVIEW1_MODULE } from "../../../src/instrument/wasi-preview1.ts";
import type { FunctionType } from "../../../src/wasm/module.ts";
import { FUEL_EXPORT, MEMORY_IMPORT } from "../../../src/wasm/reserved.ts";
import { ValueType } from "../../../src/wasm/value-types.ts";

/** A module that V8 has compiled, and the memory that it imports. */
export interface Loaded {
  module: WebAssembly.Module;
  memory: MemorySize;
}

/** Something that a host can call: `_start` first, then whatever else a module exports. */
export interface Callable {
  name: string;
  type: FunctionType;
}

/** What a module did, as far as its host and the next call can see. */
export interface Run {
  /** How the run ended: the last call came back, the guest ended itself or trapped, the engine's stack or the fuel ran out. */
  end: "returned" | "exited" | "trapped" | "stack overflow" | "out of fuel";
  /** Results of calls and calls of imported functions, in their order. */
  events: string[];
  memory: Uint8Array;
  /** Values of globals and elements of tables. */
  state: string[];
  /** Undefined where the module is not metered. */
  fuelLeft: bigint | undefined;
  /** Whether anything trapped other than by `unreachable`: then what it used since its last call may be missing. */
  trappedInside: boolean;
}

/** No guest here takes nearly so long: what does will not end. */
const DEADLINE_MS = 20_000;

class Exit extends Error {}

let call = (): void => {};
const context = createContext({ call: () => call() });
const script = new Script("call()");

/** Calls with a deadline: the thread of V8 that watches it ends loops of WebAssembly too. */
function callWithDeadline(what: () => void): void {
  call = what;
  script.runInContext(context, { timeout: DEADLINE_MS });
}

/**
 * Runs a module from a fresh instance on, with a host that answers the same to the same questions.
 *
 * @throws whatever a guest cannot cause: a module that does not load, and one that does not end.
 */
export function run(loaded: Loaded, callables: readonly Callable[], fuel: bigint): Run {
  const events: string[] = [];
  const memory = takeMemory(loaded.memory);
  const exports = instantiate(loaded.module, memory, events);
  if (typeof exports === "string") {
    const nothing = { memory: new Uint8Array(), state: [], fuelLeft: fuel };
    return { end: "trapped", events: [exports], trappedInside: true, ...nothing };
  }
  const left = exports[FUEL_EXPORT] as WebAssembly.Global<"i64"> | undefined;
  if (left !== undefined) left.value = fuel;
  let end: Run["end"] = "returned";
  let trappedInside = false;
  for (const { name, type } of callables) {
    const guest = exports[name] as (...args: unknown[]) => unknown;
    try {
      callWithDeadline(() => events.push(`${name}: ${describe(guest(...type.params.map(argument)))}`));
    } catch (error) {
      end = endOf(error);
      if (end === "trapped" && (error as Error).message !== "unreachable") trappedInside = true;
      // Why a guest without fuel was stopped is for the counter to say.
      if (left === undefined || left.value >= 0n) events.push(`${name}: ${(error as Error).message}`);
    }
    if (left !== undefined && left.value < 0n) end = "out of fuel";
    if (end !== "returned" && end !== "trapped") break;
  }
  const state = stateOf(exports);
  return {
    end,
    events,
    memory: new Uint8Array(memory.buffer).slice(),
    state,
    fuelLeft: left?.value,
    trappedInside,
  };
}

let spare: { memory: WebAssembly.Memory; size: MemorySize } | undefined;

/** A memory of zeros of that size: the last one where that is possible, because each new one costs V8 gigabytes of addresses. */
function takeMemory(size: MemorySize): WebAssembly.Memory {
  const { minimum, maximum } = size;
  const fits =
    spare?.size.minimum === minimum &&
    spare.size.maximum === maximum &&
    spare.memory.buffer.byteLength === minimum * PAGE_BYTES;
  const memory = fits && spare ? spare.memory : new WebAssembly.Memory({ initial: minimum, maximum });
  new Uint8Array(memory.buffer).fill(0);
  spare = { memory, size };
  return memory;
}

/** The exports of a new instance, or why its segments do not fit. */
function instantiate(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  events: string[],
): WebAssembly.Exports | string {
  try {
    return new WebAssembly.Instance(module, {
      [PREVIEW1_MODULE]: hostFunctions(module, events, memory),
      [MEMORY_IMPORT.module]: { [MEMORY_IMPORT.name]: memory },
    }).exports;
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return error.message;
    throw error;
  }
}

/** A host for programs that only write, and for those that call at random: it says no to everything, and logs it. */
function hostFunctions(
  module: WebAssembly.Module,
  events: string[],
  memory: WebAssembly.Memory,
): Record<string, (...args: unknown[]) => unknown> {
  const word = (at: unknown, value: number): void => {
    const bytes = new Uint8Array(memory.buffer);
    const start = Number(at) >>> 0;
    if (start + 4 <= bytes.length) new DataView(bytes.buffer).setUint32(start, value, true);
  };
  const answers: Record<string, (...args: unknown[]) => number> = {
    proc_exit(code) {
      throw new Exit(`exit ${String(code)}`);
    },
    fd_write(_, vectors, count, written) {
      const bytes = new Uint8Array(memory.buffer);
      const start = Number(vectors) >>> 0;
      let total = 0;
      for (let at = start; at < start + 8 * Math.min(Number(count), 8) && at + 8 <= bytes.length; at += 8)
        total += new DataView(bytes.buffer).getUint32(at + 4, true);
      word(written, total);
      return 0;
    },
    random_get(at, length) {
      const start = Number(at) >>> 0;
      new Uint8Array(memory.buffer).fill(7, start, start + (Number(length) >>> 0));
      return 0;
    },
    environ_sizes_get: (count, size) => none(count, size),
    args_sizes_get: (count, size) => none(count, size),
    environ_get: () => 0,
    args_get: () => 0,
    sched_yield: () => 0,
  };
  const none = (count: unknown, size: unknown): number => {
    word(count, 0);
    word(size, 0);
    return 0;
  };
  const imports = WebAssembly.Module.imports(module).filter(({ kind }) => kind === "function");
  return Object.fromEntries(
    imports.map(({ name }) => [
      name,
      (...args: unknown[]) => {
        events.push(`${name}(${args.join(", ")})`);
        return answers[name]?.(...args) ?? 8;
      },
    ]),
  );
}

function endOf(error: unknown): Run["end"] {
  if (error instanceof Exit) return "exited";
  if (error instanceof WebAssembly.RuntimeError) return "trapped";
  if (error instanceof RangeError && error.message.startsWith("Maximum call stack")) return "stack overflow";
  throw error;
}

function argument(type: ValueType, position: number): unknown {
  switch (type) {
    case ValueType.i32:
      return position + 3;
    case ValueType.i64:
      return BigInt(position) - 2n;
    case ValueType.f32:
    case ValueType.f64:
      return position + 0.5;
    default:
      return null;
  }
}

/** A function is only told from none: the two modules have functions of their own. */
function describe(value: unknown): string {
  if (Array.isArray(value)) return value.map(describe).join(", ");
  if (typeof value === "function") return "function";
  return Object.is(value, -0) ? "-0" : String(value);
}

function stateOf(exports: WebAssembly.Exports): string[] {
  const state: string[] = [];
  for (const [name, item] of Object.entries(exports)) {
    if (name.startsWith("global ")) state.push(`${name}: ${describe((item as WebAssembly.Global).value)}`);
    if (!(item instanceof WebAssembly.Table)) continue;
    const elements = Array.from({ length: item.length }, (_, index) => describe(item.get(index)));
    state.push(`${name}: ${elements.join(", ")}`);
  }
  return state;
}
