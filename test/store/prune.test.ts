import { lstat, mkdir, readdir, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { newOwner } from "../../src/owner.ts";
import { type DiskStore, openDiskStore } from "../../src/store/disk.ts";
import { storeLayout, temporaryPath } from "../../src/store/layout.ts";
import { entryFile, noWarning, ownDirectory, sampleKey, sampleModule } from "./samples.ts";

const MiB = 1024 * 1024;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let directory: string;
let store: DiskStore;

function openDisk(maxBytes: number, maxAgeMs = 30 * DAY): DiskStore {
  return openDiskStore({ directory, maxBytes, maxAgeMs, onWarning: noWarning });
}

beforeEach(async () => {
  directory = await ownDirectory();
  store = openDisk(64 * MiB);
});

/** Stores a module of three blocks whose last use was `agoMs` ago. */
async function storeUsed(n: number, agoMs: number): Promise<void> {
  await store.set(sampleKey(n), sampleModule(n, 9_000));
  await setUsed(n, agoMs);
}

async function setUsed(n: number, agoMs: number): Promise<void> {
  const used = new Date(Date.now() - agoMs);
  await utimes(entryFile(directory, sampleKey(n)), used, used);
}

const keptNumbers = async (...numbers: number[]) => {
  const keys = (await store.list()).map((entry) => entry.key);
  return numbers.filter((n) => keys.includes(sampleKey(n)));
};

/** What the entries really take up, by looking at each. */
async function occupied(): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(join(directory, "v1"), { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith(".module")) continue;
    const stats = await stat(join(entry.parentPath, entry.name)).catch(() => undefined);
    bytes += Math.ceil((stats?.size ?? 0) / 4096) * 4096;
  }
  return bytes;
}

test("lists the entries, last used first, with what they take up", async () => {
  await storeUsed(1, 3 * HOUR);
  await storeUsed(2, 1 * HOUR);
  await storeUsed(3, 2 * HOUR);
  const entries = await store.list();
  expect(entries.map((entry) => entry.key)).toEqual([2, 3, 1].map(sampleKey));
  expect(entries.map((entry) => entry.bytes)).toEqual([12_288, 12_288, 12_288]);
  expect(Date.now() - (entries[0]?.usedAt.getTime() ?? 0)).toBeGreaterThanOrEqual(HOUR);
});

test("removes what was used least recently until the rest is within the bound", async () => {
  for (const [n, hours] of [
    [1, 3],
    [2, 1],
    [3, 2],
    [4, 5],
  ] as const)
    await storeUsed(n, hours * HOUR);
  const report = await store.prune({ maxBytes: 2 * 12_288, maxAgeMs: 30 * DAY });
  expect(await keptNumbers(1, 2, 3, 4)).toEqual([2, 3]);
  expect(report).toEqual({
    removedEntries: 2,
    removedBytes: 2 * 12_288,
    keptEntries: 2,
    keptBytes: 2 * 12_288,
    removedLeftovers: 0,
  });
});

test("keeps everything that is exactly at the bound", async () => {
  for (const n of [1, 2]) await storeUsed(n, HOUR);
  await store.prune({ maxBytes: 2 * 12_288, maxAgeMs: 30 * DAY });
  expect(await keptNumbers(1, 2)).toEqual([1, 2]);
  await store.prune({ maxBytes: 2 * 12_288 - 1, maxAgeMs: 30 * DAY });
  expect((await keptNumbers(1, 2)).length).toBe(1);
});

test("a use from the disk counts: the entry that was read last stays", async () => {
  for (const n of [1, 2, 3]) await storeUsed(n, (10 - n) * HOUR);
  await store.get(sampleKey(1));
  await store.prune({ maxBytes: 12_288, maxAgeMs: 30 * DAY });
  expect(await keptNumbers(1, 2, 3)).toEqual([1]);
});

