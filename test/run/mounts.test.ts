import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import os, { homedir, tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { HostMount } from "../../src/capabilities.ts";
import { resolveMounts } from "../../src/run/mounts.ts";

let root: string;
let data: string;
let cacheDir: string;

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "scriptcell-mounts-")));
  data = join(root, "data");
  cacheDir = join(root, "caches", "scriptcell");
  mkdirSync(data);
  mkdirSync(join(cacheDir, "modules"), { recursive: true });
  writeFileSync(join(root, "file"), "x");
});
afterAll(() => rmSync(root, { recursive: true }));
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

const mountAt = (host: string): HostMount => ({ host, guest: "/data" });
const resolve = (...mounts: HostMount[]) => resolveMounts(mounts, cacheDir);
const refused = (message: RegExp) =>
  expect.objectContaining({ code: "MOUNT_REFUSED", message: expect.stringMatching(message) });

test("a mount is read-only and has no quota of its own unless it says so", () => {
  const identity = expect.stringMatching(/^\d+:\d+$/);
  expect(resolve(mountAt(data))).toEqual([
    { source: data, identity, guest: "/data", access: "read", maxBytes: null },
  ]);
  expect(resolve({ host: data, guest: "/out", access: "read-write", maxBytes: 0 })).toEqual([
    { source: data, identity, guest: "/out", access: "read-write", maxBytes: 0 },
  ]);
});

test("a relative host directory counts from the working directory", () => {
  expect(resolve(mountAt(relative(process.cwd(), data)))[0]?.source).toBe(data);
});

test("a host directory behind a symbolic link is what the link names", () => {
  symlinkSync(data, join(root, "link"));
  expect(resolve(mountAt(join(root, "link")))[0]?.source).toBe(data);
});

test("another directory at the same path is another mount", () => {
  const path = join(root, "replaced");
  mkdirSync(path);
  const [before] = resolve(mountAt(path));
  renameSync(path, join(root, "kept"));
  mkdirSync(path);
  const [after] = resolve(mountAt(path));
  expect(after?.source).toBe(before?.source);
  expect(after?.identity).not.toBe(before?.identity);
});

test("a guest path loses doubled and trailing slashes, and / stays /", () => {
  const guests = ["/data//in/", "/a", "/"].map((guest) => resolve({ host: data, guest })[0]?.guest);
  expect(guests).toEqual(["/data/in", "/a", "/"]);
});

test("a directory whose name begins with two dots is a directory like any other", () => {
  mkdirSync(join(root, "..data"));
  expect(resolve(mountAt(join(root, "..data")))[0]?.source).toBe(join(root, "..data"));
});

test("a directory whose name the home's or the cache's begins with, or that begins with theirs, is like any other", () => {
  vi.stubEnv("HOME", join(root, "home-of-eve"));
  mkdirSync(join(root, "home-of-eve"));
  for (const host of ["home-of", "home-of-eve-2", "caches/script", "caches/scriptcell-2"]) {
    mkdirSync(join(root, host));
    expect(resolve(mountAt(join(root, host)))[0]?.source).toBe(join(root, host));
  }
});

