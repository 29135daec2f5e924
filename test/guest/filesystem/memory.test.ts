import { expect, test } from "vitest";
import { Errno, Failure } from "../../../src/guest/filesystem/errno.ts";
import type { Directory, File } from "../../../src/guest/filesystem/filesystem.ts";
import { openMemoryDirectory } from "../../../src/guest/filesystem/memory.ts";
import { createRoom } from "../../../src/guest/filesystem/memory-room.ts";
import { SCRATCH_NAME_BYTES, SCRATCH_NODE_BYTES } from "../../../src/run/protocol.ts";
import { describeFilesystem } from "../../conformance/filesystem.ts";
import { openMemory } from "./memory-support.ts";

const WRITE = { read: true, write: true, truncate: false };
const MiB = 1024 * 1024;
/** What a file, directory or link with a name of one letter is charged. */
const ENTRY = SCRATCH_NODE_BYTES + SCRATCH_NAME_BYTES + 1;

describeFilesystem(
  "memory",
  () => openMemory().root,
  () => openMemory().root,
);

test("a filesystem takes a file of exactly the bytes that are left, and not one more", () => {
  for (const size of [1, 511, 512, 513, 65_536, 65_537, 300_000]) {
    const { root } = openMemory(ENTRY + size);
    const file = root.create("f", WRITE);
    expect(file.write(new Uint8Array(size), 0, size, 0n)).toBe(size);
    expect(failure(() => file.write(new Uint8Array(1), 0, 1, BigInt(size)))).toBe(Errno.NOSPC);
    expect(failure(() => root.create("g", WRITE))).toBe(Errno.NOSPC);
    expect(file.size()).toBe(BigInt(size));
  }
});

test("a write that fits in part says how much did", () => {
  const { root } = openMemory(ENTRY + 100_000);
  const file = root.create("f", WRITE);
  expect(file.write(new Uint8Array(MiB), 0, MiB, 0n)).toBe(100_000);
  expect(file.size()).toBe(100_000n);
});

test("what lies inside a mount of few bytes is counted there and in the room of all", () => {
  const all = createRoom({ bytes: 10_000, objects: 100, full: () => new Failure(Errno.NOSPC) });
  const few = createRoom({ bytes: 2_000, objects: 100, full: () => new Failure(Errno.DQUOT), within: all });
  const root = openMemoryDirectory({ device: 1n, room: few, now: () => 0n });
  const file = root.create("f", WRITE);
  expect(file.write(new Uint8Array(9_000), 0, 9_000, 0n)).toBe(2_000 - ENTRY);
  expect(failure(() => file.append(new Uint8Array(1), 0, 1))).toBe(Errno.DQUOT);
  expect([few.left(), all.left(), all.peak()]).toEqual([0, 8_000, 2_000]);
  const whole = openMemoryDirectory({ device: 2n, room: all, now: () => 0n }).create("f", WRITE);
  expect(whole.write(new Uint8Array(9_000), 0, 9_000, 0n)).toBe(8_000 - ENTRY);
  expect(failure(() => whole.append(new Uint8Array(1), 0, 1))).toBe(Errno.NOSPC);
});

test("a million empty files are bounded, by their bytes and by their number", () => {
  const { root, room } = openMemory(64 * MiB, 250_000);
  let made = 0;
  expect(
    failure(() => {
      for (; made < 1_000_000; made++) root.create(`${made}`, WRITE).close();
    }),
  ).toBe(Errno.NOSPC);
  expect(made).toBeLessThan((64 * MiB) / (SCRATCH_NODE_BYTES + SCRATCH_NAME_BYTES));
  expect(room.left()).toBeLessThan(ENTRY + 6);
  const crowded = openMemory(64 * MiB, 1_000).root;
  made = 0;
  expect(
    failure(() => {
      for (; made < 1_000_000; made++) crowded.mkdir(`${made}`);
    }),
  ).toBe(Errno.NOSPC);
  expect(made).toBe(1_000);
  expect(failure(() => crowded.link("0", crowded, "x"))).toBe(Errno.PERM);
  crowded.rmdir("0");
  crowded.mkdir("0");
});

