import { mkdir } from "node:fs/promises";
import { beforeEach, expect, test } from "vitest";
import { BLOCK_BYTES, type StoreLayout, storeLayout } from "../../src/store/layout.ts";
import { announceUsage, correctUsage, readUsage } from "../../src/store/usage.ts";
import { ownDirectory } from "./samples.ts";

const MANY = 1_000 * BLOCK_BYTES;

let layout: StoreLayout;

beforeEach(async () => {
  layout = storeLayout(await ownDirectory());
  await mkdir(layout.root);
});

test("adds up what is announced, and tells the first", async () => {
  expect(await announceUsage(layout, 2 * BLOCK_BYTES, MANY)).toEqual({
    usedBytes: 2 * BLOCK_BYTES,
    fits: true,
    first: true,
  });
  expect(await announceUsage(layout, 3 * BLOCK_BYTES, MANY)).toEqual({
    usedBytes: 5 * BLOCK_BYTES,
    fits: true,
    first: false,
  });
  expect(await readUsage(layout)).toBe(5 * BLOCK_BYTES);
});

test("lets in what fits exactly, and does not count what does not fit", async () => {
  const bound = 3 * BLOCK_BYTES;
  expect(await announceUsage(layout, 3 * BLOCK_BYTES, bound)).toMatchObject({ fits: true });
  expect(await announceUsage(layout, BLOCK_BYTES, bound)).toMatchObject({ fits: false, usedBytes: bound });
  expect(await readUsage(layout)).toBe(bound);
});

test("never lets in more than fits, however many ask at once", async () => {
  const asked = Array.from({ length: 100 }, () => announceUsage(layout, BLOCK_BYTES, 10 * BLOCK_BYTES));
  const letIn = (await Promise.all(asked)).filter((answer) => answer.fits);
  expect(letIn.length).toBeLessThanOrEqual(10);
});

test("is corrected to what was found and what was announced meanwhile", async () => {
  await announceUsage(layout, 9 * BLOCK_BYTES, MANY);
  const before = await readUsage(layout);
  await announceUsage(layout, 2 * BLOCK_BYTES, MANY);
  await correctUsage(layout, before, 4 * BLOCK_BYTES);
  expect(await readUsage(layout)).toBe(6 * BLOCK_BYTES);
});

test("never falls below what was found when two correct it at once", async () => {
  await announceUsage(layout, 9 * BLOCK_BYTES, MANY);
  const before = await readUsage(layout);
  await correctUsage(layout, before, 4 * BLOCK_BYTES);
  await correctUsage(layout, before, 4 * BLOCK_BYTES);
  expect(await readUsage(layout)).toBe(4 * BLOCK_BYTES);
});
