import { readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Right } from "../../../src/guest/preview1/rights.ts";
import { Caller, CUR, END, FD, O, SET, withMount } from "../caller.ts";
import { type GuestOptions, scratch } from "../support.ts";

const BOTH = Right.FD_READ | Right.FD_WRITE;

/** A guest with one file open for reading and writing. */
function withFile(content = "", options: GuestOptions = {}): { guest: Caller; fd: number; path: string } {
  const root = scratch();
  const path = join(root, "f");
  writeFileSync(path, content);
  const guest = withMount(root, options);
  return { guest, fd: guest.opened("f", { rights: BOTH }), path };
}

describe("reading and writing", () => {
  test("go on where the last one ended", () => {
    const { guest, fd, path } = withFile();
    expect([guest.write(fd, "abc"), guest.write(fd, "def")]).toEqual([3, 3]);
    expect(readFileSync(path, "utf8")).toBe("abcdef");
    expect(guest.seek(fd, 1n, SET)).toBe(1n);
    expect([guest.read(fd, 2), guest.read(fd, 9), guest.read(fd, 9)]).toEqual(["bc", "def", ""]);
    expect(guest.tell(fd)).toBe(6n);
  });

  test("at a position leave the current one alone", () => {
    const { guest, fd } = withFile("0123456789");
    guest.seek(fd, 2n, SET);
    expect(guest.pread(fd, 3, 5n)).toBe("567");
    expect(guest.pwrite(fd, "x", 0n)).toBe(1);
    expect(guest.tell(fd)).toBe(2n);
    expect(guest.pread(fd, 99, 8n)).toBe("89");
    expect(guest.pread(fd, 9, 1n << 40n)).toBe("");
  });

  test("take several buffers, empty ones among them", () => {
    const { guest, fd, path } = withFile();
    expect(guest.write(fd, "", "ab", "", "cde", "")).toBe(5);
    expect(readFileSync(path, "utf8")).toBe("abcde");
    const [buffer] = guest.put(new Uint8Array(16));
    const vector = guest.vector([buffer, 2], [0, 0], [buffer + 8, 9]);
    expect(guest.call("fd_pread", fd, ...vector, 1n, 64)).toBe("SUCCESS");
    expect(guest.view.getUint32(64, true)).toBe(4);
    expect(new TextDecoder().decode(guest.bytes(buffer, 2))).toBe("bc");
    expect(new TextDecoder().decode(guest.bytes(buffer + 8, 2))).toBe("de");
  });

  test("take buffers at odd addresses", () => {
    const { guest, fd } = withFile("abcdef");
    const vector = guest.put(new Uint8Array(24))[0] + 1;
    guest.view.setUint32(vector, 4097, true);
    guest.view.setUint32(vector + 4, 3, true);
    expect(guest.call("fd_read", fd, vector, 1, 1027)).toBe("SUCCESS");
    expect(guest.view.getUint32(1027, true)).toBe(3);
    expect(new TextDecoder().decode(guest.bytes(4097, 3))).toBe("abc");
  });

  test("of nothing need no memory and change nothing", () => {
    const { guest, fd, path } = withFile();
    guest.seek(fd, 9n, SET);
    expect(guest.call("fd_write", fd, ...guest.vector([0xffff_ffff, 0]), 64)).toBe("SUCCESS");
    expect(guest.call("fd_write", fd, 0, 0, 64)).toBe("SUCCESS");
    expect(guest.pwrite(fd, "", 50n)).toBe(0);
    expect(guest.tell(fd)).toBe(9n);
    expect(statSync(path).size).toBe(0);
  });

  test("of buffers outside memory are EFAULT and change nothing", () => {
    const { guest, fd, path } = withFile("keep");
    const end = guest.memory.buffer.byteLength;
    for (const [address, length] of [
      [end - 1, 2],
      [end, 1],
      [0xffff_ffff, 1],
      [0, 0xffff_ffff],
      [8, 0x8000_0000],
    ] as const) {
      const vector = guest.vector(guest.put("good"), [address, length]);
      expect(guest.call("fd_write", fd, ...vector, 64)).toBe("FAULT");
      expect(guest.call("fd_read", fd, ...vector, 64)).toBe("FAULT");
      expect(guest.call("fd_pwrite", fd, ...vector, 0n, 64)).toBe("FAULT");
      expect(guest.call("fd_pread", fd, ...vector, 0n, 64)).toBe("FAULT");
    }
    expect(readFileSync(path, "utf8")).toBe("keep");
    expect(guest.tell(fd)).toBe(0n);
  });

  test("of vectors outside memory are EFAULT, and so are results", () => {
    const { guest, fd } = withFile("keep");
    const end = guest.memory.buffer.byteLength;
    const good = guest.vector(guest.put("good"));
    for (const [vector, count] of [
      [0, 0x8000_0000],
      [0, 0xffff_ffff],
      [end - 7, 1],
      [0xffff_fff8, 1],
    ] as const) {
      for (const fdOrStream of [fd, 1]) {
        expect(guest.call("fd_write", fdOrStream, vector, count, 64)).toBe("FAULT");
      }
      expect(guest.call("fd_read", fd, vector, count, 64)).toBe("FAULT");
      expect(guest.call("fd_read", 0, vector, count, 64)).toBe("FAULT");
    }
    expect(guest.call("fd_write", fd, ...good, end - 3)).toBe("FAULT");
    expect(guest.call("fd_write", 1, ...good, end)).toBe("FAULT");
    expect(guest.witness.stdout()).toBe("");
    expect(guest.pread(fd, 9, 0n)).toBe("keep");
  });

  test("of more buffers than one call takes are short, and the rest is left for the next", () => {
    const { guest, fd } = withFile();
    const [address] = guest.put("x");
    const many = Array.from({ length: 3000 }, (_, index): [number, number] => [address, index % 2]);
    expect(guest.call("fd_write", fd, ...guest.vector(...many), 64)).toBe("SUCCESS");
    expect(guest.view.getUint32(64, true)).toBe(1024);
  });

  test("of more bytes than one call moves are short", () => {
    const guest = withMount(scratch(), { grants: { diskBytes: 1 << 30 } });
    const fd = guest.opened("big", { flags: O.CREAT, rights: BOTH });
    guest.memory.grow(256);
    expect(guest.call("fd_write", fd, ...guest.vector([0, 20 << 20]), 64)).toBe("SUCCESS");
    expect(guest.view.getUint32(64, true)).toBe(16 << 20);
    expect(guest.call("fd_pread", fd, ...guest.vector([0, 20 << 20]), 0n, 64)).toBe("SUCCESS");
    expect(guest.view.getUint32(64, true)).toBe(16 << 20);
  });

  test("need the file to be open for them", () => {
    const { guest, path } = withFile("abc");
    const reading = guest.opened("f", { rights: Right.FD_READ });
    expect(guest.write(reading, "x")).toBe("BADF");
    expect(guest.write(reading, "")).toBe("BADF");
    expect(guest.pwrite(reading, "x", 0n)).toBe("BADF");
    const writing = guest.opened("f", { rights: Right.FD_WRITE });
    expect(guest.read(writing, 1)).toBe("BADF");
    expect(guest.pread(writing, 1, 0n)).toBe("BADF");
    const neither = guest.opened("f", { rights: 0 });
    expect([guest.read(neither, 1), guest.write(neither, "x")]).toEqual(["BADF", "BADF"]);
    expect(guest.fstat(neither)).toMatchObject({ size: 3n });
    expect(readFileSync(path, "utf8")).toBe("abc");
  });

  test("do not work on directories", () => {
    const guest = withMount(scratch());
    expect([guest.read(3, 1), guest.pread(3, 1, 0n), guest.write(3, "x"), guest.pwrite(3, "x", 0n)]).toEqual([
      "BADF",
      "BADF",
      "BADF",
      "BADF",
    ]);
    expect([guest.seek(3, 0n, CUR), guest.tell(3)]).toEqual(["BADF", "BADF"]);
    for (const name of ["fd_sync", "fd_datasync"]) expect(guest.call(name, 3)).toBe("BADF");
    expect(guest.call("fd_allocate", 3, 0n, 1n)).toBe("BADF");
    expect(guest.call("fd_advise", 3, 0n, 1n, 0)).toBe("BADF");
    expect(guest.call("fd_filestat_set_size", 3, 0n)).toBe("BADF");
  });

  test("work on a file that was removed meanwhile", () => {
    const { guest, fd } = withFile("abc");
    expect(guest.unlink("f")).toBe("SUCCESS");
    expect(guest.write(fd, "xyz!")).toBe(4);
    expect(guest.pread(fd, 9, 0n)).toBe("xyz!");
    expect(guest.fstat(fd)).toMatchObject({ size: 4n, links: 0n });
  });
});