describe("a mount is refused", () => {
  test("of the root directory, in every spelling", () => {
    for (const host of ["/", "//", "/.", "/tmp/..", relative(process.cwd(), "/")]) {
      expect(() => resolve(mountAt(host)), host).toThrow(refused(/home directory/));
    }
  });

  test("of the home directory and of what holds it", () => {
    for (let host = homedir(); host !== dirname(host); host = dirname(host)) {
      expect(() => resolve(mountAt(host)), host).toThrow(refused(/home directory/));
    }
  });

  test("of the home directory that HOME names, though it is a symbolic link", () => {
    const home = join(root, "home-of-ada");
    mkdirSync(home);
    symlinkSync(home, join(root, "home-link"));
    vi.stubEnv("HOME", join(root, "home-link"));
    expect(() => resolve(mountAt(home))).toThrow(refused(/home directory/));
    mkdirSync(join(home, "project"));
    expect(resolve(mountAt(join(home, "project")))).toHaveLength(1);
  });

  test("of the account's home directory, though HOME names another", () => {
    const account = homedir();
    vi.stubEnv("HOME", join(root, "elsewhere"));
    expect(() => resolve(mountAt(account))).toThrow(refused(/home directory/));
  });

  test("of the home directory of whatever account the process acts for, looked up until it is known and then no more", () => {
    const homes = new Map([
      [4_001, join(root, "home-of-one")],
      [4_002, join(root, "home-of-two")],
    ]);
    const [one = "", two = ""] = homes.values();
    for (const home of homes.values()) mkdirSync(home);
    let user = 4_001;
    vi.spyOn(process, "geteuid").mockImplementation(() => user);
    const own = os.userInfo();
    const lookUp = vi.spyOn(os, "userInfo").mockImplementationOnce(() => {
      throw new Error("no such account");
    });
    lookUp.mockImplementation(() => ({ ...own, homedir: homes.get(user) ?? "" }));
    syncBuiltinESMExports();

    expect(resolve(mountAt(one))).toHaveLength(1);
    expect(() => resolve(mountAt(one))).toThrow(refused(/home directory/));
    expect(() => resolve(mountAt(one))).toThrow(refused(/home directory/));
    expect(lookUp).toHaveBeenCalledTimes(2);

    expect(resolve(mountAt(two))).toHaveLength(1);
    user = 4_002;
    expect(() => resolve(mountAt(two))).toThrow(refused(/home directory/));
    expect(resolve(mountAt(one))).toHaveLength(1);
    expect(lookUp).toHaveBeenCalledTimes(3);
  });

  test("of a link to the home directory", () => {
    symlinkSync(homedir(), join(root, "to-home"));
    expect(() => resolve(mountAt(join(root, "to-home")))).toThrow(refused(/home directory/));
  });

  test("of what does not exist, with the system's reason as the cause", () => {
    const missing = join(root, "missing");
    expect(() => resolve(mountAt(missing))).toThrow(refused(/cannot mount .*missing.*ENOENT/));
    expect(() => resolve(mountAt(missing))).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ code: "ENOENT" }) }),
    );
  });

  test("of a file, and says what to mount", () => {
    expect(() => resolve(mountAt(join(root, "file")))).toThrow(refused(/mount the directory that holds it/));
  });

  test("of the kernel's trees and of all in them", () => {
    for (const host of [
      "/proc",
      "/proc/self",
      "/proc/self/fd",
      "/sys",
      "/sys/kernel",
      "/dev",
      "/dev/shm/..",
    ]) {
      expect(() => resolve(mountAt(host)), host).toThrow(refused(/kernel/));
    }
  });

  test("of a link into the kernel's trees", () => {
    symlinkSync("/proc/self/root/proc", join(root, "to-proc"));
    expect(() => resolve(mountAt(join(root, "to-proc")))).toThrow(refused(/kernel/));
  });

  test("of the cache, of what holds it and of what is in it", () => {
    for (const host of [cacheDir, dirname(cacheDir), join(cacheDir, "modules")]) {
      expect(() => resolve(mountAt(host)), host).toThrow(refused(/cache/));
    }
  });

  test("of what will hold the cache once that is made", () => {
    const future = join(root, "not-yet");
    mkdirSync(future);
    expect(() => resolveMounts([mountAt(future)], join(future, "a", "cache"))).toThrow(refused(/cache/));
    symlinkSync(future, join(root, "not-yet-link"));
    expect(() => resolveMounts([mountAt(future)], join(root, "not-yet-link", "cache"))).toThrow(
      refused(/cache/),
    );
  });

  test("of a cache that is named relative to the working directory", () => {
    expect(() => resolveMounts([mountAt(cacheDir)], relative(process.cwd(), cacheDir))).toThrow(
      refused(/cache/),
    );
  });

  test.each(["darwin", "win32", "freebsd"])("on %s, where nothing confines it", (platform) => {
    vi.spyOn(process, "platform", "get").mockReturnValue(platform as NodeJS.Platform);
    expect(() => resolve(mountAt(data))).toThrow(refused(new RegExp(platform)));
    expect(resolve()).toEqual([]);
  });
});

test("two mounts at one guest path are an error, however the path is spelt", () => {
  for (const second of ["/data", "/data/", "//data"]) {
    expect(() => resolve(mountAt(data), { host: cacheDir, guest: second }), second).toThrow(
      expect.objectContaining({ code: "INVALID_OPTIONS", message: expect.stringContaining("/data") }),
    );
  }
});

test("one host directory may be mounted at two guest paths", () => {
  expect(resolve({ host: data, guest: "/a" }, { host: data, guest: "/b" })).toHaveLength(2);
});
