import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Right } from "../../../src/guest/preview1/rights.ts";
import { Caller, FOLLOW, O, type Stat, withMount } from "../caller.ts";
import { scratch } from "../support.ts";

/** A mount with a file, a directory that is not empty, and links to both. */
function furnished(): { root: string; guest: Caller } {
  const root = scratch();
  writeFileSync(join(root, "file"), "text");
  mkdirSync(join(root, "dir/sub"), { recursive: true });
  writeFileSync(join(root, "dir/inner"), "inner");
  symlinkSync("file", join(root, "to-file"));
  symlinkSync("dir", join(root, "to-dir"));
  symlinkSync("nothing", join(root, "dangling"));
  symlinkSync("loop-b", join(root, "loop-a"));
  symlinkSync("loop-a", join(root, "loop-b"));
  return { root, guest: withMount(root) };
}

describe("opening", () => {
  test.each([
    "file",
    "./file",
    "dir/../file",
    ".//dir/.//../file",
    "dir/sub/../../dir/../file",
    "to-dir/../file",
  ])("finds a file by %s", (path) => {
    const { guest } = furnished();
    expect(guest.read(guest.opened(path), 9)).toBe("text");
  });

  test("a link in the middle is followed, and one at the end only when asked", () => {
    const { guest } = furnished();
    expect(guest.read(guest.opened("to-dir/inner"), 9)).toBe("inner");
    expect(guest.open("to-file")).toBe("LOOP");
    expect(guest.read(guest.opened("to-file", { lookup: FOLLOW }), 9)).toBe("text");
    expect(guest.open("to-dir")).toBe("LOOP");
    expect(guest.open("to-dir", { flags: O.DIRECTORY })).toBe("LOOP");
    expect(guest.fdstat(guest.opened("to-dir", { flags: O.DIRECTORY, lookup: FOLLOW }))).toMatchObject({
      type: 3,
    });
    expect(guest.open("to-file", { flags: O.DIRECTORY, lookup: FOLLOW })).toBe("NOTDIR");
  });

  test("a slash at the end asks for a directory, and follows a link to one", () => {
    const { guest } = furnished();
    for (const path of ["file/", "file///", "file/.", "to-file/", "file/x"]) {
      expect(guest.open(path)).toBe("NOTDIR");
    }
    for (const path of ["dir/", "dir///", "dir/.", "to-dir/", "dir/sub/.."]) {
      expect(guest.fdstat(guest.opened(path))).toMatchObject({ type: 3 });
    }
    expect(guest.open("missing/")).toBe("NOENT");
    expect(guest.open("missing/", { flags: O.CREAT })).toBe("NOENT");
  });

  test("what is not there is ENOENT, also through a link to nothing, and loops are ELOOP", () => {
    const { guest } = furnished();
    expect(guest.open("missing")).toBe("NOENT");
    expect(guest.open("missing/inner")).toBe("NOENT");
    expect(guest.open("")).toBe("NOENT");
    expect(guest.open("dangling", { lookup: FOLLOW })).toBe("NOENT");
    expect(guest.open("dangling")).toBe("LOOP");
    expect(guest.open("dangling/x")).toBe("NOENT");
    expect(guest.open("loop-a", { lookup: FOLLOW })).toBe("LOOP");
    expect(guest.open("loop-a/x")).toBe("LOOP");
    expect(guest.denials).toEqual([]);
  });

  test("O_CREAT makes a file, O_EXCL only a new one, and O_TRUNC empties one", () => {
    const { guest, root } = furnished();
    expect(guest.open("new", { flags: O.CREAT | O.EXCL })).toBeTypeOf("number");
    expect(statSync(join(root, "new")).mode & 0o7000).toBe(0);
    expect(guest.open("new", { flags: O.CREAT | O.EXCL })).toBe("EXIST");
    expect(guest.open("to-file", { flags: O.CREAT | O.EXCL, lookup: FOLLOW })).toBe("EXIST");
    expect(guest.open("dangling", { flags: O.CREAT | O.EXCL, lookup: FOLLOW })).toBe("EXIST");
    expect(guest.read(guest.opened("file", { flags: O.CREAT }), 9)).toBe("text");
    expect(guest.open("file", { flags: O.EXCL })).toBeTypeOf("number");
    expect(guest.fstat(guest.opened("file", { flags: O.TRUNC, rights: 0 }))).toMatchObject({ size: 0n });
    expect(readFileSync(join(root, "file"), "utf8")).toBe("");
    expect(guest.open("dir/sub/deep", { flags: O.CREAT })).toBeTypeOf("number");
    expect(guest.open("missing/new", { flags: O.CREAT })).toBe("NOENT");
  });

  test("O_CREAT through a link to nothing makes what the link is to, if it may be followed", () => {
    const { guest, root } = furnished();
    expect(guest.open("dangling", { flags: O.CREAT })).toBe("LOOP");
    expect(guest.open("dangling", { flags: O.CREAT, lookup: FOLLOW })).toBeTypeOf("number");
    expect(lstatSync(join(root, "nothing")).isFile()).toBe(true);
    expect(readlinkSync(join(root, "dangling"))).toBe("nothing");
  });

  test("directories are opened but never for writing", () => {
    const { guest } = furnished();
    for (const path of ["dir", ".", "dir/"]) {
      expect(guest.open(path, { flags: O.DIRECTORY, rights: Right.FD_READ })).toBeTypeOf("number");
      expect(guest.open(path, { rights: Right.FD_READ | Right.FD_WRITE })).toBe("ISDIR");
      expect(guest.open(path, { flags: O.DIRECTORY, rights: Right.FD_WRITE })).toBe("ISDIR");
      expect(guest.open(path, { flags: O.CREAT })).toBe("ISDIR");
      expect(guest.open(path, { flags: O.TRUNC })).toBe("ISDIR");
      expect(guest.open(path, { flags: O.CREAT | O.EXCL })).toBe("EXIST");
    }
    expect(guest.open("file", { flags: O.DIRECTORY })).toBe("NOTDIR");
    for (const flag of [O.CREAT, O.TRUNC, O.EXCL]) {
      expect(guest.open("dir", { flags: O.DIRECTORY | flag })).toBe("INVAL");
    }
  });

  test("flags that do not exist are EINVAL", () => {
    const { guest } = furnished();
    expect(guest.open("file", { flags: 16 })).toBe("INVAL");
    expect(guest.open("file", { lookup: 2 })).toBe("INVAL");
    expect(guest.open("file", { fd: 32 })).toBe("INVAL");
    expect(guest.stat("file", { lookup: 2 })).toBe("INVAL");
  });

  test("from a directory that was opened it counts from there, and from a file nowhere", () => {
    const { guest } = furnished();
    const dir = guest.opened("dir");
    expect(guest.read(guest.opened("inner", { at: dir }), 9)).toBe("inner");
    expect(guest.open("inner", { at: guest.opened("file") })).toBe("NOTDIR");
    expect(guest.mkdir("x", guest.opened("file"))).toBe("NOTDIR");
  });

  test("a result that does not fit in memory is EFAULT before anything is opened or made", () => {
    const { guest, root } = furnished();
    const end = guest.memory.buffer.byteLength;
    expect(guest.call("path_open", 3, 0, ...guest.put("new"), O.CREAT, 2n, 0n, 0, end - 3)).toBe("FAULT");
    expect(existsSync(join(root, "new"))).toBe(false);
  });
});

