import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DIRECTORY_RIGHTS, FILE_RIGHTS, Right } from "../../../src/guest/preview1/rights.ts";
import { Caller, FD, O, withMount } from "../caller.ts";
import { runModule, rustModule, scratch } from "../support.ts";

/** Descriptors of this process. */
const openInProcess = (): number => readdirSync("/proc/self/fd").length;

describe("mounts", () => {
  test("are found from descriptor 3 on, by name", () => {
    const guest = new Caller({
      mounts: [
        { source: scratch(), guest: "/data" },
        { source: scratch(), guest: "/out" },
      ],
    });
    for (const [fd, name] of [
      [3, "/data"],
      [4, "/out"],
    ] as const) {
      expect(guest.call("fd_prestat_get", fd, 64)).toBe("SUCCESS");
      expect([guest.view.getUint8(64), guest.view.getUint32(68, true)]).toEqual([0, name.length]);
      expect(guest.call("fd_prestat_dir_name", fd, 128, name.length + 4)).toBe("SUCCESS");
      expect(new TextDecoder().decode(guest.bytes(128, name.length))).toBe(name);
      expect(guest.call("fd_prestat_dir_name", fd, 128, name.length - 1)).toBe("NAMETOOLONG");
    }
    expect(guest.call("fd_prestat_get", 6, 64)).toBe("BADF");
    expect(guest.call("fd_prestat_get", 1, 64)).toBe("BADF");
    expect(guest.call("fd_prestat_dir_name", 1, 128, 64)).toBe("NOTDIR");
    expect(guest.call("fd_prestat_dir_name", 9, 128, 64)).toBe("BADF");
    expect(guest.call("fd_prestat_dir_name", 3, guest.memory.buffer.byteLength - 2, 64)).toBe("FAULT");
  });

  test("can be closed by a guest for itself, and are there again for the next", () => {
    const mounts = [{ source: scratch(), guest: "/data" }];
    const guest = new Caller({ mounts });
    expect(guest.close(3)).toBe("SUCCESS");
    expect(guest.call("fd_prestat_get", 3, 64)).toBe("BADF");
    expect(guest.stat(".")).toBe("BADF");
  });

  test("can be replaced: the number then stands for the other directory and is no mount any more", () => {
    const root = scratch();
    mkdirSync(join(root, "sub"));
    writeFileSync(join(root, "sub", "inner"), "");
    const guest = withMount(root);
    const sub = guest.opened("sub");
    expect(guest.call("fd_renumber", sub, 3)).toBe("SUCCESS");
    expect(guest.call("fd_prestat_get", 3, 64)).toBe("BADF");
    expect(guest.stat("inner")).toMatchObject({ type: 4 });
    expect(guest.stat("sub")).toBe("NOENT");
  });
});

describe("the root of nothing", () => {
  test("makes a path below no mount reach the host, which finds nothing there and tells", () => {
    const guest = new Caller();
    expect(guest.open("etc/passwd")).toBe("NOENT");
    expect(guest.stat("etc")).toBe("NOENT");
    expect(guest.mkdir("tmp")).toBe("NOENT");
    expect(guest.open(".")).toBe("NOENT");
    expect(guest.denials.map(({ call, target, grant }) => [call, target, grant])).toEqual([
      ["path_open", "/etc/passwd", "mounts"],
      ["path_filestat_get", "/etc", "mounts"],
      ["path_create_directory", "/tmp", "mounts"],
      ["path_open", "/", "mounts"],
    ]);
  });

  test("is no descriptor for anything else", () => {
    const guest = new Caller();
    expect(guest.close(3)).toBe("BADF");
    expect(guest.call("fd_renumber", 3, 1)).toBe("BADF");
    expect(guest.call("fd_renumber", 1, 3)).toBe("BADF");
    expect(guest.fstat(3)).toBe("BADF");
    expect(guest.call("sock_shutdown", 3, 0)).toBe("BADF");
    expect(guest.denials).toEqual([]);
  });

  test("is not there where something is mounted at /", () => {
    const guest = new Caller({ mounts: [{ source: scratch(), guest: "/" }] });
    expect(guest.call("fd_prestat_get", 4, 64)).toBe("BADF");
    expect(guest.open("etc/passwd")).toBe("NOENT");
    expect(guest.denials).toEqual([]);
  });

  test("lets a Rust program go on without a file that it can do without", async () => {
    const module = await rustModule(`
      fn main() {
          match std::fs::read_to_string("/etc/app.conf") {
              Err(error) if error.kind() == std::io::ErrorKind::NotFound => println!("defaults"),
              other => panic!("{other:?}"),
          }
      }`);
    const run = runModule(module);
    expect(run.stdout()).toBe("defaults\n");
    expect(run.denials).toMatchObject([{ call: "path_open", target: "/etc/app.conf", grant: "mounts" }]);
  });
});

