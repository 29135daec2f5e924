import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PREVIEW1_NAMES } from "../../../src/guest/preview1/create.ts";
import { Caller } from "../caller.ts";
import { scratch } from "../support.ts";
import { LEFT_OUT, SIGNATURES } from "./signatures.ts";

/** The same numbers every time (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const PATHS = [
  "f",
  "d/g",
  "..",
  ".",
  "d/..",
  "d/../..",
  "/etc",
  "l",
  "up/x",
  "d/",
  "new",
  "d/new",
  "",
  "x\0y",
  "loop",
  "\uFEFF",
];

test("the list of signatures leaves no function out", () => {
  expect([...Object.keys(SIGNATURES), ...LEFT_OUT].sort()).toEqual([...PREVIEW1_NAMES].sort());
});

/** A mount beside a secret, with a bit of everything in it, and a guest that may change it. */
function furnish(outside: string, name: string): Caller {
  const root = join(outside, name);
  mkdirSync(join(root, "d"), { recursive: true });
  writeFileSync(join(root, "f"), "inside");
  writeFileSync(join(root, "d/g"), "deep");
  symlinkSync("d/g", join(root, "l"));
  symlinkSync("..", join(root, "up"));
  symlinkSync("loop", join(root, "loop"));
  return new Caller({
    mounts: [
      { source: root, guest: "/data" },
      { source: root, guest: "/reading", access: "read", maxBytes: 100 },
    ],
    grants: { openFiles: 8, diskBytes: 1 << 16, outputBytes: 1 << 30, clock: { kind: "monotonic" } },
    stdin: "x".repeat(10_000),
  });
}

const LIVES = 40;

test.each([1, 2, 3, 4])("no call, whatever its arguments, is more than an error number: seed %i", (seed) => {
  const outside = scratch();
  writeFileSync(join(outside, "secret"), "outside");
  const before = readdirSync("/proc/self/fd").length;
  const random = randomNumbers(seed);
  const pick = <Value>(values: readonly Value[]): Value =>
    values[Math.floor(random() * values.length)] as Value;
  const longs = [
    0n,
    1n,
    2n,
    66n,
    100n,
    65_536n,
    (1n << 31n) - 1n,
    (1n << 53n) + 1n,
    (1n << 63n) - 1n,
    (1n << 63n) - 2n,
    1n << 63n,
    (1n << 64n) - 1n,
  ];

  const names = Object.keys(SIGNATURES);
  const answers = new Set<string>();
  for (let life = 0; life < LIVES; life++) {
    const guest = furnish(outside, `mount${life}`);
    const end = guest.memory.buffer.byteLength;
    const paths = PATHS.map((path) => guest.put(path));
    const vectors = [
      guest.vector([4096, 16]),
      guest.vector([4096, 3], [4096, 700]),
      guest.vector([4096, 0], [8192, 100], [end - 1, 1]),
      guest.vector([end, 4]),
    ];
    const anything = [0, 1, 2, 3, 4, 8, 16, 31, 32, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, end - 1, end];
    const make: Record<string, () => readonly (number | bigint)[]> = {
      f: () => [pick([0, 1, 2, 3, 3, 3, 4, 4, 5, 6, 7, 8, 9, 10, 99])],
      p: () => pick(paths),
      v: () => pick(vectors),
      b: () => [pick([4096, end - 40]), pick([0, 10, 40, 41, 300])],
      r: () => [pick([64, 64, 64, 65, 512, end - 8, end - 1])],
      w: () => [pick([0, 0, 1, 2, 4, 5, 8, 9])],
      L: () => [pick(longs)],
    };
    for (let round = 0; round < 300; round++) {
      const name = pick(names);
      const args = [...(SIGNATURES[name] ?? "")]
        .flatMap((kind) => make[kind]?.() ?? [])
        .map((arg) => (typeof arg === "number" && random() < 0.04 ? pick(anything) : arg));
      // Throws for whatever is no answer to a guest.
      answers.add(guest.call(name, ...args));
    }
    guest.witness.wasi.close();
  }

  expect(readFileSync(join(outside, "secret"), "utf8")).toBe("outside");
  expect(readdirSync(outside)).toHaveLength(LIVES + 1);
  // It got into every corner: of the error numbers that the calls know it has met most.
  expect(answers.size).toBeGreaterThanOrEqual(18);
  // The mounts stay open until the test is over.
  expect(readdirSync("/proc/self/fd").length).toBe(before + LIVES * 2);
});