describe("what a path is made of", () => {
  test("UTF-8, no NUL, and no more bytes than Linux takes", () => {
    const { guest } = furnished();
    const bytes = (...values: number[]) => guest.put(new Uint8Array(values));
    const open = (path: [number, number]) => guest.call("path_open", 3, 0, ...path, 0, 2n, 0n, 0, 64);
    expect(open(guest.put("file\0"))).toBe("INVAL");
    expect(open(guest.put("fi\0le"))).toBe("INVAL");
    expect(open(bytes(0x66, 0xff))).toBe("ILSEQ");
    expect(open(bytes(0xc0, 0xaf))).toBe("ILSEQ");
    expect(open(bytes(0xed, 0xa0, 0x80))).toBe("ILSEQ");
    expect(open(guest.put("a".repeat(4096)))).toBe("NAMETOOLONG");
    expect(open(guest.put("a".repeat(65_536)))).toBe("NAMETOOLONG");
    expect(open(guest.put("a".repeat(256)))).toBe("NAMETOOLONG");
    expect(open(guest.put(`${"./".repeat(2045)}file`))).toBe("SUCCESS");
  });

  test("an address and a length inside memory", () => {
    const { guest } = furnished();
    const end = guest.memory.buffer.byteLength;
    for (const [address, length] of [
      [end - 3, 4],
      [end, 1],
      [0xffff_ffff, 1],
      [0, 0xffff_ffff],
    ] as const) {
      expect(guest.call("path_open", 3, 0, address, length, 0, 2n, 0n, 0, 64)).toBe("FAULT");
      expect(guest.call("path_unlink_file", 3, address, length)).toBe("FAULT");
      expect(guest.call("path_filestat_get", 3, 0, address, length, 64)).toBe("FAULT");
      expect(guest.call("path_symlink", address, length, 3, ...guest.put("x"))).toBe("FAULT");
      expect(guest.call("path_symlink", ...guest.put("x"), 3, address, length)).toBe("FAULT");
      expect(guest.call("path_rename", 3, ...guest.put("file"), 3, address, length)).toBe("FAULT");
    }
    new Uint8Array(guest.memory.buffer).set(new TextEncoder().encode("file"), end - 4);
    expect(guest.call("path_open", 3, 0, end - 4, 4, 0, 2n, 0n, 0, 64)).toBe("SUCCESS");
  });

  test("text as it stands: a byte order mark belongs to the name", () => {
    const { guest, root } = furnished();
    guest.opened("\uFEFFmark", { flags: O.CREAT });
    expect(existsSync(join(root, "\uFEFFmark"))).toBe(true);
    expect(existsSync(join(root, "mark"))).toBe(false);
  });

  test("a path that is inside of more directories at a time than one call may hold open is ENAMETOOLONG", () => {
    const guest = withMount(scratch());
    let at = 3;
    for (let depth = 0; depth < 300; depth++) {
      guest.mkdir("d", at);
      const next = guest.opened("d", { at });
      if (at !== 3) guest.close(at);
      at = next;
    }
    expect(guest.open("d/".repeat(300))).toBe("NAMETOOLONG");
    expect(guest.open("d/".repeat(256))).toBeTypeOf("number");
    expect(guest.open("d/../".repeat(700))).toBeTypeOf("number");
  });
});