describe("append mode", () => {
  test("writes at the end, wherever the position is, and leaves the position there", () => {
    const { guest, path } = withFile("abc");
    const fd = guest.opened("f", { rights: BOTH, fd: FD.APPEND });
    expect(guest.tell(fd)).toBe(0n);
    expect(guest.write(fd, "d", "e")).toBe(2);
    expect(guest.tell(fd)).toBe(5n);
    guest.seek(fd, 1n, SET);
    expect(guest.write(fd, "f")).toBe(1);
    expect(guest.tell(fd)).toBe(6n);
    expect(readFileSync(path, "utf8")).toBe("abcdef");
  });

  test("ignores the position of a positioned write, as Linux does", () => {
    const { guest, path } = withFile("abc");
    const fd = guest.opened("f", { rights: BOTH, fd: FD.APPEND });
    expect(guest.pwrite(fd, "d", 0n)).toBe(1);
    expect(guest.tell(fd)).toBe(0n);
    expect(readFileSync(path, "utf8")).toBe("abcd");
  });

  test("can be switched on and off", () => {
    const { guest, fd, path } = withFile("abc");
    guest.call("fd_fdstat_set_flags", fd, FD.APPEND);
    guest.write(fd, "d");
    guest.call("fd_fdstat_set_flags", fd, 0);
    guest.seek(fd, 0n, SET);
    guest.write(fd, "A");
    expect(guest.pwrite(fd, "B", 1n)).toBe(1);
    expect(readFileSync(path, "utf8")).toBe("ABcd");
  });

  test("appends after what others appended", () => {
    const { guest, path } = withFile("abc");
    const one = guest.opened("f", { rights: BOTH, fd: FD.APPEND });
    const two = guest.opened("f", { rights: BOTH, fd: FD.APPEND });
    guest.write(one, "1");
    guest.write(two, "2");
    writeFileSync(path, "H", { flag: "a" });
    guest.write(one, "3");
    expect(readFileSync(path, "utf8")).toBe("abc12H3");
    expect(guest.tell(one)).toBe(7n);
  });
});

