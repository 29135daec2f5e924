import {
  chmod,
  chown,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { type DiskStore, openDiskStore } from "../../src/store/disk.ts";
import { encodeEntry } from "../../src/store/entry.ts";
import { reasonForDistrust } from "../../src/store/trust.ts";
import { describeModuleStore } from "../conformance/module-store.ts";
import {
  entryFile,
  noWarning,
  ownDirectory,
  repeatableNumbers,
  sampleKey,
  sampleModule,
  strangersDirectory,
} from "./samples.ts";

const MiB = 1024 * 1024;

function openDisk(
  directory: string,
  onWarning: (message: string, cause: unknown) => void = noWarning,
): DiskStore {
  return openDiskStore({ directory, maxBytes: 64 * MiB, maxAgeMs: 3_600_000, onWarning });
}

describeModuleStore("disk", async () => openDisk(join(await ownDirectory(), "store")));

let directory: string;
let store: DiskStore;
const key = sampleKey(1);
const module = sampleModule(1);

beforeEach(async () => {
  directory = join(await ownDirectory(), "cache", "store");
  store = openDisk(directory);
});

const exists = async (path: string) => (await lstat(path).catch(() => undefined)) !== undefined;

test("makes nothing before the first write", async () => {
  expect(await store.get(key)).toBeUndefined();
  expect(await store.list()).toEqual([]);
  await store.idle();
  expect(await exists(directory)).toBe(false);
});

test("finds in a new process what another one stored", async () => {
  await store.set(key, module);
  expect(await openDisk(directory).get(key)).toStrictEqual(module);
});

test("makes directories and files for this user alone, whatever the umask allows", async () => {
  const before = process.umask(0);
  try {
    await store.set(key, module);
    await store.idle();
  } finally {
    process.umask(before);
  }
  const modes: Record<string, number> = { ".": (await stat(directory)).mode & 0o777 };
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    modes[entry.name] = (await stat(join(entry.parentPath, entry.name))).mode & 0o777;
  }
  expect(modes).toEqual({
    ".": 0o700,
    v1: 0o700,
    tmp: 0o700,
    locks: 0o700,
    usage: 0o600,
    pruned: 0o600,
    [key.slice(0, 2)]: 0o700,
    [`${key}.module`]: 0o600,
  });
});

test("writes nothing for a module that alone is above the bound", async () => {
  const small = openDiskStore({ directory, maxBytes: 10_000, maxAgeMs: 1, onWarning: noWarning });
  await small.set(key, sampleModule(1, 20_000));
  expect(await exists(directory)).toBe(false);
});

describe("an entry that is not what was written", () => {
  const large = sampleModule(1, 70_000);
  const path = () => entryFile(directory, key);

  beforeEach(() => store.set(key, large));

  async function expectHealed(): Promise<void> {
    expect(await store.get(key)).toBeUndefined();
    expect(await exists(path()), "the entry is removed").toBe(false);
    await store.set(key, large);
    expect(await store.get(key)).toStrictEqual(large);
  }

  test.each([0, 1, 15, 16, 48, 80, 84, 500, 4096, 70_000])(
    "heals when it was cut to %i bytes",
    async (length) => {
      await truncate(path(), length);
      await expectHealed();
    },
  );

  test("heals after a flipped bit in the magic, the digest, the key, the lengths, the diagnostics and the module", async () => {
    const draw = repeatableNumbers("bit flips");
    const size = (await stat(path())).size;
    for (const [from, to] of [
      [0, 16],
      [16, 48],
      [48, 80],
      [80, 84],
      [84, 400],
      [2_000, size],
    ] as const) {
      const at = from + draw(to - from);
      const content = await readFile(path());
      content[at] = (content[at] ?? 0) ^ (1 << draw(8));
      await writeFile(path(), content);
      await expectHealed();
    }
  });

  test("heals when a whole block is zeros, as after a power cut", async () => {
    const content = await readFile(path());
    await writeFile(path(), content.fill(0, 8192, 12_288));
    await expectHealed();
  });

  test("heals when it is another key's entry", async () => {
    await store.set(sampleKey(2), sampleModule(2));
    await rename(entryFile(directory, sampleKey(2)), path());
    await expectHealed();
  });

  test("is refused by its size before any of it is read", async () => {
    // 10 GiB, sparse: more than a buffer can hold.
    await truncate(path(), 10 * 1024 * MiB);
    await expectHealed();
  });

  test("is refused when others could have written it", async () => {
    await chmod(path(), 0o620);
    await expectHealed();
    await chmod(path(), 0o602);
    await expectHealed();
  });

  test("is not read through a symbolic link, and what the link points to stays", async () => {
    const elsewhere = join(directory, "elsewhere");
    await rename(path(), elsewhere);
    await symlink(elsewhere, path());
    await expectHealed();
    expect(await exists(elsewhere)).toBe(true);
  });

  test("is not waited for when it is a FIFO", async () => {
    await rm(path());
    await execa("mkfifo", ["-m", "600", path()]);
    await expectHealed();
  });

  test("heals when it is a directory", async () => {
    await rm(path());
    await mkdir(path());
    await expectHealed();
  });
});