describe("making and removing", () => {
  test("directories", () => {
    const { guest, root } = furnished();
    expect(guest.mkdir("new")).toBe("SUCCESS");
    expect(guest.mkdir("slash/")).toBe("SUCCESS");
    expect(statSync(join(root, "slash")).isDirectory()).toBe(true);
    expect(["new", "file", "dangling", ".", "dir/..", "to-dir"].map((path) => guest.mkdir(path))).toEqual(
      Array(6).fill("EXIST"),
    );
    expect(guest.mkdir("missing/new")).toBe("NOENT");
    expect(guest.mkdir("file/new")).toBe("NOTDIR");
    expect(guest.mkdir("")).toBe("NOENT");
    expect(guest.rmdir("new")).toBe("SUCCESS");
    expect(guest.rmdir("slash/")).toBe("SUCCESS");
    expect(guest.rmdir("dir")).toBe("NOTEMPTY");
    expect(["file", "file/", "to-dir", "to-dir/", "dangling"].map((path) => guest.rmdir(path))).toEqual(
      Array(5).fill("NOTDIR"),
    );
    expect(guest.rmdir("missing")).toBe("NOENT");
    expect([guest.rmdir("."), guest.rmdir("dir/."), guest.rmdir("dir/sub/..")]).toEqual(
      Array(3).fill("INVAL"),
    );
  });

  test("files and links, never directories", () => {
    const { guest, root } = furnished();
    expect([guest.unlink("dir"), guest.unlink("dir/"), guest.unlink(".")]).toEqual(Array(3).fill("ISDIR"));
    expect([guest.unlink("file/"), guest.unlink("to-file/"), guest.unlink("file/x")]).toEqual(
      Array(3).fill("NOTDIR"),
    );
    expect([guest.unlink("missing"), guest.unlink("missing/")]).toEqual(["NOENT", "NOENT"]);
    expect(guest.unlink("to-file")).toBe("SUCCESS");
    expect(guest.unlink("dangling")).toBe("SUCCESS");
    expect(readFileSync(join(root, "file"), "utf8")).toBe("text");
    expect(guest.unlink("file")).toBe("SUCCESS");
    expect(existsSync(join(root, "file"))).toBe(false);
  });

  test("symbolic links", () => {
    const { guest, root } = furnished();
    expect(guest.symlink("dir/inner", "link")).toBe("SUCCESS");
    expect(readlinkSync(join(root, "link"))).toBe("dir/inner");
    expect(guest.symlink("x", "file")).toBe("EXIST");
    expect(guest.symlink("x", "dangling")).toBe("EXIST");
    expect(guest.symlink("x", "new/")).toBe("NOENT");
    expect(guest.symlink("x", "dir/")).toBe("EXIST");
    expect(guest.symlink("x", "file/")).toBe("NOTDIR");
    expect(guest.symlink("x", ".")).toBe("EXIST");
    expect(guest.symlink("", "empty")).toBe("NOENT");
    expect(guest.symlink("x\0y", "nul")).toBe("INVAL");
  });

  test("hard links", () => {
    const { guest, root } = furnished();
    expect(guest.link("file", "dir/second")).toBe("SUCCESS");
    expect(statSync(join(root, "dir/second")).ino).toBe(statSync(join(root, "file")).ino);
    expect((guest.stat("file") as Stat).links).toBe(2n);
    expect(guest.link("file", "dir/second")).toBe("EXIST");
    expect(guest.link("file", "file")).toBe("EXIST");
    expect(guest.link("file", "dangling")).toBe("EXIST");
    expect(guest.link("file", "new/")).toBe("NOENT");
    expect(guest.link("file/", "new")).toBe("NOTDIR");
    expect(guest.link("missing", "new")).toBe("NOENT");
    expect(guest.link("dir", "new")).toBe("PERM");
    expect(guest.link(".", "new")).toBe("PERM");
    expect(guest.link("file", "missing/new")).toBe("NOENT");
    expect(guest.link("to-file", "new", { lookup: FOLLOW })).toBe("INVAL");
    expect(guest.link("dangling", "same-link")).toBe("SUCCESS");
    expect(readlinkSync(join(root, "same-link"))).toBe("nothing");
  });
});

