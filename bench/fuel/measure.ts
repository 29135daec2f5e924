import { readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { Profile } from "../../src/compile/rustc-flags.ts";
import { type Instrumented, instrument, instrumentWith, unmetered } from "../../src/instrument/instrument.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { nodeFlags } from "../../src/run/jail.ts";
import { oraclePython } from "../../test/support/oracle-environment.ts";
import { library, source } from "../library.ts";
import { quantile } from "../timing.ts";
import type { Pair, PairDurations } from "./guests.ts";
import { type Rewriting, rewritingOf } from "./rewriting.ts";

const SCRIPTS = new URL("../scripts/fuel/", import.meta.url);
const GUESTS = fileURLToPath(new URL("guests.ts", import.meta.url));
const WASMTIME = fileURLToPath(new URL("wasmtime.py", import.meta.url));

/** How many times as long one took as another in the same round: median and quartiles of the rounds. */
export interface Ratio {
  median: number;
  lower: number;
  upper: number;
}

/** What fuel costs one program. */
export interface ProgramCost {
  program: string;
  /** Of the same module in Wasmtime: `wasmtime`. */
  series: Profile | "wasmtime";
  ratio: Ratio;
  /** The first run, with compiling; null where it was not measured. */
  cold: number | null;
}

export interface FuelCosts {
  node: string;
  programs: readonly ProgramCost[];
  /** Size of a metered module against one with all other passes. */
  growth: Record<Profile, number>;
  rewriting: Record<Profile, Rewriting>;
}

interface Program {
  name: string;
  profile: Profile;
  bytes: Uint8Array;
  plain: Instrumented;
  metered: Instrumented;
}

const PROFILES = ["fast-run", "fast-compile"] as const satisfies readonly Profile[];

/** Measures every program of `scripts/fuel`; the guests run in a Node of the caller's choice. */
export async function measureFuel(node: string): Promise<FuelCosts> {
  const directory = await mkdtemp(join(tmpdir(), "scriptcell-bench-"));
  try {
    const programs = await compilePrograms();
    const costs: ProgramCost[] = [];
    let version = "";
    for (const program of programs) {
      const once = await runPair(node, program, false, directory);
      const again = await runPair(node, program, true, directory);
      version = once.node;
      const warm = (kind: "plain" | "metered"): number[] => [...once[kind].warm, ...again[kind].warm];
      costs.push({
        program: program.name,
        series: program.profile,
        ratio: ratioOf(warm("plain"), warm("metered")),
        cold: geometricMean([once, again].map(({ plain, metered }) => metered.first / plain.first)),
      });
    }
    costs.push(...(await measureWasmtime(programs, directory)));
    const perProfile = <Value>(value: (programs: readonly Program[]) => Value): Record<Profile, Value> => ({
      "fast-run": value(programs.filter(({ profile }) => profile === "fast-run")),
      "fast-compile": value(programs.filter(({ profile }) => profile === "fast-compile")),
    });
    return {
      node: version,
      programs: costs,
      growth: perProfile((some) =>
        geometricMean(some.map(({ plain, metered }) => metered.bytes.length / plain.bytes.length)),
      ),
      rewriting: perProfile((some) => rewritingOf(some.map(({ bytes }) => bytes))),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The geometric mean of ratios. */
export function geometricMean(ratios: readonly number[]): number {
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
}

async function compilePrograms(): Promise<Program[]> {
  await using executor = new library.ScriptExecutor();
  const programs: Program[] = [];
  for (const file of readdirSync(SCRIPTS).sort()) {
    for (const profile of PROFILES) {
      const compiled = await executor.compile(source(new URL(file, SCRIPTS)), { profile });
      if (!compiled.ok) throw new Error(`${file} does not compile`);
      const { bytes } = compiled.module;
      const plain = instrumentWith(bytes, DEFAULT_LIMITS, unmetered);
      const metered = instrument(bytes, DEFAULT_LIMITS);
      programs.push({ name: file.replace(/\.rs$/, ""), profile, bytes, plain, metered });
    }
  }
  return programs;
}

/** In a process of its own, where the engine puts code as it falls out: the same module is some per cent faster in one than in another. */
async function runPair(
  node: string,
  { plain, metered }: Program,
  meteredFirst: boolean,
  directory: string,
): Promise<PairDurations> {
  const guest = async (name: string, { bytes, memory }: Instrumented): Promise<Pair["plain"]> => {
    const module = join(directory, `${name}.wasm`);
    await writeFile(module, bytes);
    return { module, memory };
  };
  const pair: Pair = {
    plain: await guest("plain", plain),
    metered: await guest("metered", metered),
    meteredFirst,
    warmUpMs: 900,
    rounds: 16,
  };
  const flags = nodeFlags(DEFAULT_LIMITS.stackBytes);
  const { stdout } = await execa(node, [...flags, GUESTS, JSON.stringify(pair)]);
  return JSON.parse(stdout) as PairDurations;
}

/** The modules as rustc made them, for speed: Wasmtime meters by itself. */
async function measureWasmtime(programs: readonly Program[], directory: string): Promise<ProgramCost[]> {
  const fast = programs.filter(({ profile }) => profile === "fast-run");
  const paths = await Promise.all(
    fast.map(async ({ name, bytes }) => {
      const path = join(directory, `${name}.wasm`);
      await writeFile(path, bytes);
      return path;
    }),
  );
  const { stdout } = await execa(await oraclePython(), ["-I", WASMTIME, ...paths]);
  const durations = JSON.parse(stdout) as { plain: number[]; metered: number[] }[];
  return durations.map(({ plain, metered }, index) => ({
    program: fast[index]?.name ?? "",
    series: "wasmtime",
    ratio: ratioOf(plain, metered),
    cold: null,
  }));
}

function ratioOf(plain: readonly number[], metered: readonly number[]): Ratio {
  const rounds = metered.map((duration, round) => duration / (plain[round] ?? Number.NaN));
  return {
    median: quantile(rounds, 0.5),
    lower: quantile(rounds, 0.25),
    upper: quantile(rounds, 0.75),
  };
}