describe("the position", () => {
  test("moves from the start, from itself and from the end", () => {
    const { guest, fd } = withFile("0123456789");
    expect(guest.seek(fd, 4n, SET)).toBe(4n);
    expect(guest.seek(fd, -1n, CUR)).toBe(3n);
    expect(guest.seek(fd, -2n, END)).toBe(8n);
    expect(guest.seek(fd, 5n, END)).toBe(15n);
    expect(guest.read(fd, 1)).toBe("");
    expect(guest.tell(fd)).toBe(15n);
  });

  test("is never before the start nor beyond what a file can hold, and stays where it was", () => {
    const { guest, fd } = withFile("0123456789");
    guest.seek(fd, 3n, SET);
    const most = (1n << 63n) - 1n;
    expect(guest.seek(fd, -1n, SET)).toBe("INVAL");
    expect(guest.seek(fd, -4n, CUR)).toBe("INVAL");
    expect(guest.seek(fd, -11n, END)).toBe("INVAL");
    expect(guest.seek(fd, most, CUR)).toBe("INVAL");
    expect(guest.seek(fd, 0n, 3)).toBe("INVAL");
    expect(guest.tell(fd)).toBe(3n);
    expect(guest.seek(fd, most, SET)).toBe(most);
    expect(guest.read(fd, 1)).toBe("");
    expect(guest.seek(fd, 1n, CUR)).toBe("INVAL");
    expect(guest.pread(fd, 1, 1n << 63n)).toBe("INVAL");
    expect(guest.pwrite(fd, "x", 1n << 63n)).toBe("INVAL");
    expect(guest.seek(fd, 0n, SET)).toBe(0n);
    expect(guest.call("fd_seek", fd, 0n, 0, guest.memory.buffer.byteLength - 7)).toBe("FAULT");
  });
});