describe("renaming", () => {
  test("files, over files too, and never over directories", () => {
    const { guest, root } = furnished();
    expect(guest.rename("file", "moved")).toBe("SUCCESS");
    expect(guest.rename("moved", "dir/inner")).toBe("SUCCESS");
    expect(readFileSync(join(root, "dir/inner"), "utf8")).toBe("text");
    expect(guest.rename("dir/inner", "dir/sub")).toBe("ISDIR");
    expect(guest.rename("dir/inner", "missing/x")).toBe("NOENT");
    expect(guest.rename("missing", "x")).toBe("NOENT");
    expect(guest.rename("dir/inner", "x/")).toBe("NOTDIR");
    expect(guest.rename("dir/inner/", "x")).toBe("NOTDIR");
  });

  test("directories, over empty directories too", () => {
    const { guest, root } = furnished();
    guest.mkdir("a");
    guest.mkdir("empty");
    expect(guest.rename("a/", "b/")).toBe("SUCCESS");
    expect(guest.rename("b", "empty")).toBe("SUCCESS");
    expect(guest.rename("empty", "dir")).toBe("NOTEMPTY");
    expect(guest.rename("empty", "file")).toBe("NOTDIR");
    expect(guest.rename("dir", "dir/sub/x")).toBe("INVAL");
    expect(guest.rename(".", "x")).toBe("BUSY");
    expect(guest.rename("dir", "dir/sub/..")).toBe("BUSY");
    expect(existsSync(join(root, "b"))).toBe(false);
  });

  test("links themselves, not what they are to", () => {
    const { guest, root } = furnished();
    expect(guest.rename("to-dir", "moved")).toBe("SUCCESS");
    expect(readlinkSync(join(root, "moved"))).toBe("dir");
    expect(guest.rename("file", "dangling")).toBe("SUCCESS");
    expect(readFileSync(join(root, "dangling"), "utf8")).toBe("text");
    expect(existsSync(join(root, "nothing"))).toBe(false);
  });

  test("leaves what is open open", () => {
    const { guest } = furnished();
    const dir = guest.opened("dir");
    const file = guest.opened("dir/inner");
    expect(guest.rename("dir", "elsewhere")).toBe("SUCCESS");
    expect(guest.read(file, 9)).toBe("inner");
    expect(guest.stat("inner", { at: dir })).toMatchObject({ size: 5n });
  });
});