test("further names and pieces of contents count as objects too", () => {
  const { root } = openMemory(64 * MiB, 10);
  const file = root.create("f", WRITE);
  for (let i = 1; i < 5; i++) expect(file.write(new Uint8Array(1), 0, 1, BigInt(i) << 16n)).toBe(1);
  for (let i = 0; i < 5; i++) root.link("f", root, `${i}`);
  expect(failure(() => root.link("f", root, "x"))).toBe(Errno.NOSPC);
  expect(failure(() => file.write(new Uint8Array(1), 0, 1, 1n << 40n))).toBe(Errno.NOSPC);
  root.unlink("0");
  expect(file.write(new Uint8Array(1), 0, 1, 1n << 40n)).toBe(1);
});

test("a hole takes no room, however large, and reads as zeros", () => {
  const { root, room } = openMemory(MiB);
  const file = root.create("f", WRITE);
  const left = room.left();
  for (const size of [1n << 40n, 1n << 60n, (1n << 63n) - 1n]) {
    file.truncate(size);
    expect(file.size()).toBe(size);
    const into = new Uint8Array(100).fill(1);
    expect(file.read(into, 0, 100, size - 60n)).toBe(60);
    expect(into.subarray(0, 60).every((byte) => byte === 0)).toBe(true);
  }
  expect(room.left()).toBe(left);
  expect(file.write(Buffer.from("end"), 0, 3, (1n << 60n) + 5n)).toBe(3);
  const into = new Uint8Array(5);
  expect(file.read(into, 0, 5, (1n << 60n) + 4n)).toBe(5);
  expect(Buffer.from(into).toString()).toBe("\0end\0");
  expect(left - room.left()).toBe(512);
  file.truncate(7n);
  expect(room.left()).toBe(left);
});

test("appending to a large file never copies it", () => {
  const { root, room } = openMemory(256 * MiB, 10_000);
  const file = root.create("f", WRITE);
  const chunk = new Uint8Array(65_536).fill(3);
  for (let i = 0; i < 1_600; i++) file.append(chunk, 0, chunk.length);
  expect(file.size()).toBe(1_600n * 65_536n);
  // Every piece is as long as it will ever be: growth that copied or doubled the whole would show in what is taken.
  expect(room.peak()).toBe(1_600 * 65_536 + ENTRY);
});

test("a tree of a hundred thousand levels is made, moved and dropped without exhausting the stack", () => {
  const { root } = openMemory(256 * MiB, 250_000);
  let directory = root;
  for (let depth = 0; depth < 100_000; depth++) {
    directory.mkdir("d");
    const inside = directory.enter("d");
    if (inside.kind !== "directory") throw new Error(inside.kind);
    if (directory !== root) directory.close();
    directory = inside;
  }
  expect(failure(() => root.rename("d", directory, "x"))).toBe(Errno.INVAL);
  root.rename("d", root, "e");
  directory.mkdir("deepest");
  expect(root.statAt("e").links).toBe(3n);
});

test("a name keeps nothing alive but itself", () => {
  const { root } = openMemory(64 * MiB, 250_000);
  const collect = globalThis.gc;
  const before = memoryAfter(collect);
  for (let i = 0; i < 5_000; i++) {
    // As a path is cut into names: each of them a part of a string of 64 KiB.
    const path = `${i}-is-longer-than-a-dozen-characters/`.padEnd(65_536, "x");
    root.create(path.split("/")[0] ?? "", WRITE).close();
  }
  expect(memoryAfter(collect) - before).toBeLessThan(100 * MiB);
});

