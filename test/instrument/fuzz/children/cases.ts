/**
 * Runs cases without end, or one: `kind seed` on a line before each, `= how it ended` after it, `! what is wrong` where
 * something is. Each line is written before anything else is done: a crash leaves the case that caused it as the last one.
 */
import { readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openOracle } from "../../../support/oracle.ts";
import { mutate, randomNumbers } from "../../mutate.ts";
import { asCommand, type CaseEnd, runCase } from "../cases.ts";
import type { Random } from "../generate-body.ts";
import { generateCommand } from "../generate-command.ts";
import { mutateOperators } from "../mutate-operators.ts";
import { expectFuelOfWasmtime } from "../wasmtime.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    /** Only this case. */
    only: { type: "string" },
    /** Modules of compilers, and of other generators. */
    compiled: { type: "string" },
    others: { type: "string" },
  },
});

const compiled = modulesIn(values.compiled);
const others = modulesIn(values.others);

const GENERATED_FUEL = 20_000n;
const COMPILED_FUEL = 2_000_000n;

/** Tables of generated modules stay below: what grows in Wasmtime has to grow here. */
const WASMTIME_CAPS = { memoryBytes: 1024 * 1024, tableElements: 1_000 };

await using oracle = await openOracle();

type Kind = (random: Random) => CaseEnd | Promise<CaseEnd>;

const KINDS: Record<string, Kind> = {
  generated: (random) => runCase(generateCommand(random), GENERATED_FUEL, random),
  damaged: (random) => runCase(mutate(generateCommand(random), random), GENERATED_FUEL, random),
  "compiled-changed": (random) =>
    runCase(mutateOperators(oneOf(compiled, random), random), COMPILED_FUEL, random),
  wasmtime: (random) =>
    expectFuelOfWasmtime(oracle, generateCommand(random, []), { caps: WASMTIME_CAPS, fuel: GENERATED_FUEL }),
  "compiled-damaged": (random) => runCase(mutate(oneOf(compiled, random), random), COMPILED_FUEL, random),
};
if (others.length > 0) KINDS.others = (random) => other(oneOf(others, random), random);

function other(bytes: Uint8Array, random: Random): CaseEnd {
  const command = asCommand(bytes);
  return command === undefined ? "refused" : runCase(command, GENERATED_FUEL, random);
}

function oneOf(modules: readonly Uint8Array[], random: Random): Uint8Array {
  return modules[random(modules.length)] ?? new Uint8Array();
}

function modulesIn(directory: string | undefined): Uint8Array[] {
  if (directory === undefined) return [];
  return readdirSync(directory).map((file) => new Uint8Array(readFileSync(join(directory, file))));
}

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

for (let seed = Number(values.seed); ; seed += 1) {
  for (const [name, run] of Object.entries(KINDS)) {
    if (values.only !== undefined && values.only !== name) continue;
    say(`${name} ${seed}`);
    try {
      say(`= ${await run(randomNumbers(Math.imul(seed, 0x9e37_79b1)))}`);
    } catch (error) {
      const { message, cause } = error as Error;
      say(`! ${String((cause as Error | undefined)?.stack).replaceAll("\n", " ")} ${message}`);
    }
  }
  if (values.only !== undefined) break;
}