describe("the size", () => {
  test("can be cut and extended with zeros", () => {
    const { guest, fd, path } = withFile("0123456789");
    expect(guest.call("fd_filestat_set_size", fd, 4n)).toBe("SUCCESS");
    expect(guest.call("fd_filestat_set_size", fd, 6n)).toBe("SUCCESS");
    expect(readFileSync(path)).toEqual(Buffer.from("0123\0\0"));
    expect(guest.fstat(fd)).toMatchObject({ size: 6n, type: 4 });
  });

  test("cannot be set through a descriptor that is not open for writing", () => {
    const { guest, path } = withFile("abc");
    const fd = guest.opened("f", { rights: Right.FD_READ });
    expect(guest.call("fd_filestat_set_size", fd, 0n)).toBe("INVAL");
    expect(statSync(path).size).toBe(3);
  });

  test("is never more than a file can have", () => {
    const { guest, fd } = withFile("abc");
    expect(guest.call("fd_filestat_set_size", fd, 1n << 63n)).toBe("INVAL");
    expect(guest.call("fd_filestat_set_size", fd, (1n << 63n) - 1n)).toBe("NOSPC");
    expect(guest.fstat(fd)).toMatchObject({ size: 3n });
  });
});

test("space is not promised, advice is taken, and what was written can be waited for", () => {
  const { guest, fd } = withFile("abc");
  expect(guest.call("fd_allocate", fd, 0n, 100n)).toBe("NOTSUP");
  for (let advice = 0; advice < 6; advice++) {
    expect(guest.call("fd_advise", fd, 0n, 3n, advice)).toBe("SUCCESS");
  }
  expect(guest.call("fd_advise", fd, 0n, 3n, 6)).toBe("INVAL");
  expect(guest.call("fd_advise", fd, -1n, 3n, 0)).toBe("INVAL");
  expect(guest.call("fd_sync", fd)).toBe("SUCCESS");
  expect(guest.call("fd_datasync", fd)).toBe("SUCCESS");
});

