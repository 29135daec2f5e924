import { expect, test } from "vitest";
import { createMemoryStore } from "../../src/store/memory.ts";
import { describeModuleStore } from "../conformance/module-store.ts";
import { sampleKey } from "./samples.ts";

const module = (size: number) => ({ bytes: new Uint8Array(size), diagnostics: [] });

describeModuleStore("memory", async () => createMemoryStore(10_000_000));

test("drops the module that was used least recently", () => {
  const store = createMemoryStore(35_000);
  for (const n of [1, 2, 3]) store.keep(sampleKey(n), module(10_000));
  store.peek(sampleKey(1));
  store.keep(sampleKey(4), module(10_000));
  expect([1, 2, 3, 4].map((n) => store.peek(sampleKey(n)) !== undefined)).toEqual([true, false, true, true]);
});

test("lets a module be that is larger than the bound, and keeps the others", () => {
  const store = createMemoryStore(20_000);
  store.keep(sampleKey(1), module(10_000));
  store.keep(sampleKey(2), module(20_001));
  expect(store.peek(sampleKey(2))).toBeUndefined();
  expect(store.peek(sampleKey(1))).toBeDefined();
});

test("keeps no old module in the place of one that is too large", () => {
  const store = createMemoryStore(20_000);
  store.keep(sampleKey(1), module(10_000));
  store.keep(sampleKey(1), module(20_001));
  expect(store.peek(sampleKey(1))).toBeUndefined();
});

test("bounds the number of tiny modules too", () => {
  const store = createMemoryStore(64_000);
  for (let n = 0; n < 10_000; n += 1) store.keep(sampleKey(n), module(0));
  const kept = Array.from({ length: 10_000 }, (_, n) => store.peek(sampleKey(n))).filter(Boolean);
  expect(kept.length).toBeGreaterThan(50);
  expect(kept.length).toBeLessThanOrEqual(125);
});

test("counts the text of diagnostics", () => {
  const store = createMemoryStore(20_000);
  const rendered = "x".repeat(20_000);
  const warning = {
    level: "warning",
    message: "",
    spans: [],
    children: [],
    suggestions: [],
    rendered,
  } as const;
  store.keep(sampleKey(1), { bytes: new Uint8Array(), diagnostics: [warning] });
  expect(store.peek(sampleKey(1))).toBeUndefined();
});

test("keeps nothing with a bound of 0", () => {
  const store = createMemoryStore(0);
  store.keep(sampleKey(1), module(0));
  expect(store.peek(sampleKey(1))).toBeUndefined();
});

test("forgets everything when it is cleared", () => {
  const store = createMemoryStore(10_000);
  store.keep(sampleKey(1), module(1));
  store.clear();
  expect(store.peek(sampleKey(1))).toBeUndefined();
});