describe("numbers", () => {
  test("are the lowest free ones", () => {
    const guest = withMount(scratch());
    const [a, b, c] = ["a", "b", "c"].map((name) => guest.opened(name, { flags: O.CREAT })) as [
      number,
      number,
      number,
    ];
    expect(new Set([a, b, c]).size).toBe(3);
    guest.close(b);
    guest.close(a);
    expect(guest.opened("a")).toBe(a);
    expect(guest.opened("b")).toBe(b);
    expect(guest.opened("c")).toBeGreaterThan(c);
  });

  test("that stand for nothing are EBADF for every call", () => {
    const guest = withMount(scratch());
    for (const fd of [50, 4096, 0x7fff_ffff, 0xffff_ffff]) {
      expect(guest.close(fd)).toBe("BADF");
      expect(guest.read(fd, 1)).toBe("BADF");
      expect(guest.pread(fd, 1, 0n)).toBe("BADF");
      expect(guest.write(fd, "x")).toBe("BADF");
      expect(guest.pwrite(fd, "x", 0n)).toBe("BADF");
      expect(guest.seek(fd, 0n, 0)).toBe("BADF");
      expect(guest.tell(fd)).toBe("BADF");
      expect(guest.fdstat(fd)).toBe("BADF");
      expect(guest.fstat(fd)).toBe("BADF");
      expect(guest.open("x", { at: fd })).toBe("BADF");
      expect(guest.stat("x", { at: fd })).toBe("BADF");
      expect(guest.mkdir("x", fd)).toBe("BADF");
      expect(guest.call("fd_renumber", fd, 1)).toBe("BADF");
      expect(guest.call("fd_renumber", 1, fd)).toBe("BADF");
      for (const name of ["fd_sync", "fd_datasync"]) expect(guest.call(name, fd)).toBe("BADF");
      expect(guest.call("fd_advise", fd, 0n, 0n, 0)).toBe("BADF");
      expect(guest.call("fd_allocate", fd, 0n, 1n)).toBe("BADF");
      expect(guest.call("fd_fdstat_set_flags", fd, 0)).toBe("BADF");
      expect(guest.call("fd_fdstat_set_rights", fd, 0n, 0n)).toBe("BADF");
      expect(guest.call("fd_filestat_set_size", fd, 0n)).toBe("BADF");
      expect(guest.call("fd_filestat_set_times", fd, 0n, 0n, 0)).toBe("BADF");
      expect(guest.call("fd_readdir", fd, 0, 64, 0n, 128)).toBe("BADF");
    }
  });

  test("move with renumber, and what was there is closed", () => {
    const guest = withMount(scratch());
    const a = guest.opened("a", { flags: O.CREAT, rights: Right.FD_READ | Right.FD_WRITE });
    const b = guest.opened("b", { flags: O.CREAT });
    guest.write(a, "from a");
    const before = openInProcess();
    expect(guest.call("fd_renumber", a, b)).toBe("SUCCESS");
    expect(openInProcess()).toBe(before - 1);
    expect(guest.fdstat(a)).toBe("BADF");
    expect(guest.pread(b, 6, 0n)).toBe("from a");
    expect(guest.call("fd_renumber", b, b)).toBe("SUCCESS");
    expect(guest.pread(b, 6, 0n)).toBe("from a");
  });
});