describe("reading links", () => {
  test("gives the target, cut to the buffer", () => {
    const { guest } = furnished();
    expect(guest.readlink("to-file")).toBe("file");
    expect(guest.readlink("to-file", 2)).toBe("fi");
    expect(guest.readlink("to-file", 0)).toBe("");
    expect(guest.readlink("to-dir/../dangling")).toBe("nothing");
  });

  test("of what is no link is EINVAL", () => {
    const { guest } = furnished();
    expect([
      guest.readlink("file"),
      guest.readlink("dir"),
      guest.readlink("."),
      guest.readlink("to-dir/"),
    ]).toEqual(Array(4).fill("INVAL"));
    expect(guest.readlink("missing")).toBe("NOENT");
  });
});

describe("facts about files", () => {
  test("are those of the disk", () => {
    const { guest, root } = furnished();
    utimesSync(join(root, "file"), 1_700_000_000, 1_600_000_000);
    const host = lstatSync(join(root, "file"), { bigint: true });
    const expected: Stat = {
      device: host.dev,
      inode: host.ino,
      type: 4,
      links: 1n,
      size: 4n,
      atim: host.atimeNs,
      mtim: host.mtimeNs,
      ctim: host.ctimeNs,
    };
    expect(guest.stat("file")).toEqual(expected);
    expect(guest.stat("to-file", { lookup: FOLLOW })).toEqual(expected);
    expect(guest.fstat(guest.opened("file"))).toEqual(expected);
    expect(guest.stat("to-file")).toMatchObject({ type: 7, size: 4n });
    expect(guest.stat("dir")).toMatchObject({ type: 3 });
    expect(guest.stat("to-dir/")).toMatchObject({ type: 3 });
    expect(guest.stat(".")).toEqual(guest.fstat(3));
  });

  test("are ENOENT, ENOTDIR or ELOOP where there is nothing to say", () => {
    const { guest } = furnished();
    expect(guest.stat("missing")).toBe("NOENT");
    expect(guest.stat("dangling", { lookup: FOLLOW })).toBe("NOENT");
    expect(guest.stat("dangling")).toMatchObject({ type: 7 });
    expect(guest.stat("file/")).toBe("NOTDIR");
    expect(guest.stat("loop-a", { lookup: FOLLOW })).toBe("LOOP");
    expect(
      guest.call("path_filestat_get", 3, 0, ...guest.put("file"), guest.memory.buffer.byteLength - 63),
    ).toBe("FAULT");
  });

  test("a date before 1970 is told as the first instant that can be", () => {
    const { guest, root } = furnished();
    utimesSync(join(root, "file"), "-1000" as unknown as number, "-5.5" as unknown as number);
    expect(lstatSync(join(root, "file")).mtimeMs).toBe(-5500);
    expect(guest.stat("file")).toMatchObject({ atim: 0n, mtim: 0n });
  });
});