test("does not trust files of other users, and says whose they are", async () => {
  const reason = reasonForDistrust(await stat(await strangersDirectory()));
  expect(reason).toMatch(/^belongs to user \d+ and not to user \d+/);
  expect(reasonForDistrust(await stat(await ownDirectory()))).toBeUndefined();
});

test("serves its entries although the directories for temporaries and locks are gone, and makes them again", async () => {
  await store.set(key, module);
  await store.idle();
  for (const name of ["tmp", "locks"]) await rm(join(directory, "v1", name), { recursive: true });
  const later = openDisk(directory);
  expect(await later.get(key)).toStrictEqual(module);
  expect((await later.list()).length).toBe(1);
  expect(await later.prune({ maxBytes: 64 * MiB, maxAgeMs: 3_600_000 })).toMatchObject({ keptEntries: 1 });
  await later.set(sampleKey(2), sampleModule(2));
  expect(await later.get(sampleKey(2))).toStrictEqual(sampleModule(2));
});

test("stores again after somebody removed the directory while it was in use", async () => {
  await store.set(key, module);
  await store.idle();
  await rm(directory, { recursive: true });
  expect(await store.get(key)).toBeUndefined();
  await store.set(key, module);
  expect(await store.get(key)).toStrictEqual(module);
});

test("lets a disk rest for a minute that refused a write, and then tries again", async () => {
  const warnings: string[] = [];
  const tried = openDisk(directory, (message) => warnings.push(message));
  await tried.set(key, module);
  await tried.idle();
  const usage = join(directory, "v1", "usage");
  await rm(usage);
  await mkdir(usage);
  await tried.set(sampleKey(2), sampleModule(2));
  expect(warnings).toEqual([expect.stringContaining("No module can be written to")]);
  await rm(usage, { recursive: true });
  await tried.set(sampleKey(2), sampleModule(2));
  expect(await tried.get(sampleKey(2))).toBeUndefined();
  const later = performance.now() + 61_000;
  const clock = vi.spyOn(performance, "now").mockReturnValue(later);
  await tried.set(sampleKey(2), sampleModule(2));
  clock.mockRestore();
  expect(await tried.get(sampleKey(2))).toStrictEqual(sampleModule(2));
});

test("replaces what is at its place in one step: a reader sees the old module or the new one", async () => {
  const [old, fresh] = [sampleModule(1, 200_000), sampleModule(2, 300_000)];
  await store.set(key, old);
  let writing = true;
  const writer = (async () => {
    for (let n = 0; n < 40; n += 1) await store.set(key, n % 2 === 0 ? fresh : old);
    writing = false;
  })();
  const sizes = new Set<number | undefined>();
  while (writing) sizes.add((await store.get(key))?.bytes.length);
  await writer;
  expect([...sizes].filter((size) => size !== 200_000 && size !== 300_000)).toEqual([]);
});

