/**
 * Runs one program as it is and metered, in turn (A B B A …), and prints how long each run took:
 * `node guests.ts PAIR`, PAIR being a {@link Pair} as JSON. A process of its own for each program, with the settings of a cell, so that
 * the engine decides about it as it does in a cell; and it may be another Node than the caller's.
 */
import { readFileSync } from "node:fs";
import { FUEL_EXPORT, MEMORY_IMPORT } from "../../src/wasm/reserved.ts";
import { barePreview1 } from "../bare-preview1.ts";
import { processorTime } from "../processor-time.ts";

/** A program twice. */
export interface Pair {
  plain: Guest;
  metered: Guest;
  /** Which one comes first: the second finds Node's own code warm. */
  meteredFirst: boolean;
  warmUpMs: number;
  rounds: number;
}

export interface Guest {
  /** Path of the module. */
  module: string;
  memory: { minimum: number; maximum: number };
}

/** Milliseconds of each run, the first one (with compiling) apart: processor time of the guest's thread, which others on the machine leave alone. */
export interface Durations {
  first: number;
  warm: number[];
}

export interface PairDurations {
  node: string;
  plain: Durations;
  metered: Durations;
  fuel: string;
}

const FUEL = 2n ** 62n;

interface Runner {
  first: number;
  fuelUsed: bigint;
  /** Runs once more; gives the milliseconds. */
  run(): number;
}

function load({ module: path, memory }: Guest): Runner {
  const bytes = new Uint8Array(readFileSync(path));
  const size = { initial: memory.minimum, maximum: memory.maximum };
  let used = 0n;
  const start = (module: WebAssembly.Module, guestMemory: WebAssembly.Memory): void => {
    const wasi = barePreview1(module);
    const { exports } = new WebAssembly.Instance(module, {
      wasi_snapshot_preview1: wasi.imports,
      [MEMORY_IMPORT.module]: { [MEMORY_IMPORT.name]: guestMemory },
    });
    wasi.bind(guestMemory);
    const fuel = exports[FUEL_EXPORT] as WebAssembly.Global<"i64"> | undefined;
    if (fuel !== undefined) fuel.value = FUEL;
    (exports._start as () => void)();
    if (wasi.output().length === 0) throw new Error(`${path} printed nothing`);
    if (fuel !== undefined) used = FUEL - fuel.value;
  };
  const timed = (work: (guestMemory: WebAssembly.Memory) => void): number => {
    const guestMemory = new WebAssembly.Memory(size);
    const before = processorTime();
    work(guestMemory);
    return processorTime() - before;
  };
  let module: WebAssembly.Module | undefined;
  const first = timed((guestMemory) => {
    module = new WebAssembly.Module(bytes);
    start(module, guestMemory);
  });
  const compiled = module;
  if (compiled === undefined) throw new Error(`${path} was not compiled`);
  return {
    first,
    get fuelUsed() {
      return used;
    },
    run: () => timed((guestMemory) => start(compiled, guestMemory)),
  };
}

function measure(pair: Pair): PairDurations {
  const { warmUpMs, rounds } = pair;
  const early = pair.meteredFirst ? load(pair.metered) : undefined;
  const plain = load(pair.plain);
  const metered = early ?? load(pair.metered);
  const warm = { plain: [] as number[], metered: [] as number[] };
  const warmUntil = performance.now() + warmUpMs;
  for (let round = 0; round < 4 || performance.now() < warmUntil; round++) {
    plain.run();
    metered.run();
  }
  const inTurn = [() => warm.plain.push(plain.run()), () => warm.metered.push(metered.run())];
  // What runs just after the other finds the caches as it left them: each is first as often as the other.
  for (let round = 0; round < rounds; round++) {
    inTurn.reverse();
    for (const run of inTurn) run();
  }
  return {
    node: process.version,
    plain: { first: plain.first, warm: warm.plain },
    metered: { first: metered.first, warm: warm.metered },
    fuel: String(metered.fuelUsed),
  };
}

const [, , request] = process.argv;
if (request === undefined) throw new Error("what is to be measured has to be said");
console.log(JSON.stringify(measure(JSON.parse(request) as Pair)));
