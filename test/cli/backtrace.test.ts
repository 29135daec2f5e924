import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { scriptcell } from "./support.ts";

const FALL_OVER = fileURLToPath(new URL("../../fixtures/attacks/run/fall-over.rs", import.meta.url));

const AREA = "<script::shapes::Square<u8> as script::shapes::Area>::area";

test("a panic is followed by the functions that were running", async () => {
  const { exitCode, stderr } = await scriptcell(["run", FALL_OVER, "--", "index"]);
  expect(exitCode).toBe(101);
  expect(stderr).toMatch(/^scriptcell: panicked at script\.rs:\d+:\d+\n/m);
  expect(stderr).toContain(`\n  at ${AREA}::{closure#0}\n  at ${AREA}\n  at script::main\n`);
});

test("a trap is followed by the functions that were running", async () => {
  const { exitCode, stderr } = await scriptcell(["run", FALL_OVER, "--", "abort"]);
  expect(exitCode).toBe(134);
  expect(stderr).toMatch(
    /^scriptcell: trapped .*\n {2}at std::process::abort\n {2}at script::give_up\n {2}at script::main\n$/m,
  );
});

test("a recursion is one line", async () => {
  const { stderr } = await scriptcell(["run", FALL_OVER, "--", "deep"]);
  expect(stderr).toContain("\n  at script::divide\n  at script::count_down (63 times)\n");
});

test("no more than ten lines are told, and that there are more", async () => {
  const source = `${Array.from({ length: 15 }, (_, i) => `#[inline(never)] fn f${i}() { f${i + 1}() }`).join("\n")}
    fn f15() { panic!() } fn main() { f0() }`;
  const { stderr } = await scriptcell(["run", "-"], { input: source });
  const told = stderr.split("\n").filter((line) => line.startsWith("  at "));
  expect(told).toEqual(Array.from({ length: 10 }, (_, i) => `  at script::f${15 - i}`));
  expect(stderr).toContain("\n  and 7 more (--json lists them)\n");
});

test("--json has all of it, and nothing is told besides", async () => {
  const { stdout, stderr } = await scriptcell(["run", FALL_OVER, "--json", "--", "deep"]);
  expect(stderr).toBe("");
  const { backtrace } = JSON.parse(stdout) as { backtrace: { function: string; index: number }[] };
  expect(backtrace).toHaveLength(64);
  expect(backtrace[0]).toEqual({ function: "script::divide", index: expect.any(Number) });
});

test("a script that ends well has none", async () => {
  const { stderr } = await scriptcell(["run", FALL_OVER, "--", "stand"]);
  expect(stderr).toBe("");
});