describe("a directory that must not be trusted", () => {
  async function expectRefused(at: string, reason: RegExp): Promise<void> {
    const warnings: string[] = [];
    const refused = openDisk(at, (message) => warnings.push(message));
    await refused.set(key, module);
    expect(await refused.get(key)).toBeUndefined();
    expect(warnings.join()).toMatch(reason);
    await expect(refused.list()).rejects.toMatchObject({ code: "STORE_FAILED" });
    await expect(refused.prune({ maxBytes: 0, maxAgeMs: 0 })).rejects.toMatchObject({ code: "STORE_FAILED" });
  }

  test("is refused when it belongs to somebody else, and nothing is made in it", async () => {
    const at = await strangersDirectory();
    await expectRefused(at, /belongs to user \d+ .*chown/);
    expect(await exists(join(at, "v1"))).toBe(false);
  });

  test.each(["770", "707", "722", "1777"])(
    "is refused with mode %s, and nothing is made in it",
    async (mode) => {
      await mkdir(directory, { recursive: true });
      await chmod(directory, Number.parseInt(mode, 8));
      await expectRefused(directory, /is writable by others.*chmod 0700/);
      expect(await readdir(directory)).toEqual([]);
    },
  );

  test("is not read even if it holds the entry", async () => {
    await store.set(key, module);
    await chmod(directory, 0o777);
    await expectRefused(directory, /is writable by others/);
  });

  test.each(["v1", "v1/tmp", "v1/locks"])("is refused when others could write to its %s", async (inner) => {
    await store.set(key, module);
    await chmod(join(directory, inner), 0o777);
    await expectRefused(directory, /is writable by others/);
  });

  test.each(["v1", "v1/tmp", "v1/locks"])(
    "is refused when its %s is a link that leads elsewhere",
    async (inner) => {
      await store.set(key, module);
      await store.idle();
      await rename(join(directory, inner), join(directory, "elsewhere"));
      await symlink(join(directory, "elsewhere"), join(directory, inner));
      await expectRefused(directory, /is not a directory/);
    },
  );

  test("is refused as soon as a shard is a link: nothing is read or written through it", async () => {
    await store.set(key, module);
    const shard = dirname(entryFile(directory, key));
    const elsewhere = join(directory, "elsewhere");
    await rename(shard, elsewhere);
    await symlink(elsewhere, shard);
    const warnings: string[] = [];
    expect(await openDisk(directory, (message) => warnings.push(message)).get(key)).toBeUndefined();
    await rm(entryFile(directory, key));
    await openDisk(directory, (message) => warnings.push(message)).set(key, module);
    expect(await readdir(elsewhere)).toEqual([]);
    const refused = expect.stringMatching(/is not a directory/);
    expect(warnings).toEqual([refused, refused]);
  });

  test("serves again once it was made this user's alone", async () => {
    await store.set(key, module);
    await chmod(directory, 0o777);
    const mended = openDisk(directory, () => {});
    expect(await mended.get(key)).toBeUndefined();
    await chmod(directory, 0o700);
    expect(await mended.get(key)).toStrictEqual(module);
  });

  test("is refused when there is a file in its place", async () => {
    await mkdir(dirname(directory), { recursive: true });
    await writeFile(directory, "");
    const warnings: string[] = [];
    const refused = openDisk(directory, (message) => warnings.push(message));
    await refused.set(key, module);
    expect(await refused.get(key)).toBeUndefined();
    expect(warnings.length).toBeGreaterThan(0);
  });
});

test("may be reached through a link of the user's own", async () => {
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o700);
  const link = join(dirname(directory), "link");
  await symlink(directory, link);
  const linked = openDisk(link);
  await linked.set(key, module);
  expect(await store.get(key)).toStrictEqual(module);
});

test("keeps to the directory it has checked when the link to it is turned elsewhere", async () => {
  await mkdir(directory, { recursive: true });
  const link = join(dirname(directory), "link");
  await symlink(directory, link);
  const linked = openDisk(link);
  await linked.set(key, module);
  await rm(link);
  const stranger = await ownDirectory();
  await symlink(stranger, link);
  await linked.set(sampleKey(2), sampleModule(2));
  expect(await readdir(stranger)).toEqual([]);
  expect(await store.get(sampleKey(2))).toStrictEqual(sampleModule(2));
});

test("never writes through a link in the place of a temporary file or of the count", async () => {
  await store.set(key, module);
  await store.idle();
  const victim = join(directory, "victim");
  await writeFile(victim, "untouched");
  await rm(join(directory, "v1", "usage"));
  await symlink(victim, join(directory, "v1", "usage"));
  await openDisk(directory, () => {}).set(sampleKey(2), sampleModule(2));
  expect(await readFile(victim, "utf8")).toBe("untouched");
});

test("writes a last use down once an hour at most, and leaves the time of storing alone", async () => {
  await store.set(key, module);
  await store.idle();
  const path = entryFile(directory, key);
  const storedAt = new Date("2020-01-01T00:00:00Z");
  const setUsed = (minutesAgo: number) => utimes(path, new Date(Date.now() - minutesAgo * 60_000), storedAt);
  // Reading may set the time of access by itself; what the store does is seen at the handle.
  const probe = await open(path);
  const written = vi.spyOn(Object.getPrototypeOf(probe), "utimes");
  await probe.close();
  await setUsed(50);
  await store.get(key);
  expect(written).not.toHaveBeenCalled();
  await setUsed(70);
  await store.get(key);
  expect(written).toHaveBeenCalledTimes(1);
  written.mockRestore();
  const stats = await stat(path);
  expect(stats.mtime).toEqual(storedAt);
  expect(stats.atimeMs).toBeGreaterThan(Date.now() - 60 * 60_000);
});

test("takes an entry of another user as absent", async () => {
  await store.set(key, module);
  const path = entryFile(directory, key);
  if (process.geteuid?.() === 0) await chown(path, 65_534, 65_534);
  else await chmod(path, 0o666);
  expect(await store.get(key)).toBeUndefined();
});

test("stores what encodeEntry makes, at the place that the layout names", async () => {
  await store.set(key, module);
  expect(await readFile(entryFile(directory, key))).toEqual(encodeEntry(key, module));
});
