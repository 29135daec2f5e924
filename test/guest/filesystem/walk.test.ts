import { execFileSync } from "node:child_process";
import {
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { openDiskDirectory } from "../../../src/guest/filesystem/disk.ts";
import type { Directory } from "../../../src/guest/filesystem/filesystem.ts";
import { Trail, Walk } from "../../../src/guest/filesystem/walk.ts";
import { Caller, FOLLOW, O } from "../caller.ts";
import { scratch } from "../support.ts";
import { openMemory } from "./memory-support.ts";

const READ_WRITE = 66;

/** The mount, and what lies beside it. */
let mount: string;
let guest: Caller;

beforeEach(() => {
  const outside = scratch();
  mount = join(outside, "mount");
  for (const [directory, text] of [
    ["mount/a", "first"],
    ["mount/other", "other"],
    ["outside", "outside"],
  ] as const) {
    mkdirSync(join(outside, directory, "b"), { recursive: true });
    for (const below of ["", "b"]) writeFileSync(join(outside, directory, below, "file"), text);
  }
  guest = new Caller({ mounts: [{ source: mount, guest: "/data" }] });
});

const at = (...names: string[]) => join(mount, ...names);

function textOf(path: string): string {
  const fd = guest.open(path, { lookup: FOLLOW });
  if (typeof fd === "string") return fd;
  const text = guest.read(fd, 16);
  guest.call("fd_close", fd);
  return text;
}

const openDescriptors = () => readdirSync("/proc/self/fd").length;

/** What others can do to a directory after a path led through it, and what its file is from then on. */
const CHANGES: readonly [what: string, change: () => void, expected: string][] = [
  ["nothing at all", () => {}, "first"],
  ["removing it", () => rmSync(at("a"), { recursive: true }), "NOENT"],
  ["renaming it", () => renameSync(at("a"), at("c")), "NOENT"],
  ["moving it out of the mount", () => renameSync(at("a"), at("../moved")), "NOENT"],
  [
    "putting another directory in its place",
    () => replaceBy(() => renameSync(at("other"), at("a"))),
    "other",
  ],
  ["swapping it with another", swapWithOther, "other"],
  ["putting a link to another in its place", () => replaceBy(() => symlinkSync("other", at("a"))), "other"],
  ["putting a link to itself in its place", () => replaceBy(() => symlinkSync("away", at("a"))), "first"],
  ["putting a link out in its place", () => replaceBy(() => symlinkSync("../outside", at("a"))), "PERM"],
  [
    "moving it out of the mount and putting a link to it in its place",
    () => {
      renameSync(at("a"), at("../moved"));
      symlinkSync("../moved", at("a"));
    },
    "PERM",
  ],
  ["putting a file in its place", () => replaceBy(() => writeFileSync(at("a"), "")), "NOTDIR"],
  ["putting a FIFO in its place", () => replaceBy(() => execFileSync("mkfifo", [at("a")])), "NOTDIR"],
];

function replaceBy(put: () => void): void {
  renameSync(at("a"), at("away"));
  put();
}

function swapWithOther(): void {
  renameSync(at("a"), at("away"));
  renameSync(at("other"), at("a"));
  renameSync(at("away"), at("other"));
}

describe("a path that was walked before", () => {
  test.each(CHANGES)("leads where it leads now, after %s", (_, change, expected) => {
    for (const path of ["a/file", "a/b/file"]) expect(textOf(path)).toBe("first");
    change();
    expect(textOf("a/file")).toBe(expected);
    expect(textOf("a/b/file")).toBe(expected);
    expect(textOf("a//./b/../file")).toBe(expected);
    const stat = guest.stat("a/file");
    if (expected.toUpperCase() === expected) expect(stat).toBe(expected);
    else expect(stat).toMatchObject({ size: BigInt(expected.length) });
  });

  test.each(CHANGES)("makes nothing elsewhere than where it leads, after %s", (_, change, expected) => {
    expect(textOf("a/b/file")).toBe("first");
    change();
    const made = expected.toUpperCase() !== expected;
    for (const path of ["a/made", "a/b/made"]) {
      expect(guest.mkdir(path)).toBe(made ? "SUCCESS" : expected);
    }
    const found = execFileSync("find", [dirname(mount), "-name", "made"], { encoding: "utf8" });
    expect(found.trim().split("\n").filter(Boolean)).toHaveLength(made ? 2 : 0);
    expect(found).not.toMatch(/outside|moved/);
    if (made) expect([readdirSync(at("a")), readdirSync(at("a/b"))].flat()).toContain("made");
  });

  test("leads where it leads now when the change was the guest's own", () => {
    expect(textOf("a/b/file")).toBe("first");
    expect(guest.rename("a/b", "a/c")).toBe("SUCCESS");
    expect([textOf("a/b/file"), textOf("a/c/file")]).toEqual(["NOENT", "first"]);
    expect(guest.symlink("../other/b", "a/b")).toBe("SUCCESS");
    expect([textOf("a/b/file"), textOf("a/b/../file")]).toEqual(["other", "other"]);
    expect(guest.unlink("a/b")).toBe("SUCCESS");
    expect([guest.mkdir("a/b"), textOf("a/b/file")]).toEqual(["SUCCESS", "NOENT"]);
    expect([guest.rmdir("a/b"), guest.mkdir("a/b/c")]).toEqual(["SUCCESS", "NOENT"]);
    expect(guest.rename("a", "other/a")).toBe("SUCCESS");
    expect([textOf("a/file"), textOf("other/a/file")]).toEqual(["NOENT", "first"]);
  });

  test("leads through a directory that was made anew under the same name, again and again", () => {
    for (let round = 0; round < 50; round++) {
      expect([guest.mkdir("n"), guest.mkdir("n/m")]).toEqual(["SUCCESS", "SUCCESS"]);
      const fd = guest.opened("n/m/file", { flags: O.CREAT, rights: READ_WRITE });
      expect(guest.write(fd, `${round}`)).toBe(`${round}`.length);
      guest.call("fd_close", fd);
      expect(readFileSync(at("n/m/file"), "utf8")).toBe(`${round}`);
      const gone = [guest.unlink("n/m/file"), guest.rmdir("n/m"), guest.rmdir("n")];
      expect(gone).toEqual(["SUCCESS", "SUCCESS", "SUCCESS"]);
    }
  });

  test("needs the permissions that it needs now", () => {
    // The user is all of a process's, and another than the superuser, who may everything.
    if (process.getuid?.() === 0)
      for (const path of [dirname(mount), mount, at("a"), at("a/file")]) chownSync(path, 65_534, 65_534);
    const printed = execFileSync(
      process.execPath,
      [
        "--input-type=module",
        "--eval",
        `
        import { chmodSync } from "node:fs";
        import { openDiskDirectory } from ${source("disk.ts")};
        import { workWhereGuestsDo } from ${source("disk-path.ts")};
        import { Trail, Walk } from ${source("walk.ts")};
        const trail = new Trail(openDiskDirectory(${JSON.stringify(mount)}), 8);
        if (process.getuid() === 0) process.setuid(65_534);
        workWhereGuestsDo();
        const answers = [];
        for (const mode of [0o700, 0o000, 0o600, 0o700]) {
          chmodSync(${JSON.stringify(at("a"))}, mode);
          for (let again = 0; again < 5; again++) {
            const walk = new Walk(trail, "a/file");
            try {
              answers.push(Number(walk.current && walk.next() && walk.current.statAt("file").size));
            } catch ({ errno }) {
              answers.push(-errno);
            }
            walk.close();
          }
        }
        console.log(JSON.stringify(answers));`,
      ],
      { encoding: "utf8" },
    );
    const [SIZE, ACCES] = ["first".length, -2];
    expect(JSON.parse(printed)).toEqual(
      [SIZE, ACCES, ACCES, SIZE].flatMap((answer) => Array(5).fill(answer)),
    );
  });

  test("below one mount says nothing of the same path below another", () => {
    guest = new Caller({
      mounts: [
        { source: mount, guest: "/data" },
        { source: at("../outside"), guest: "/other" },
      ],
    });
    for (let round = 0; round < 3; round++) {
      expect(guest.read(guest.opened("b/file", { at: 4 }), 16)).toBe("outside");
      expect(textOf("a/b/file")).toBe("first");
    }
    // A mount inside a directory that a path below the outer one leads through.
    guest = new Caller({
      mounts: [
        { source: mount, guest: "/data" },
        { source: at("other"), guest: "/data/a" },
      ],
    });
    expect(textOf("a/file")).toBe("first");
    expect(guest.read(guest.opened("file", { at: 4 }), 16)).toBe("other");
    expect(textOf("a/file")).toBe("first");
  });
});

describe("a file that was opened before", () => {
  test.each([
    ["a FIFO", () => execFileSync("mkfifo", [at("file")]), "PERM", "PERM"],
    ["a directory", () => mkdirSync(at("file")), "directory", "ISDIR"],
    ["a link out", () => symlinkSync("../outside/file", at("file")), "PERM", "PERM"],
    ["a link to it", () => symlinkSync("moved", at("file")), "before", "SUCCESS"],
    ["another file", () => writeFileSync(at("file"), "another"), "another", "SUCCESS"],
    ["nothing", () => {}, "NOENT", "NOENT"],
  ])("is what it is now, after %s came in its place", (_, put, read, written) => {
    writeFileSync(at("file"), "before");
    expect(textOf("file")).toBe("before");
    renameSync(at("file"), at("moved"));
    put();
    if (read === "directory") expect(guest.fdstat(guest.opened("file"))).toMatchObject({ type: 3 });
    else expect(textOf("file")).toBe(read);
    for (const flags of [0, O.TRUNC]) {
      const fd = guest.open("file", { rights: READ_WRITE, flags, lookup: FOLLOW });
      expect(typeof fd === "number" ? "SUCCESS" : fd).toBe(written);
    }
    expect(readFileSync(at("../outside/file"), "utf8")).toBe("outside");
  });

  test("is emptied by opening it to be emptied, and only if it may be written", () => {
    writeFileSync(at("file"), "before");
    expect(guest.opened("file", { flags: O.TRUNC, rights: READ_WRITE })).toBeGreaterThan(3);
    expect(readFileSync(at("file"), "utf8")).toBe("");
  });

  test("leaves no descriptor where it may not be opened", () => {
    const before = openDescriptors();
    execFileSync("mkfifo", [at("fifo")]);
    mkdirSync(at("directory"));
    for (const rights of [2, 64, READ_WRITE]) {
      for (const flags of [0, O.TRUNC]) {
        expect(guest.open("fifo", { rights, flags })).toBe("PERM");
        if (rights !== 2 || flags !== 0) expect(guest.open("directory", { rights, flags })).toBe("ISDIR");
      }
    }
    expect(openDescriptors()).toBe(before);
  });
});

describe("two paths at once", () => {
  test("may lead through the same directories, or through each other's", () => {
    for (let round = 0; round < 3; round++) {
      expect(guest.rename("a/b/file", "a/b/moved")).toBe("SUCCESS");
      expect(guest.rename("a/b/moved", "other/b/moved")).toBe("SUCCESS");
      expect(guest.link("other/b/moved", "a/b/../b/linked")).toBe("SUCCESS");
      expect(guest.rename("other/b/moved", "a/b/file")).toBe("SUCCESS");
      expect(guest.unlink("a/b/linked")).toBe("SUCCESS");
      expect(textOf("a/b/file")).toBe("first");
      expect(guest.rename("a/b", "a/b/x")).toBe("INVAL");
      expect(guest.rename("a/b/..", "a/b/x")).toBe("BUSY");
    }
    expect(readdirSync(at("a/b"))).toEqual(["file"]);
    expect(readdirSync(at("other/b"))).toEqual(["file"]);
  });
});

describe("directories that stay open", () => {
  test("are a few, however deep a path is, and end with the run", () => {
    const deep = Array<string>(250).fill("d").join("/");
    mkdirSync(at(deep), { recursive: true });
    writeFileSync(at(deep, "file"), "deep");
    const before = openDescriptors();
    for (let round = 0; round < 3; round++) {
      expect(textOf(`${deep}/file`)).toBe("deep");
      expect(openDescriptors()).toBe(before + 8);
      expect(textOf("d/d/missing")).toBe("NOENT");
      expect(guest.stat(`${deep}/d/d/d/d/d/d/d/x`)).toBe("NOENT");
    }
    expect(guest.stat(`${deep}/../missing/x`)).toBe("NOENT");
    expect(openDescriptors()).toBeLessThanOrEqual(before + 8);
    guest.witness.wasi.close();
    expect(openDescriptors()).toBe(before);
  });

  test("end with the mount's descriptor, wherever it was moved", () => {
    const before = openDescriptors();
    expect(textOf("a/b/file")).toBe("first");
    expect(openDescriptors()).toBeGreaterThan(before);
    const file = guest.opened("a/file");
    expect(guest.call("fd_renumber", 3, file)).toBe("SUCCESS");
    expect(guest.read(guest.opened("a/b/file", { at: file }), 16)).toBe("first");
    guest.call("fd_close", 3);
    expect(openDescriptors()).toBeGreaterThan(before);
    guest.call("fd_close", file);
    expect(openDescriptors()).toBe(before);
  });

  test("are none below a directory that the guest opened", () => {
    const fd = guest.opened(".", { flags: O.DIRECTORY });
    const before = openDescriptors();
    expect(guest.stat("a/b/file", { at: fd })).toMatchObject({ size: 5n });
    expect(openDescriptors()).toBe(before);
  });

  test("are none in memory: what the guest removes makes room at once", () => {
    const { root } = openMemory(1024 * 1024, 3);
    guest = new Caller({
      grants: {
        memory: [
          {
            guest: "/scratch",
            guestBytes: Buffer.from("/scratch"),
            access: "read-write",
            maxBytes: Number.POSITIVE_INFINITY,
            kind: "memory",
            directory: root,
          },
        ],
      },
    });
    for (let round = 0; round < 3; round++) {
      expect([guest.mkdir("a"), guest.mkdir("a/b"), guest.mkdir("a/b/c")]).toEqual(Array(3).fill("SUCCESS"));
      expect(guest.mkdir("a/b/c/d")).toBe("NOSPC");
      expect([guest.rmdir("a/b/c"), guest.rmdir("a/b"), guest.rmdir("a")]).toEqual(Array(3).fill("SUCCESS"));
    }
  });
});

describe.each([
  ["the disk", () => openDiskDirectory(scratch())],
  ["memory", () => openMemory().root],
] as const)("a trail on %s", (_, open) => {
  const stepsOf = (trail: Trail, path: string): Directory[] => {
    const walk = new Walk(trail, path);
    walk.next();
    const steps = [walk.current];
    walk.close();
    return steps;
  };

  test("gives every walk its own directories, and closes all but those that it keeps", () => {
    const root = open();
    root.mkdir("a");
    const trail = new Trail(root, 1);
    const first = new Walk(trail, "a/x");
    const second = new Walk(trail, "a/y");
    expect([first.next(), second.next()]).toEqual(["x", "y"]);
    expect(first.current).not.toBe(second.current);
    const [one, two] = [first.current, second.current];
    second.close();
    first.close();
    expect(one.stat().type).toBe("directory");
    expect(() => two.stat()).toThrow("after it was closed");
    trail.close();
    expect(() => one.stat()).toThrow("after it was closed");
    const none = new Trail(root, 0);
    const [unkept] = stepsOf(none, "a/x");
    expect(() => unkept?.stat()).toThrow("after it was closed");
    expect(root.stat().type).toBe("directory");
    root.close();
  });

  test("goes on after a path that failed on its way", () => {
    const root = open();
    root.mkdir("a");
    root.symlink("a", "link");
    root.symlink("loop", "loop");
    const trail = new Trail(root, 8);
    for (const path of ["a/x/y", "../x", "a/../../x", "loop/x", "a/".repeat(300), "/x", ""]) {
      expect(() => stepsOf(trail, path)).toThrow();
      expect(stepsOf(trail, "link/x")[0]?.stat().inode).toBe(root.statAt("a").inode);
    }
    trail.close();
    root.close();
  });
});

function source(name: string): string {
  return JSON.stringify(new URL(`../../../src/guest/filesystem/${name}`, import.meta.url).href);
}