describe("setting times", () => {
  const ATIM = 1;
  const ATIM_NOW = 2;
  const MTIM = 4;
  const MTIM_NOW = 8;
  const at = 1_700_000_000_123_456_789n;

  test("is exact to the nanosecond for the guest, and as exact as Node can say on the disk", () => {
    const { guest, root } = furnished();
    expect(guest.setTimes("file", at, at + 1n, ATIM | MTIM)).toBe("SUCCESS");
    expect(guest.stat("file")).toMatchObject({ atim: at, mtim: at + 1n });
    expect(guest.fstat(guest.opened("file"))).toMatchObject({ atim: at, mtim: at + 1n });
    const { mtimeNs } = statSync(join(root, "file"), { bigint: true });
    expect(Math.abs(Number(mtimeNs - at))).toBeLessThan(1_000);
  });

  test("leaves alone what it is not asked for", () => {
    const { guest } = furnished();
    guest.setTimes("file", at, at, ATIM | MTIM);
    expect(guest.setTimes("file", 5n, at + 7n, MTIM)).toBe("SUCCESS");
    expect(guest.stat("file")).toMatchObject({ atim: at, mtim: at + 7n });
    expect(guest.setTimes("file", 0n, 0n, 0)).toBe("SUCCESS");
    expect(guest.stat("file")).toMatchObject({ atim: at, mtim: at + 7n });
    const { atim: before } = guest.stat("dir") as Stat;
    guest.setTimes("dir", 0n, at, MTIM);
    expect(guest.stat("dir")).toMatchObject({ atim: before, mtim: at });
  });

  test("to the present needs no clock", () => {
    const { guest } = furnished();
    guest.setTimes("file", 0n, 0n, ATIM | MTIM);
    expect(guest.setTimes("file", 0n, 0n, ATIM_NOW | MTIM_NOW)).toBe("SUCCESS");
    const { atim, mtim } = guest.stat("file") as Stat;
    const now = BigInt(Date.now()) * 1_000_000n;
    for (const time of [atim, mtim]) expect(Number(now - time) / 1e9).toBeLessThan(600);
  });

  test("both to a time and to the present is EINVAL, and so are flags that do not exist", () => {
    const { guest } = furnished();
    guest.setTimes("file", at, at, ATIM | MTIM);
    const fd = guest.opened("file");
    for (const flags of [ATIM | ATIM_NOW, MTIM | MTIM_NOW, 16]) {
      expect(guest.setTimes("file", 0n, 0n, flags)).toBe("INVAL");
      expect(guest.call("fd_filestat_set_times", fd, 0n, 0n, flags)).toBe("INVAL");
    }
    expect(guest.stat("file")).toMatchObject({ atim: at, mtim: at });
  });

  test("of a link sets the link's own, or what it is to when asked", () => {
    const { guest } = furnished();
    const { mtim: before } = guest.stat("file") as Stat;
    expect(guest.setTimes("to-file", 0n, at, MTIM)).toBe("SUCCESS");
    expect(guest.stat("to-file")).toMatchObject({ mtim: at });
    expect(guest.stat("file")).toMatchObject({ mtim: before });
    expect(guest.setTimes("to-file", 0n, at + 9n, MTIM, FOLLOW)).toBe("SUCCESS");
    expect(guest.stat("file")).toMatchObject({ mtim: at + 9n });
    expect(guest.setTimes("dangling", 0n, at, MTIM, FOLLOW)).toBe("NOENT");
  });

  test("works on open files and directories", () => {
    const { guest } = furnished();
    const file = guest.opened("file");
    const dir = guest.opened("dir");
    for (const fd of [file, dir, 3]) {
      expect(guest.call("fd_filestat_set_times", fd, at, at, ATIM | MTIM)).toBe("SUCCESS");
      expect(guest.fstat(fd)).toMatchObject({ atim: at, mtim: at });
    }
  });

  test("what the disk says later is what counts", () => {
    const { guest, root } = furnished();
    guest.setTimes("file", at, at, ATIM | MTIM);
    utimesSync(join(root, "file"), 1_000, 2_000);
    expect(guest.stat("file")).toMatchObject({ atim: 1_000_000_000_000n, mtim: 2_000_000_000_000n });
  });
});