test("removes what has not been used for too long, however small the store is", async () => {
  await storeUsed(1, 8 * DAY);
  await storeUsed(2, 6 * DAY);
  await store.prune({ maxBytes: 64 * MiB, maxAgeMs: 7 * DAY });
  expect(await keptNumbers(1, 2)).toEqual([2]);
});

describe("when the clock jumps", () => {
  test("an entry from the future is served, kept, and ages from now on", async () => {
    await storeUsed(1, -400 * DAY);
    expect(await store.get(sampleKey(1))).toBeDefined();
    await setUsed(1, -400 * DAY);
    await store.prune({ maxBytes: 64 * MiB, maxAgeMs: 7 * DAY });
    const [entry] = await store.list();
    expect(entry?.key).toBe(sampleKey(1));
    expect(entry?.usedAt.getTime()).toBeLessThanOrEqual(Date.now() + 1_000);
  });

  test("a note of the last prune from the future does not keep the next from happening", async () => {
    await storeUsed(1, HOUR);
    await store.idle();
    const later = new Date(Date.now() + 400 * DAY);
    await utimes(join(directory, "v1", "pruned"), later, later);
    await setUsed(1, 31 * DAY);
    await store.set(sampleKey(2), sampleModule(2));
    await store.idle();
    expect(await keptNumbers(1, 2)).toEqual([2]);
  });
});

describe("leftovers", () => {
  const temporary = (owner: string) => temporaryPath(storeLayout(directory), sampleKey(9), owner);
  const dead = () => newOwner().replace(/^(\w+)\.\d+\.\d+/, "$1.4194303.1");

  const deadElsewhere = () => dead().replace(/^\w+/, "0123456789abcdef");

  beforeEach(async () => {
    await store.set(sampleKey(1), sampleModule(1));
    await store.idle();
  });

  test("of a dead process go at once, of one that lives stay", async () => {
    const [gone, alive] = [temporary(dead()), temporary(newOwner())];
    await writeFile(gone, "half");
    await writeFile(alive, "half");
    const report = await store.prune({ maxBytes: 64 * MiB, maxAgeMs: DAY });
    expect(report.removedLeftovers).toBe(1);
    expect(await readdir(join(directory, "v1", "tmp"))).toEqual([alive.slice(alive.lastIndexOf("/") + 1)]);
  });

  test("of a later process with the same pid are told apart by when it started", async () => {
    await writeFile(temporary(newOwner().replace(/^(\w+\.\d+)\.\d+/, "$1.1")), "half");
    expect((await store.prune({ maxBytes: 64 * MiB, maxAgeMs: DAY })).removedLeftovers).toBe(1);
  });

  test("of a process on another machine, which cannot be asked, stay for an hour", async () => {
    const path = temporary(deadElsewhere());
    await writeFile(path, "half");
    await store.prune({ maxBytes: 64 * MiB, maxAgeMs: DAY });
    expect((await lstat(path)).isFile()).toBe(true);
    const old = new Date(Date.now() - 61 * 60_000);
    await utimes(path, old, old);
    await store.prune({ maxBytes: 64 * MiB, maxAgeMs: DAY });
    expect(await readdir(join(directory, "v1", "tmp"))).toEqual([]);
  });

  test("include locks of dead processes, but none that is held", async () => {
    const locks = join(directory, "v1", "locks");
    await symlink(dead(), join(locks, sampleKey(1)));
    await symlink(newOwner(), join(locks, sampleKey(2)));
    await store.prune({ maxBytes: 64 * MiB, maxAgeMs: DAY });
    expect(await readdir(locks)).toEqual([sampleKey(2)]);
  });

  test("are only what a store makes: other files and directories stay and do not disturb", async () => {
    const strange = [
      join(directory, "README"),
      join(directory, "v1", "notes"),
      join(directory, "v1", "locks", "file"),
      join(directory, "v1", sampleKey(1).slice(0, 2), "file.module"),
    ];
    for (const path of strange) await writeFile(path, "mine");
    await mkdir(join(directory, "v1", "tmp", "directory"));
    await store.prune({ maxBytes: 0, maxAgeMs: 0 });
    for (const path of strange) expect((await lstat(path)).isFile(), path).toBe(true);
    expect(await store.list()).toEqual([]);
  });
});