describe("limits.openFiles", () => {
  const mounted = (openFiles: number): Caller => {
    const root = scratch();
    writeFileSync(join(root, "f"), "");
    mkdirSync(join(root, "d"));
    return withMount(root, { grants: { openFiles } });
  };

  test("as many as granted can be open, files and directories alike, and one more is EMFILE and told", () => {
    const guest = mounted(2);
    const fd = guest.opened("f");
    guest.opened("d");
    expect(guest.denials).toEqual([]);
    expect(guest.open("f")).toBe("MFILE");
    expect(guest.open("new", { flags: O.CREAT })).toBe("MFILE");
    expect(guest.stat("new")).toBe("NOENT");
    expect(guest.denials).toMatchObject([
      { call: "path_open", target: "/data/f", grant: "limits.openFiles" },
      { call: "path_open", target: "/data/new", grant: "limits.openFiles" },
    ]);
    guest.close(fd);
    expect(guest.open("f")).toBe(fd);
  });

  test("none may be open where none is granted", () => {
    expect(mounted(0).open("f")).toBe("MFILE");
  });

  test("renumbering and failing to open use nothing up", () => {
    const guest = mounted(2);
    for (let round = 0; round < 10; round++) {
      const a = guest.opened("f");
      const b = guest.opened("d");
      expect(guest.open("missing")).toBe("MFILE");
      guest.call("fd_renumber", a, b);
      expect(guest.open("missing")).toBe("NOENT");
      guest.close(b);
    }
  });
});

test("closing the host closes every descriptor of the run, and those that its files and directories hold behind them", () => {
  const root = scratch();
  mkdirSync(join(root, "deep/er"), { recursive: true });
  for (let index = 0; index < 300; index++) writeFileSync(join(root, `f${index}`), "x");
  const before = openInProcess();
  const guest = withMount(root);
  const appending = guest.opened("f1", { rights: Right.FD_WRITE, fd: FD.APPEND });
  guest.write(appending, "x");
  guest.readdirBytes(3, 64, 0n);
  guest.readdirBytes(guest.opened("."), 64, 0n);
  guest.open("deep/er/../../deep/er/missing");
  guest.open("f1/x");
  guest.opened("deep/er");
  expect(openInProcess()).toBeGreaterThan(before);
  guest.witness.wasi.close();
  // The mount itself belongs to the cell.
  expect(openInProcess()).toBe(before + 1);
  guest.witness.wasi.close();
  expect(guest.read(appending, 1)).toBe("BADF");
});