describe("a mount for reading", () => {
  const reading = (): { root: string; guest: Caller } => {
    const { root } = furnished();
    return {
      root,
      guest: new Caller({ mounts: [{ source: root, guest: "/data", access: "read" }] }),
    };
  };

  test("lets everything be read", () => {
    const { guest } = reading();
    expect(guest.read(guest.opened("dir/../to-file", { lookup: FOLLOW }), 9)).toBe("text");
    expect(guest.readdir(guest.opened("dir")).map(({ name }) => name)).toContain("inner");
    expect(guest.readlink("to-file")).toBe("file");
    expect(guest.stat("file")).toMatchObject({ size: 4n });
    expect(guest.denials).toEqual([]);
  });

  test("refuses every change with EPERM, and tells which mount and what would allow it", () => {
    const { guest, root } = reading();
    const before = statSync(join(root, "file"), { bigint: true });
    const file = guest.opened("file");
    const changes: Record<string, () => unknown> = {
      "open to write": () => guest.open("file", { rights: Right.FD_READ | Right.FD_WRITE }),
      "open to create": () => guest.open("new", { flags: O.CREAT }),
      "open to create what exists": () => guest.open("file", { flags: O.CREAT }),
      "open to truncate": () => guest.open("file", { flags: O.TRUNC }),
      "open in a directory": () => guest.open("inner", { at: guest.opened("dir"), rights: Right.FD_WRITE }),
      mkdir: () => guest.mkdir("new"),
      rmdir: () => guest.rmdir("dir/sub"),
      unlink: () => guest.unlink("file"),
      symlink: () => guest.symlink("x", "new"),
      link: () => guest.link("file", "new"),
      rename: () => guest.rename("file", "new"),
      "set times": () => guest.setTimes("file", 0n, 0n, 5),
      "set times of an open file": () => guest.call("fd_filestat_set_times", file, 0n, 0n, 5),
      "set times of the mount": () => guest.call("fd_filestat_set_times", 3, 0n, 0n, 5),
      "set size": () => guest.call("fd_filestat_set_size", file, 0n),
    };
    for (const [what, change] of Object.entries(changes)) {
      const told = guest.denials.length;
      expect([what, change()]).toEqual([what, "PERM"]);
      expect(guest.denials.length).toBe(told + 1);
    }
    for (const { target, reason, grant } of guest.denials) {
      expect(target).toMatch(/^\/data/);
      expect(reason).toContain("/data is mounted for reading");
      expect(grant).toBe('mounts[].access: "read-write"');
    }
    expect(guest.write(file, "x")).toBe("BADF");
    expect(statSync(join(root, "file"), { bigint: true })).toMatchObject({
      mtimeNs: before.mtimeNs,
      size: before.size,
      nlink: before.nlink,
    });
  });
});

describe("between mounts", () => {
  const several = (): { guest: Caller; a: string } => {
    const a = scratch();
    writeFileSync(join(a, "file"), "a");
    const b = scratch();
    const r = scratch();
    writeFileSync(join(r, "secret"), "r");
    linkSync(join(r, "secret"), join(r, "other"));
    return {
      a,
      guest: new Caller({
        mounts: [
          { source: a, guest: "/a" },
          { source: b, guest: "/b" },
          { source: r, guest: "/r", access: "read" },
        ],
      }),
    };
  };

  test("of the same access links and renames are EXDEV, as between mounted filesystems", () => {
    const { guest } = several();
    expect(guest.link("file", "file", { at: 3, toAt: 4 })).toBe("XDEV");
    expect(guest.rename("file", "file", { at: 3, toAt: 4 })).toBe("XDEV");
    expect(guest.denials).toEqual([]);
  });

  test("of different access they are EPERM, in either direction, and told", () => {
    const { guest } = several();
    expect(guest.link("secret", "alias", { at: 5, toAt: 3 })).toBe("PERM");
    expect(guest.rename("secret", "alias", { at: 5, toAt: 3 })).toBe("PERM");
    expect(guest.link("file", "x", { at: 3, toAt: 5 })).toBe("PERM");
    expect(guest.rename("file", "x", { at: 3, toAt: 5 })).toBe("PERM");
    expect(guest.denials.map(({ target }) => target)).toEqual(["/r/secret", "/r/secret", "/r/x", "/r/x"]);
  });

  test("a directory opened below a mount belongs to it", () => {
    const { guest } = several();
    guest.mkdir("dir");
    const dir = guest.opened("dir");
    expect(guest.rename("file", "file", { at: 3, toAt: dir })).toBe("SUCCESS");
    expect(guest.link("file", "x", { at: dir, toAt: 4 })).toBe("XDEV");
  });
});