describe("by itself", () => {
  test("keeps 10,000 small modules within the bound at every moment", { timeout: 300_000 }, async () => {
    const bound = 2 * MiB;
    store = openDisk(bound);
    let highest = 0;
    for (let n = 0; n < 10_000; n += 1) {
      await store.set(sampleKey(n), sampleModule(n));
      if (n % 250 === 0) highest = Math.max(highest, await occupied());
    }
    await store.idle();
    expect(Math.max(highest, await occupied())).toBeLessThanOrEqual(bound);
    // It is a cache all the same: it stays filled, and with what came last.
    expect(highest).toBeGreaterThan(bound / 2);
    expect((await store.list()).length).toBeGreaterThan(250);
    const newest = await Promise.all(Array.from({ length: 100 }, (_, n) => store.get(sampleKey(9_999 - n))));
    expect(newest.filter(Boolean).length).toBeGreaterThan(0);
  });

  test("counts what other processes wrote", async () => {
    const others = Array.from({ length: 8 }, () => openDisk(1 * MiB));
    for (let n = 0; n < 400; n += 1) {
      const turn = others[n % others.length];
      await turn?.set(sampleKey(n), sampleModule(n, 9_000));
      if (n % 40 === 0) expect(await occupied()).toBeLessThanOrEqual(1 * MiB);
    }
    for (const other of others) await other.idle();
    expect(await occupied()).toBeLessThanOrEqual(1 * MiB);
    expect(await occupied()).toBeGreaterThan(MiB / 2);
  });

  test("finds its way back when the count is lost", async () => {
    store = openDisk(1 * MiB);
    for (let n = 0; n < 60; n += 1) await store.set(sampleKey(n), sampleModule(n, 9_000));
    await store.idle();
    await rm(join(directory, "v1", "usage"));
    for (let n = 60; n < 130; n += 1) {
      await store.set(sampleKey(n), sampleModule(n, 9_000));
      await store.idle();
      expect(await occupied()).toBeLessThanOrEqual(1 * MiB);
    }
  });

  test("finds its way back when the count is far too high", async () => {
    await store.set(sampleKey(1), sampleModule(1));
    await store.idle();
    await writeFile(join(directory, "v1", "usage"), Buffer.alloc(100_000));
    await store.set(sampleKey(2), sampleModule(2));
    await store.idle();
    await store.set(sampleKey(3), sampleModule(3));
    expect(await keptNumbers(1, 2, 3)).toEqual([1, 3]);
  });

  test("makes room for a large module that did not fit at first", async () => {
    store = openDisk(1 * MiB);
    for (let n = 0; n < 60; n += 1) await store.set(sampleKey(n), sampleModule(n, 9_000));
    await store.idle();
    await store.set(sampleKey(100), sampleModule(100, 900_000));
    expect(await store.get(sampleKey(100))).toBeUndefined();
    await store.idle();
    await store.set(sampleKey(100), sampleModule(100, 900_000));
    expect(await store.get(sampleKey(100))).toStrictEqual(sampleModule(100, 900_000));
    expect(await occupied()).toBeLessThanOrEqual(1 * MiB);
  });

  test("drops what is too old once a day", async () => {
    await storeUsed(1, HOUR);
    await store.idle();
    await setUsed(1, 31 * DAY);
    await store.set(sampleKey(2), sampleModule(2));
    await store.idle();
    expect(await keptNumbers(1, 2), "no day has passed").toEqual([1, 2]);
    const yesterday = new Date(Date.now() - DAY - HOUR);
    await utimes(join(directory, "v1", "pruned"), yesterday, yesterday);
    await store.set(sampleKey(3), sampleModule(3));
    await store.idle();
    expect(await keptNumbers(1, 2, 3)).toEqual([2, 3]);
  });
});