describe("rights", () => {
  test("of a mount are all that programs look for, whatever its access", () => {
    for (const access of ["read", "read-write"] as const) {
      const guest = new Caller({ mounts: [{ source: scratch(), guest: "/data", access }] });
      expect(guest.fdstat(3)).toEqual({
        type: 3,
        flags: 0,
        rights: DIRECTORY_RIGHTS,
        inheriting: DIRECTORY_RIGHTS | FILE_RIGHTS,
      });
    }
  });

  test("are masked and not refused: reading and writing as asked for, the rest by kind", () => {
    const root = scratch();
    writeFileSync(join(root, "f"), "x");
    mkdirSync(join(root, "d"));
    const guest = withMount(root);
    const mode = Right.FD_READ | Right.FD_WRITE;
    for (const rights of [0, Right.FD_READ, Right.FD_WRITE, mode]) {
      expect(guest.fdstat(guest.opened("f", { rights }))).toMatchObject({
        type: 4,
        rights: (FILE_RIGHTS & ~mode) | rights,
      });
    }
    const everything = guest.call("path_open", 3, 0, ...guest.put("f"), 0, -1n, -1n, 0, 64);
    expect(everything).toBe("SUCCESS");
    expect(guest.fdstat(guest.opened("d", { rights: Right.FD_READ | Right.FD_SEEK }))).toMatchObject({
      type: 3,
      rights: DIRECTORY_RIGHTS,
    });
  });

  test("can be dropped and not be taken back", () => {
    const root = scratch();
    writeFileSync(join(root, "f"), "abc");
    const guest = withMount(root);
    const fd = guest.opened("f", { rights: Right.FD_READ | Right.FD_WRITE });
    const { rights, inheriting } = guest.fdstat(fd) as { rights: number; inheriting: number };
    const drop = Right.FD_READ | Right.FD_WRITE | Right.FD_FILESTAT_GET | Right.FD_SEEK;
    expect(guest.call("fd_fdstat_set_rights", fd, BigInt(rights & ~drop), BigInt(inheriting))).toBe(
      "SUCCESS",
    );
    expect(guest.fdstat(fd)).toMatchObject({ rights: rights & ~drop });
    expect(guest.read(fd, 1)).toBe("BADF");
    expect(guest.write(fd, "x")).toBe("BADF");
    expect(guest.fstat(fd)).toBe("NOTCAPABLE");
    expect(guest.seek(fd, 1n, 0)).toBe("NOTCAPABLE");
    expect(guest.seek(fd, 0n, 1)).toBe(0n);
    expect(guest.tell(fd)).toBe(0n);
    expect(guest.call("fd_fdstat_set_rights", fd, BigInt(rights), BigInt(inheriting))).toBe("NOTCAPABLE");
    expect(guest.call("fd_fdstat_set_rights", fd, 0n, 1n << 40n)).toBe("NOTCAPABLE");
  });

  test("that a directory no longer hands down are missing from what is opened through it", () => {
    const root = scratch();
    writeFileSync(join(root, "f"), "abc");
    const guest = withMount(root);
    const { rights, inheriting } = guest.fdstat(3) as { rights: number; inheriting: number };
    const kept = inheriting & ~Right.FD_WRITE;
    const base = rights & ~(Right.PATH_FILESTAT_SET_SIZE | Right.PATH_CREATE_FILE | Right.PATH_UNLINK_FILE);
    expect(guest.call("fd_fdstat_set_rights", 3, BigInt(base), BigInt(kept))).toBe("SUCCESS");
    const fd = guest.opened("f", { rights: Right.FD_READ | Right.FD_WRITE });
    expect(guest.write(fd, "x")).toBe("BADF");
    expect(guest.open("f", { flags: O.TRUNC })).toBe("NOTCAPABLE");
    expect(guest.open("new", { flags: O.CREAT })).toBe("NOTCAPABLE");
    expect(guest.unlink("f")).toBe("NOTCAPABLE");
    expect(guest.fdstat(guest.opened("."))).toMatchObject({ inheriting: kept });
  });
});

describe("flags", () => {
  test("append and nonblock are kept and can be changed; those that delay writes are refused", () => {
    const guest = withMount(scratch());
    const fd = guest.opened("f", { flags: O.CREAT, rights: Right.FD_WRITE, fd: FD.APPEND });
    expect(guest.fdstat(fd)).toMatchObject({ flags: FD.APPEND });
    expect(guest.call("fd_fdstat_set_flags", fd, FD.NONBLOCK)).toBe("SUCCESS");
    expect(guest.fdstat(fd)).toMatchObject({ flags: FD.NONBLOCK });
    for (const flag of [FD.SYNC, FD.DSYNC, FD.RSYNC]) {
      expect(guest.call("fd_fdstat_set_flags", fd, flag)).toBe("INVAL");
      expect(guest.open("f", { fd: flag })).toBe("NOTSUP");
    }
    expect(guest.call("fd_fdstat_set_flags", fd, 32)).toBe("INVAL");
    expect(guest.call("fd_fdstat_set_flags", 3, 0)).toBe("BADF");
  });
});
