import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { assembleFixture } from "../wasm/assemble.ts";
import { runCase } from "./fuzz/cases.ts";
import type { Random } from "./fuzz/generate-body.ts";
import { generateCommand } from "./fuzz/generate-command.ts";
import { mutateOperators } from "./fuzz/mutate-operators.ts";
import { mutate, randomNumbers } from "./mutate.ts";
import { compileRust } from "./rust.ts";

const GENERATED_FUEL = 20_000n;
const COMPILED_FUEL = 2_000_000n;

/** How cases ended, for so many rounds of one that is made with random numbers. */
function tally(rounds: number, seed: number, run: (random: Random) => string): Map<string, number> {
  const counts = new Map<string, number>();
  const random = randomNumbers(seed);
  for (let round = 0; round < rounds; round += 1) {
    const end = run(random);
    counts.set(end, (counts.get(end) ?? 0) + 1);
  }
  return counts;
}

test("of 250 generated programs each does with fuel what it does without, and uses what its operators cost", () => {
  const counts = tally(250, 20_261_122, (random) => {
    const bytes = generateCommand(random);
    expect(WebAssembly.validate(bytes)).toBe(true);
    return runCase(bytes, GENERATED_FUEL, random);
  });
  expect(counts.get("refused")).toBeUndefined();
  // Every way to end was seen often.
  for (const end of ["returned", "exited", "trapped", "out of fuel"]) {
    expect(counts.get(end), end).toBeGreaterThan(15);
  }
});

test("of 500 damaged programs those that are still valid do with fuel what they do without", () => {
  const counts = tally(500, 40_503, (random) =>
    runCase(mutate(generateCommand(random), random), GENERATED_FUEL, random),
  );
  expect(counts.get("invalid")).toBeGreaterThan(100);
  expect(counts.get("returned")).toBeGreaterThan(3);
  expect(counts.get("trapped")).toBeGreaterThan(3);
});

test("of 40 Rust programs with other operators here and there each does with fuel what it does without", async () => {
  const program = await compileRust(
    `use std::collections::BTreeMap;
    trait Shape { fn area(&self) -> u64; }
    struct Square(u64);
    struct Strip(u64, u64);
    impl Shape for Square { fn area(&self) -> u64 { self.0 * self.0 } }
    impl Shape for Strip { fn area(&self) -> u64 { self.0 * self.1 } }
    fn main() {
        let shapes: Vec<Box<dyn Shape>> =
            (0..40).map(|n| -> Box<dyn Shape> { if n % 3 == 0 { Box::new(Square(n)) } else { Box::new(Strip(n, 7)) } }).collect();
        let mut areas: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for shape in &shapes { areas.entry(shape.area() % 17).or_default().push(format!("{:>5}", shape.area())); }
        println!("{areas:?}");
    }`,
    ["-C", "opt-level=s", "-C", "lto", "-C", "strip=symbols"],
  );
  const counts = tally(40, 271_828, (random) =>
    runCase(mutateOperators(program, random), COMPILED_FUEL, random),
  );
  expect(counts.get("refused")).toBeUndefined();
  expect(counts.get("returned")).toBeGreaterThan(5);
});

test.each(readdirSync(new URL("../../fixtures/modules/fuzz/", import.meta.url)))(
  "%s does with fuel what it does without",
  (file) => {
    const bytes = assembleFixture(`fuzz/${file}`);
    expect(["returned", "trapped"]).toContain(runCase(bytes, GENERATED_FUEL, randomNumbers(1)));
  },
);
