import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { MODULE_BOUNDS } from "../../src/instrument/bounds.ts";
import { instrument, ModuleRefused } from "../../src/instrument/instrument.ts";
import { WasmFormatError } from "../../src/wasm/format-error.ts";
import { readModule } from "../../src/wasm/read-module.ts";
import { writeModule } from "../../src/wasm/write-module.ts";
import { assembleFixture } from "../wasm/assemble.ts";
import { contents } from "../wasm/contents.ts";
import { mutate, randomNumbers } from "./mutate.ts";

const CAPS = { memoryBytes: 1024 * 1024, tableElements: 100 };

const ACCEPTED = seeds("accepted");
const REFUSED = seeds("refused");

function seeds(folder: string): Uint8Array[] {
  const files = readdirSync(new URL(`../../fixtures/modules/${folder}/`, import.meta.url));
  return files.map((file) => assembleFixture(`${folder}/${file}`, { names: true }));
}

/** Seeds that pass and seeds that do not, in turns. */
function seed(round: number): Uint8Array {
  const from = round % 2 === 0 ? ACCEPTED : REFUSED;
  return from[(round >> 1) % from.length] ?? new Uint8Array();
}

/** Says of one module what the gate made of it; anything but an accepted valid module or a refusal is thrown on. */
function outcome(bytes: Uint8Array): "accepted" | "refused" {
  try {
    const { bytes: written } = instrument(bytes, CAPS);
    expect(WebAssembly.validate(written)).toBe(true);
    expect(WebAssembly.validate(new Uint8Array(bytes))).toBe(true);
    return "accepted";
  } catch (error) {
    if (!(error instanceof ModuleRefused)) throw error;
    expect(error.message).not.toContain("bug");
    if (error.offset !== undefined) expect(error.offset).toBeLessThanOrEqual(bytes.length);
    return "refused";
  }
}

test("of 20,000 damaged modules each is refused as such, or valid once it is capped", () => {
  const random = randomNumbers(20_261_122);
  const counts = { accepted: 0, refused: 0 };
  for (let round = 0; round < 20_000; round += 1) {
    const damaged = mutate(seed(round), random);
    try {
      counts[outcome(damaged)] += 1;
    } catch (error) {
      throw new Error(`module ${Buffer.from(damaged).toString("hex")}`, { cause: error });
    }
  }
  // Damage that hits a constant or a name leaves a module whole: both ways were gone, often.
  expect(counts.accepted).toBeGreaterThan(1_000);
  expect(counts.refused).toBeGreaterThan(5_000);
});

/** What the reader leaves out on purpose, though V8 has it: features, and sizes beyond its bounds. */
const ON_PURPOSE = /is not supported$|accepted$|of a type index/;

test("of 10,000 damaged modules the reader takes all that V8 takes, but for what it leaves out by name", () => {
  const random = randomNumbers(7_919);
  const counts = { both: 0, onlyV8: 0 };
  for (let round = 0; round < 10_000; round += 1) {
    const damaged = mutate(seed(round), random);
    if (!WebAssembly.validate(damaged)) continue;
    const what = `module ${Buffer.from(damaged).toString("hex")}`;
    try {
      const written = writeModule(readModule(damaged, MODULE_BOUNDS));
      expect(WebAssembly.validate(written), what).toBe(true);
      expect(contents(written), what).toEqual(contents(damaged));
      counts.both += 1;
    } catch (error) {
      if (!(error instanceof WasmFormatError)) throw error;
      expect(error.message, what).toMatch(ON_PURPOSE);
      counts.onlyV8 += 1;
    }
  }
  expect(counts.both).toBeGreaterThan(1_000);
  expect(counts.onlyV8).toBeGreaterThan(10);
});

test("20,000 strings of random bytes behind a preamble are refused without any other error", () => {
  const random = randomNumbers(65_537);
  for (let round = 0; round < 20_000; round += 1) {
    const bytes = Uint8Array.from({ length: 8 + random(64) }, () => random(256));
    bytes.set([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
    expect(outcome(bytes)).toBe("refused");
  }
});