describe("limits.diskBytes and mounts[].maxBytes", () => {
  const limited = (diskBytes: number, maxBytes?: number) => {
    const root = scratch();
    const guest = new Caller({
      mounts: [{ source: root, guest: "/data", maxBytes }],
      grants: { diskBytes },
    });
    return { guest, root, fd: guest.opened("f", { flags: O.CREAT, rights: BOTH }) };
  };
  const size = (root: string): number => statSync(join(root, "f")).size;

  test("under and at the limit everything is written", () => {
    const { guest, fd, root } = limited(6);
    expect([guest.write(fd, "abc"), guest.write(fd, "def")]).toEqual([3, 3]);
    expect(size(root)).toBe(6);
    expect(guest.denials).toEqual([]);
  });

  test("over it a write is short, the next one is ENOSPC and told, and reading goes on", () => {
    const { guest, fd, root } = limited(5);
    expect(guest.write(fd, "abc", "def")).toBe(5);
    expect(guest.denials).toEqual([]);
    expect(guest.write(fd, "x")).toBe("NOSPC");
    expect(guest.pwrite(fd, "x", 0n)).toBe("NOSPC");
    expect(size(root)).toBe(5);
    expect(guest.pread(fd, 9, 0n)).toBe("abcde");
    expect(guest.write(fd, "")).toBe(0);
    expect(guest.denials).toMatchObject([
      { call: "fd_write", target: "/data/f", grant: "limits.diskBytes" },
      { call: "fd_pwrite", target: "/data/f", grant: "limits.diskBytes" },
    ]);
  });

  test("a write of several buffers that reaches it between two of them is short, and nothing is told yet", () => {
    const { guest, fd } = limited(3);
    expect(guest.write(fd, "abc", "def")).toBe(3);
    expect(guest.denials).toEqual([]);
    expect(guest.write(fd, "def")).toBe("NOSPC");
    expect(guest.denials).toHaveLength(1);
  });

  test("a mount's own limit holds as well, and is the one that is told", () => {
    const { guest, fd, root } = limited(100, 4);
    expect(guest.write(fd, "abcdef")).toBe(4);
    expect(guest.write(fd, "x")).toBe("NOSPC");
    expect(size(root)).toBe(4);
    expect(guest.denials).toMatchObject([{ call: "fd_write", grant: "mounts[].maxBytes" }]);
  });

  test("the limit of the run holds over all mounts together", () => {
    const guest = new Caller({
      mounts: [
        { source: scratch(), guest: "/a" },
        { source: scratch(), guest: "/b" },
      ],
      grants: { diskBytes: 4 },
    });
    const a = guest.opened("f", { at: 3, flags: O.CREAT, rights: BOTH });
    const b = guest.opened("f", { at: 4, flags: O.CREAT, rights: BOTH });
    expect([guest.write(a, "abc"), guest.write(b, "abc"), guest.write(b, "x")]).toEqual([3, 1, "NOSPC"]);
  });

  test("writing the same bytes again counts again", () => {
    const { guest, fd } = limited(4);
    expect(guest.pwrite(fd, "abc", 0n)).toBe(3);
    expect(guest.pwrite(fd, "abc", 0n)).toBe(1);
  });

  test("growing a file counts, by setting its size as by writing beyond its end", () => {
    const { guest, fd, root } = limited(100);
    expect(guest.call("fd_filestat_set_size", fd, 101n)).toBe("NOSPC");
    expect(guest.call("fd_filestat_set_size", fd, 40n)).toBe("SUCCESS");
    expect(guest.pwrite(fd, "x", 1n << 40n)).toBe("NOSPC");
    expect(guest.pwrite(fd, "x", 90n)).toBe(1);
    expect(size(root)).toBe(91);
    expect(guest.pwrite(fd, "0123456789", 91n)).toBe(9);
    expect(guest.write(fd, "x")).toBe("NOSPC");
    expect(guest.denials.map(({ call }) => call)).toEqual(["fd_filestat_set_size", "fd_pwrite", "fd_write"]);
  });

  test("a file cannot be grown past what was counted by cutting it behind another descriptor's back", () => {
    const { guest, fd, root } = limited(1000);
    const other = guest.opened("f", { rights: BOTH });
    expect(guest.pwrite(fd, "x", 500n)).toBe(1);
    for (let round = 0; round < 5; round++) {
      guest.call("fd_filestat_set_size", other, 0n);
      guest.pwrite(fd, "x", 500n);
      expect(size(root)).toBeLessThanOrEqual(501);
    }
  });

  test("a file that was long before may be written anywhere inside", () => {
    const root = scratch();
    writeFileSync(join(root, "f"), "");
    truncateSync(join(root, "f"), 1 << 30);
    const guest = withMount(root, { grants: { diskBytes: 10 } });
    const fd = guest.opened("f", { rights: BOTH });
    expect(guest.pwrite(fd, "abc", 1n << 29n)).toBe(3);
    expect(guest.seek(fd, 0n, END)).toBe(1n << 30n);
    expect(guest.write(fd, "abc")).toBe(3);
  });

  test("appending counts", () => {
    const { guest, root } = limited(4);
    const fd = guest.opened("f", { rights: BOTH, fd: FD.APPEND });
    expect([guest.write(fd, "abc"), guest.write(fd, "def"), guest.write(fd, "x")]).toEqual([3, 1, "NOSPC"]);
    expect(size(root)).toBe(4);
  });

  test("empty files, directories and links are not free: their number follows from the bytes", () => {
    const { guest } = limited(0);
    let made = 1;
    while (guest.mkdir(`d${made}`) === "SUCCESS") made += 1;
    expect(made).toBe(1024);
    expect(guest.open("new", { flags: O.CREAT })).toBe("NOSPC");
    expect(guest.symlink("x", "link")).toBe("NOSPC");
    expect(guest.link("f", "second")).toBe("NOSPC");
    expect(guest.opened("f", { flags: O.CREAT })).toBeGreaterThan(2);
    expect(guest.rename("d1", "renamed")).toBe("SUCCESS");
    expect(new Set(guest.denials.map(({ grant }) => grant))).toEqual(new Set(["limits.diskBytes"]));
  });

  test("the target of a symbolic link counts", () => {
    const { guest } = limited(10);
    expect(guest.symlink("0123456789a", "link")).toBe("NOSPC");
    expect(guest.symlink("0123456789", "link")).toBe("SUCCESS");
    expect(guest.symlink("x", "other")).toBe("NOSPC");
  });
});