test("a program that renames every name that it is listed comes to an end", () => {
  const { root } = openMemory();
  for (let i = 0; i < 100; i++) root.create(`${i}`, WRITE).close();
  const listing = root.list();
  let seen = 0;
  for (let entry = listing.next(); entry !== undefined; entry = listing.next()) {
    seen += 1;
    root.rename(entry.name, root, `new-${entry.name}`);
  }
  expect(seen).toBe(100);
});

test("runs alike see the same inodes and the same order", () => {
  const look = (): unknown[] => {
    const { root } = openMemory();
    for (const name of ["b", "a", "c"]) root.create(name, WRITE).close();
    root.unlink("a");
    root.mkdir("d");
    return listed(root).map(({ name, inode }) => [name, inode]);
  };
  expect(look()).toEqual(look());
  expect(look()).toEqual([
    ["b", 2n],
    ["c", 4n],
    ["d", 5n],
  ]);
});

test("timestamps say what the clock says, and nothing more", () => {
  let now = 5n;
  const { root } = openMemory(MiB, 100, () => now);
  const file = root.create("f", WRITE);
  now = 7n;
  file.append(new Uint8Array(1), 0, 1);
  expect(file.stat()).toMatchObject({ accessedNs: 5n, modifiedNs: 7n, changedNs: 7n });
  now = 9n;
  root.setTimesAt("f", "now", 3n);
  expect(file.stat()).toMatchObject({ accessedNs: 9n, modifiedNs: 3n, changedNs: 9n });
});

test("whatever is done, all that was taken is given back when all is removed", () => {
  const { root, room } = openMemory(300_000, 400);
  const start = room.left();
  const next = generator(42);
  const open: File[] = [];
  const pick = (): string => `${next(6)}`.repeat(1 + next(3));
  const directories = [root];
  for (let i = 0; i < 4; i++) {
    root.mkdir(`dir${i}`);
    const found = root.enter(`dir${i}`);
    if (found.kind === "directory") directories.push(found);
  }
  const some = (): Directory => directories[next(directories.length)] ?? root;
  const actions: ReadonlyArray<() => void> = [
    () => void open.push(some().create(pick(), WRITE)),
    () => some().mkdir(pick()),
    () => some().symlink("x".repeat(1 + next(50)), pick()),
    () => some().link(pick(), some(), pick()),
    () => some().rename(pick(), some(), pick()),
    () => some().unlink(pick()),
    () => some().rmdir(pick()),
    () => open.splice(next(open.length + 1), 1)[0]?.close(),
    () =>
      void open[next(open.length + 1)]?.write(new Uint8Array(9_000), 0, next(9_000), BigInt(next(200_000))),
    () => open[next(open.length + 1)]?.truncate(BigInt(next(200_000))),
  ];
  let refused = 0;
  for (let step = 0; step < 20_000; step++) {
    const errno = failure(() => actions[next(actions.length)]?.());
    if (errno === Errno.NOSPC) refused += 1;
    expect(room.left()).toBeGreaterThanOrEqual(0);
  }
  expect(refused).toBeGreaterThan(0);
  for (const file of open) file.close();
  for (const directory of directories) empty(directory);
  for (const directory of directories.slice(1)) directory.close();
  empty(root);
  expect(room.left()).toBe(start);
});

/** Removes what is in a directory, the directories in it last. */
function empty(directory: Directory): void {
  for (const { name, type } of listed(directory)) {
    if (type !== "directory") directory.unlink(name);
    else {
      const inside = directory.enter(name);
      if (inside.kind === "directory") {
        empty(inside);
        inside.close();
      }
      directory.rmdir(name);
    }
  }
}

function listed(directory: Directory) {
  const listing = directory.list();
  const found = [];
  for (let entry = listing.next(); entry !== undefined; entry = listing.next()) found.push(entry);
  listing.close();
  return found;
}

function failure(action: () => void): number | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof Failure) return error.errno;
    throw error;
  }
  return undefined;
}

/** The same numbers for the same seed. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function memoryAfter(collect: (() => void) | undefined): number {
  collect?.();
  return process.memoryUsage().heapUsed;
}
