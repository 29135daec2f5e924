import { expect, test } from "vitest";
import { instrument, ModuleRefused } from "../../src/instrument/instrument.ts";
import { expectAgreement } from "./fuzz/agree.ts";
import { generateCommand } from "./fuzz/generate-command.ts";
import { mutateOperators } from "./fuzz/mutate-operators.ts";
import { mutate, randomNumbers } from "./mutate.ts";
import { compileRust } from "./rust.ts";

const CAPS = { memoryBytes: 2 * 1024 * 1024, tableElements: 200 };

type Counts = Partial<Record<string, number>>;

/** Runs a module with and without fuel and counts how it ended; what differs is thrown with the module. */
function count(
  counts: Counts,
  bytes: Uint8Array<ArrayBuffer>,
  fuel: bigint,
  random: (below: number) => number,
): void {
  try {
    const end = expectAgreement(bytes, instrument(bytes, CAPS), { caps: CAPS, fuel, random });
    counts[end] = (counts[end] ?? 0) + 1;
  } catch (error) {
    if (error instanceof ModuleRefused && !error.message.includes("bug")) {
      counts.refused = (counts.refused ?? 0) + 1;
      return;
    }
    throw new Error(`module ${Buffer.from(bytes).toString("base64")}`, { cause: error });
  }
}

test("of 250 generated programs each does with fuel what it does without, and uses what its operators cost", () => {
  const counts: Counts = {};
  for (let seed = 1; seed <= 250; seed += 1) {
    const random = randomNumbers(Math.imul(seed, 0x9e37_79b1));
    const bytes = generateCommand(random);
    expect(WebAssembly.validate(bytes)).toBe(true);
    count(counts, bytes, 20_000n, random);
  }
  // Nothing that is valid was refused, and every way to end was seen often.
  expect(counts.refused).toBeUndefined();
  for (const end of ["returned", "exited", "trapped", "out of fuel"]) {
    expect(counts[end], end).toBeGreaterThan(20);
  }
});

test("of 500 damaged programs those that are still valid do with fuel what they do without", () => {
  const counts: Counts = {};
  const random = randomNumbers(40_503);
  for (let round = 0; round < 500; round += 1) {
    const damaged = mutate(generateCommand(random), random);
    count(counts, damaged, 20_000n, random);
  }
  expect(counts.refused).toBeGreaterThan(100);
  expect(counts.returned).toBeGreaterThan(3);
  expect(counts.trapped).toBeGreaterThan(3);
});

test("of 60 Rust programs with other operators here and there each does with fuel what it does without", async () => {
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
  const counts: Counts = {};
  const random = randomNumbers(271_828);
  for (let round = 0; round < 60; round += 1) {
    const changed = mutateOperators(program, random);
    if (WebAssembly.validate(changed)) count(counts, changed, 2_000_000n, random);
  }
  expect(counts.returned).toBeGreaterThan(10);
});
