import { WasmFormatError } from "../wasm/format-error.ts";
import type { WasmModule } from "../wasm/module.ts";
import type { OperatorVisitor } from "../wasm/operator-cursor.ts";
import { readModule } from "../wasm/read-module.ts";
import { writeModule } from "../wasm/write-module.ts";
import { MAX_BODY_BYTES, MAX_MODULE_BYTES, MODULE_BOUNDS } from "./bounds.ts";
import { type ModuleCaps, pageCap } from "./caps.ts";
import { createPlanner } from "./fuel/plan.ts";
import { gate } from "./gate.ts";
import type { Pass } from "./pass.ts";
import { fuel } from "./passes/fuel.ts";
import { growRefusals } from "./passes/grow-refusals.ts";
import { interruptible } from "./passes/interruptible.ts";
import { memoryCap } from "./passes/memory-cap.ts";
import { memoryImport } from "./passes/memory-import.ts";
import { tableCap } from "./passes/table-cap.ts";
import { ModuleRefused } from "./refusal.ts";

export { ModuleRefused } from "./refusal.ts";

/** A module that may run in a cell. */
export interface Instrumented {
  bytes: Uint8Array<ArrayBuffer>;
  /** The memory that it imports as `MEMORY_IMPORT` says. */
  memory: MemorySize;
}

/** Pages of 64 KiB. */
export interface MemorySize {
  minimum: number;
  maximum: number;
}

/** What becomes of a module that passes the gate. */
export interface Rewriting {
  /** In this order. */
  passes: readonly Pass[];
  /** Looks on while the module is read. */
  visitor?: OperatorVisitor;
}

/** A new pass is a file in passes/ and its name in one of these lists: before fuel, it pays for what it puts in; after, not. */
const BEFORE_FUEL: readonly Pass[] = [memoryCap, tableCap];
const AFTER_FUEL: readonly Pass[] = [growRefusals, interruptible, memoryImport];

/** All passes, for a module of so many bytes: what every guest gets. */
function metered(moduleBytes: number): Rewriting {
  const planner = createPlanner(moduleBytes);
  return { passes: [...BEFORE_FUEL, fuel(planner), ...AFTER_FUEL], visitor: planner };
}

/** All passes but fuel. No guest gets this: it is what the cost of fuel is measured against. */
export function unmetered(): Rewriting {
  return { passes: [...BEFORE_FUEL, ...AFTER_FUEL] };
}

/**
 * Takes any bytes and gives a module that may run in a cell, or refuses them. Every byte counts as hostile: V8 sees the
 * module only after this reader has walked all of it, because validation alone takes minutes on a module that is made to
 * be slow; and what V8 gets to run was written from what was read and is validated once more.
 *
 * Synchronous, and linear in the size of the module.
 *
 * @throws {ModuleRefused} for a module that is malformed, unknown, too large, no WASI preview 1 command, or above its caps.
 */
export function instrument(bytes: Uint8Array, caps: ModuleCaps): Instrumented {
  return instrumentWith(bytes, caps, metered);
}

/** The same with other passes. `plan` gets the size of the module. */
export function instrumentWith(
  bytes: Uint8Array,
  caps: ModuleCaps,
  plan: (moduleBytes: number) => Rewriting,
): Instrumented {
  if (bytes.length > MAX_MODULE_BYTES) {
    throw new ModuleRefused(
      `it has ${bytes.length} bytes, and at most ${MAX_MODULE_BYTES} are accepted`,
      "compile it without debug information, or embed less data",
    );
  }
  // A copy of its own: shared memory could change between the checks and their use.
  const input = new Uint8Array(bytes);
  const { passes, visitor } = plan(input.length);
  const module = read(input, visitor);
  gate(module, caps);
  if (!WebAssembly.validate(input)) {
    throw new ModuleRefused(
      "it is not valid WebAssembly",
      "compile it again with a compiler that is known to work",
    );
  }
  const memory = cappedMemory(module, caps);
  for (const pass of passes) pass(module, caps);
  return { bytes: write(module), memory };
}

/** The size of the one memory that the gate lets through. */
function cappedMemory({ memories }: WasmModule, caps: ModuleCaps): MemorySize {
  const cap = pageCap(caps);
  const [memory] = memories;
  return { minimum: memory?.minimum ?? 0, maximum: Math.min(memory?.maximum ?? cap, cap) };
}

function read(bytes: Uint8Array, visitor: OperatorVisitor | undefined): WasmModule {
  try {
    return readModule(bytes, MODULE_BOUNDS, visitor);
  } catch (error) {
    if (!(error instanceof WasmFormatError)) throw error;
    throw new ModuleRefused(
      error.message,
      "compile it for wasm32-wasip1 with the target's default features",
      {
        offset: error.offset,
        cause: error,
      },
    );
  }
}

function write(module: WasmModule): Uint8Array<ArrayBuffer> {
  const large = module.bodies.find(({ start, end }) => end - start > MAX_BODY_BYTES);
  if (large !== undefined) {
    throw new ModuleRefused("a function is too large once it is metered", "split the function");
  }
  const bytes = writeModule(module);
  if (!WebAssembly.validate(bytes)) {
    throw new ModuleRefused("it is not valid once it is metered", "report it to scriptcell: this is a bug");
  }
  return bytes;
}
