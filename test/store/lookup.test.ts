import { beforeEach, expect, test, vi } from "vitest";
import { openDiskStore } from "../../src/store/disk.ts";
import { noWarning, ownDirectory, sampleKey, sampleModule } from "./samples.ts";

const calls = vi.hoisted(() => [] as string[]);

// Every function of node:fs/promises that is called is written down; handles that are opened are not followed further.
vi.mock("node:fs/promises", async (original) => {
  const real = await original<Record<string, unknown>>();
  return Object.fromEntries(
    Object.entries(real).map(([name, value]) => [
      name,
      typeof value !== "function"
        ? value
        : (...args: unknown[]) => {
            calls.push(name);
            return value(...args);
          },
    ]),
  );
});

beforeEach(() => {
  calls.length = 0;
});

/** What a look-up of a key that is there, and of one that is not, calls in a store with so many entries. */
async function callsOfLookUp(entries: number): Promise<{ hit: string[]; miss: string[] }> {
  const directory = await ownDirectory();
  const open = () => openDiskStore({ directory, maxBytes: 1e9, maxAgeMs: 1e9, onWarning: noWarning });
  const writer = open();
  for (let n = 0; n < entries; n += 1) await writer.set(sampleKey(n), sampleModule(n));
  await writer.idle();
  const reader = open();
  await reader.get(sampleKey(0));
  const record = async (key: string) => {
    calls.length = 0;
    await reader.get(key);
    return [...calls];
  };
  return { hit: await record(sampleKey(0)), miss: await record("0".repeat(64)) };
}

test("a look-up lists no directory and asks the file system for the same, however many entries there are", async () => {
  const few = await callsOfLookUp(1);
  const many = await callsOfLookUp(1_000);
  expect(few.hit).toEqual(["lstat", "open"]);
  expect(many.hit).toEqual(few.hit);
  expect(many.miss.every((name) => name === "lstat" || name === "open")).toBe(true);
  expect(many.miss.length).toBeLessThanOrEqual(2);
});

test("a write lists no directory either, except for the first one's look at what is there", async () => {
  const directory = await ownDirectory();
  const store = openDiskStore({ directory, maxBytes: 1e9, maxAgeMs: 1e9, onWarning: noWarning });
  await store.set(sampleKey(0), sampleModule(0));
  await store.idle();
  expect(calls, "the spy sees listings").toContain("readdir");
  calls.length = 0;
  for (let n = 1; n < 50; n += 1) await store.set(sampleKey(n), sampleModule(n));
  await store.idle();
  expect(calls.filter((name) => name === "readdir" || name === "opendir")).toEqual([]);
});
