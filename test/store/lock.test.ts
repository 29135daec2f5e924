import { lstat, lutimes, mkdir, readdir, readlink, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { newOwner } from "../../src/owner.ts";
import { acquireLock, breakLock } from "../../src/store/lock.ts";
import { ownDirectory } from "./samples.ts";

const never = new AbortController().signal;
const FOR_EVER = 3_600_000;

/** An owner that ran here and is gone: no pid is that high. */
const deadOwner = () => newOwner().replace(/^(\w+)\.\d+\.\d+/, "$1.4194305.1");

/** The same elsewhere: here nobody can know that it is gone. */
const deadElsewhere = () => deadOwner().replace(/^\w+/, "0123456789abcdef");

let path: string;

beforeEach(async () => {
  path = join(await ownDirectory(), "lock");
});

afterEach(() => {
  vi.useRealTimers();
});

const isHeld = async () => (await lstat(path).catch(() => undefined)) !== undefined;

test("is taken where it is free, and free again when it was released", async () => {
  const turn = await acquireLock(path, 0, never);
  expect(await isHeld()).toBe(true);
  await turn.release();
  expect(await isHeld()).toBe(false);
});

test("lets the next one in when it is released, which does not hold it in turn", async () => {
  const first = await acquireLock(path, 0, never);
  let entered = false;
  const second = acquireLock(path, FOR_EVER, never).then((turn) => {
    entered = true;
    return turn;
  });
  await acquireLock(path, 60, never);
  expect(entered).toBe(false);
  await first.release();
  await second;
  expect(await isHeld()).toBe(false);
});

test("is waited for no longer than asked, and stays with its owner then", async () => {
  await acquireLock(path, 0, never);
  const owner = await readlink(path);
  const turn = await acquireLock(path, 30, never);
  await turn.release();
  expect(await readlink(path)).toBe(owner);
});

test("is taken over from a dead process, without waiting", async () => {
  await symlink(deadOwner(), path);
  await acquireLock(path, 0, never);
  expect(await readlink(path)).toContain(`.${process.pid}.`);
});

test("is taken over from an earlier process with the pid of one that lives", async () => {
  await symlink(newOwner().replace(/^(\w+\.\d+)\.\d+/, "$1.1"), path);
  const turn = await acquireLock(path, 0, never);
  await turn.release();
  expect(await isHeld()).toBe(false);
});

test("is taken over by one alone of many who find its owner dead", async () => {
  await symlink(deadOwner(), path);
  const before = await readlink(path);
  const turns = await Promise.all(Array.from({ length: 20 }, () => acquireLock(path, 20, never)));
  const after = await readlink(path);
  expect(after).not.toBe(before);
  for (const turn of turns) await turn.release();
  expect(await readdir(join(path, ".."))).toEqual([]);
});

test("of a new owner is put back when somebody still takes it for that of the dead one", async () => {
  const turn = await acquireLock(path, 0, never);
  const owner = await readlink(path);
  await breakLock(path, deadOwner());
  expect(await readlink(path)).toBe(owner);
  await turn.release();
  expect(await readdir(join(path, ".."))).toEqual([]);
});

test.each(["elsewhere", "0123456789abcdef.1", "../../../etc/passwd"])(
  "is nobody's when its owner %s is none that a store would write",
  async (owner) => {
    await symlink(owner, path);
    await acquireLock(path, 0, never);
    expect(await readlink(path)).toContain(`.${process.pid}.`);
  },
);

test("of a process elsewhere, which cannot be asked, is respected until it has been silent for long", async () => {
  const elsewhere = deadElsewhere();
  await symlink(elsewhere, path);
  await acquireLock(path, 20, never);
  expect(await readlink(path)).toBe(elsewhere);
  const old = new Date(Date.now() - 21_000);
  await lutimes(path, old, old);
  await acquireLock(path, 0, never);
  expect(await readlink(path)).not.toBe(elsewhere);
});

test("from the future, under a clock that was set back since, is nobody's", async () => {
  await symlink(deadElsewhere(), path);
  const later = new Date(Date.now() + 86_400_000);
  await lutimes(path, later, later);
  await acquireLock(path, 0, never);
  expect(await readlink(path)).toContain(`.${process.pid}.`);
});

test("is kept alive by its owner for as long as it is held, and no longer", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  const turn = await acquireLock(path, 0, never);
  const old = new Date(Date.now() - 19_000);
  await lutimes(path, old, old);
  vi.advanceTimersByTime(3_000);
  await vi.waitFor(async () => expect((await lstat(path)).mtimeMs).toBeGreaterThan(old.getTime() + 1_000));
  await turn.release();
  expect(vi.getTimerCount()).toBe(0);
});

test("is not released by one from whom it was taken over", async () => {
  const turn = await acquireLock(path, 0, never);
  const old = new Date(Date.now() - 21_000);
  await lutimes(path, old, old);
  await acquireLock(path, 0, never);
  const owner = await readlink(path);
  await turn.release();
  expect(await readlink(path)).toBe(owner);
});

test("stops being waited for when the signal is aborted, with its reason", async () => {
  await acquireLock(path, 0, never);
  const leaving = new AbortController();
  const waiting = acquireLock(path, FOR_EVER, leaving.signal);
  leaving.abort("had enough");
  await expect(waiting).rejects.toBe("had enough");
});

test("does without where none can be had", async () => {
  await (await acquireLock(join(path, "no", "such", "directory"), FOR_EVER, never)).release();
  await mkdir(path);
  await (await acquireLock(path, FOR_EVER, never)).release();
  expect((await lstat(path)).isDirectory()).toBe(true);
});
