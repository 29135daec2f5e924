import { expect, test } from "vitest";
import { MODULE_BOUNDS } from "../../src/instrument/bounds.ts";
import { instrument } from "../../src/instrument/instrument.ts";
import { readModule } from "../../src/wasm/read-module.ts";
import { GROW_REFUSALS_EXPORT } from "../../src/wasm/reserved.ts";
import { writeModule } from "../../src/wasm/write-module.ts";
import { contents } from "../wasm/contents.ts";
import { compileRust, type ProgramEnd, runProgram } from "./rust.ts";

const CAPS = { memoryBytes: 64 * 1024 * 1024, tableElements: 10_000 };
const RELEASE = ["-C", "opt-level=3", "-C", "strip=debuginfo"];

const PROGRAMS = {
  collections: `
    use std::collections::{BTreeMap, HashMap};
    fn main() {
        let text = "the quick brown fox jumps over the lazy dog and the cat";
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for word in text.split(' ') { *counts.entry(word).or_default() += 1; }
        let sorted: BTreeMap<_, _> = counts.iter().collect();
        let mut numbers: Vec<u64> = (0..50_000).map(|n: u64| n.wrapping_mul(6364136223846793005) >> 7).collect();
        numbers.sort_unstable();
        println!("{sorted:?} {} {:.6}", numbers[25_000], numbers.iter().map(|n| *n as f64).sum::<f64>().sqrt());
    }`,
  dynamic: `
    trait Shape { fn area(&self) -> f64; }
    struct Circle(f64); struct Square(f64);
    impl Shape for Circle { fn area(&self) -> f64 { self.0 * self.0 * std::f64::consts::PI } }
    impl Shape for Square { fn area(&self) -> f64 { self.0 * self.0 } }
    fn ackermann(m: u64, n: u64) -> u64 {
        match (m, n) { (0, n) => n + 1, (m, 0) => ackermann(m - 1, 1), (m, n) => ackermann(m - 1, ackermann(m, n - 1)) }
    }
    fn main() {
        let shapes: Vec<Box<dyn Shape>> = vec![Box::new(Circle(2.0)), Box::new(Square(3.0))];
        let areas: Vec<String> = shapes.iter().map(|shape| format!("{:.3}", shape.area())).collect();
        println!("{} {}", areas.join(" "), ackermann(2, 9));
        std::process::exit(areas.len() as i32 + 5);
    }`,
  vectors: `
    use std::arch::wasm32::*;
    #[target_feature(enable = "simd128")]
    fn sum(values: &[i32]) -> i32 {
        let mut total = i32x4_splat(0);
        for part in values.chunks_exact(4) {
            total = i32x4_add(total, unsafe { v128_load(part.as_ptr().cast()) });
        }
        i32x4_extract_lane::<0>(total) + i32x4_extract_lane::<1>(total)
            + i32x4_extract_lane::<2>(total) + i32x4_extract_lane::<3>(total)
    }
    fn main() {
        let values: Vec<i32> = (0..1000).collect();
        println!("{}", unsafe { sum(&values) });
    }`,
  panicking: `
    #[inline(never)]
    fn fourth(values: &[u8]) -> u8 { values[values.len() + 3] }
    fn main() { println!("before"); println!("{}", fourth(&[1, 2])); }`,
};

function ending({ end, stdout, stderr, pages }: ProgramEnd): object {
  return { end, stdout, stderr, pages };
}

test.each(
  Object.keys(PROGRAMS).flatMap((name) =>
    ["0", "3"].map((level) => [name as keyof typeof PROGRAMS, level] as const),
  ),
)(
  "%s at opt-level %s: reading and writing loses nothing, and the capped module does what rustc's does",
  async (name, level) => {
    const bytes = await compileRust(PROGRAMS[name], ["-C", `opt-level=${level}`, "-C", "strip=debuginfo"]);
    const written = writeModule(readModule(bytes, MODULE_BOUNDS));
    expect(contents(written)).toEqual(contents(bytes));
    const original = ending(runProgram({ bytes }));
    expect(original).toMatchObject({ stdout: expect.stringMatching(/\n$/) });
    expect(ending(runProgram({ bytes: written }))).toEqual(original);
    const capped = runProgram(instrument(bytes, CAPS));
    expect(ending(capped)).toEqual(original);
    expect(capped.exports[GROW_REFUSALS_EXPORT]).toMatchObject({ value: 0 });
  },
);

test("a program with all its debug information is accepted, and leaves it behind", async () => {
  const bytes = await compileRust(PROGRAMS.dynamic, ["-C", "debuginfo=2"]);
  const capped = instrument(bytes, CAPS);
  expect(bytes.length).toBeGreaterThan(1_000_000);
  expect(capped.bytes.length).toBeLessThan(bytes.length / 2);
  expect(ending(runProgram(capped))).toEqual(ending(runProgram({ bytes })));
});

test("a program that gets no more memory dies with a refusal on the counter; one that panics dies without", async () => {
  const greedy = await compileRust(
    `fn main() {
        let mut kept = Vec::new();
        loop { kept.push(vec![1u8; 1 << 20]); if kept.len() > 4000 { break; } }
        println!("{}", kept.len());
    }`,
    RELEASE,
  );
  const starved = runProgram(instrument(greedy, CAPS));
  expect(starved).toMatchObject({ end: "unreachable", stdout: "" });
  expect(starved.pages).toBeLessThanOrEqual(1024);
  expect(starved.stderr).toContain("memory allocation of");
  expect((starved.exports[GROW_REFUSALS_EXPORT] as WebAssembly.Global<"i32">).value).toBeGreaterThan(0);

  const panicking = await compileRust(PROGRAMS.panicking, RELEASE);
  const panicked = runProgram(instrument(panicking, CAPS));
  expect(panicked).toMatchObject({ end: "unreachable", stdout: "before\n" });
  expect(panicked.exports[GROW_REFUSALS_EXPORT]).toMatchObject({ value: 0 });
});

test("a program that is told of a refusal and goes on ends well, and the refusal is counted", async () => {
  const careful = await compileRust(
    `fn main() {
        let mut large: Vec<u8> = Vec::new();
        println!("{}", large.try_reserve_exact(std::hint::black_box(1 << 30)).is_err());
        std::hint::black_box(&large);
    }`,
    RELEASE,
  );
  const ended = runProgram(instrument(careful, CAPS));
  expect(ended).toMatchObject({ end: "exit 0", stdout: "true\n" });
  expect((ended.exports[GROW_REFUSALS_EXPORT] as WebAssembly.Global<"i32">).value).toBeGreaterThan(0);
});

test("a program whose statics are larger than the cap is refused before it runs", async () => {
  const large = await compileRust(
    `static mut LARGE: [u8; 100 << 20] = [0; 100 << 20];
    fn main() { println!("{}", unsafe { std::ptr::read_volatile(&raw const LARGE[std::env::args().count()]) }); }`,
    RELEASE,
  );
  expect(() => instrument(large, CAPS)).toThrow(
    /it starts with \d+ bytes of memory, above the limit of 67108864/,
  );
  expect(() => instrument(large, { ...CAPS, memoryBytes: 128 << 20 })).not.toThrow();
});

test("a trap in a capped program names the Rust function it was in", async () => {
  const bytes = await compileRust(PROGRAMS.panicking, RELEASE);
  const module = readModule(instrument(bytes, CAPS).bytes, MODULE_BOUNDS);
  expect(Buffer.from(module.names?.functions ?? []).includes("fourth")).toBe(true);
});
