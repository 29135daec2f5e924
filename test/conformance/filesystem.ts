import { describe, expect, onTestFinished, test } from "vitest";
import { Errno, Failure } from "../../src/guest/filesystem/errno.ts";
import type { Directory, File, Link, OpenMode, Special } from "../../src/guest/filesystem/filesystem.ts";

const READ: OpenMode = { read: true, write: false, truncate: false };
const WRITE: OpenMode = { read: true, write: true, truncate: false };
const PIECE = 65_536;

/** What every filesystem promises. `open` gives an empty directory; `other` one of another filesystem. */
export function describeFilesystem(name: string, open: () => Directory, other: () => Directory): void {
  describe(`${name} as a filesystem`, () => {
    describe.each(["", ".", "..", "a/b", "/", "/etc", "a\0", "../x"])("given %j, no plain name,", (odd) => {
      test("throws and changes nothing", () => {
        const root = open();
        root.mkdir("a");
        const uses = [
          () => root.enter(odd),
          () => root.open(odd, READ),
          () => root.create(odd, READ),
          () => root.statAt(odd),
          () => root.setTimesAt(odd, "now", "now"),
          () => root.readlink(odd),
          () => root.mkdir(odd),
          () => root.rmdir(odd),
          () => root.unlink(odd),
          () => root.symlink("x", odd),
          () => root.link("a", root, odd),
          () => root.link(odd, root, "b"),
          () => root.rename("a", root, odd),
          () => root.rename(odd, root, "b"),
        ];
        for (const use of uses) expect(use).toThrow("not a plain name");
        expect(names(root)).toEqual(["a"]);
      });
    });

    test("never uses again what was closed, and closing it twice is harmless", () => {
      const root = open();
      const file = put(root, "f", "x");
      const again = root.reopen();
      again.close();
      again.close();
      file.close();
      file.close();
      expect(() => again.stat()).toThrow("after it was closed");
      expect(() => again.open("f", READ)).toThrow("after it was closed");
      expect(() => file.size()).toThrow("after it was closed");
      expect(text(root, "f")).toBe("x");
    });

    describe("a file", () => {
      test("holds what was written, across the borders of its pieces and over what was there", () => {
        const root = open();
        const file = root.create("f", WRITE);
        const bytes = Uint8Array.from({ length: 3 * PIECE + 7 }, (_, i) => (i * 31) % 251);
        expect(write(file, bytes, 0n)).toBe(bytes.length);
        const patch = new Uint8Array(PIECE + 2).fill(255);
        expect(write(file, patch, BigInt(PIECE - 1))).toBe(patch.length);
        bytes.set(patch, PIECE - 1);
        expect(Buffer.from(contents(file)).equals(bytes)).toBe(true);
        expect(file.size()).toBe(BigInt(bytes.length));
        file.close();
      });

      test("reads into the place that it is given and nowhere else, and nothing beyond its end", () => {
        const file = put(open(), "f", "abcdef");
        const into = new Uint8Array(8).fill(1);
        expect(file.read(into, 2, 4, 3n)).toBe(3);
        expect([...into]).toEqual([1, 1, 100, 101, 102, 1, 1, 1]);
        for (const position of [6n, 7n, 1n << 40n, (1n << 63n) - 1n])
          expect(file.read(into, 0, 8, position)).toBe(0);
        expect(file.read(into, 0, 0, 0n)).toBe(0);
        file.close();
      });

      test("reads as zeros where nothing was written", () => {
        const root = open();
        const file = root.create("f", WRITE);
        write(file, Buffer.from("end"), BigInt(5 * PIECE + 3));
        const into = new Uint8Array(16).fill(9);
        expect(file.read(into, 0, 16, BigInt(5 * PIECE - 10))).toBe(16);
        expect(Buffer.from(into).toString("latin1")).toBe(`${"\0".repeat(13)}end`);
        file.truncate(BigInt(9 * PIECE));
        expect(file.read(into, 0, 16, BigInt(8 * PIECE))).toBe(16);
        expect([...into]).toEqual(Array(16).fill(0));
        file.close();
      });

      test("that is cut and made longer again does not show what it held", () => {
        const file = open().create("f", WRITE);
        write(file, new Uint8Array(2 * PIECE).fill(7), 0n);
        file.truncate(10n);
        file.truncate(BigInt(2 * PIECE));
        const all = contents(file);
        expect([...all.subarray(0, 12)]).toEqual([...Array(10).fill(7), 0, 0]);
        expect(all.subarray(10).every((byte) => byte === 0)).toBe(true);
        write(file, Buffer.from([1]), 20n);
        expect([...contents(file).subarray(8, 23)]).toEqual(
          [7, 7, ...Array(10).fill(0), 1, 0, 0].slice(0, 15),
        );
        file.close();
      });

      test("is appended to at its end, through whatever handle it grew", () => {
        const root = open();
        const file = put(root, "f", "a");
        const same = openFile(root, "f", WRITE);
        same.append(Buffer.from("b"), 0, 1);
        file.append(Buffer.from("c"), 0, 1);
        write(same, Buffer.from("d"), 3n);
        file.append(Buffer.from("e"), 0, 1);
        expect(text(root, "f")).toBe("abcde");
        file.close();
        same.close();
      });

      test("is emptied by opening it so, and by nothing else", () => {
        const root = open();
        put(root, "f", "abc").close();
        openFile(root, "f", WRITE).close();
        expect(root.statAt("f").size).toBe(3n);
        openFile(root, "f", { read: true, write: false, truncate: true }).close();
        expect(root.statAt("f").size).toBe(0n);
      });

      test("is not read, written or cut through a handle that is not for it", () => {
        const root = open();
        put(root, "f", "abc").close();
        const reader = openFile(root, "f", READ);
        expect(errno(() => write(reader, Buffer.from("x"), 0n))).toBe("BADF");
        expect(errno(() => reader.truncate(0n))).toBe("INVAL");
        reader.close();
        const writer = openFile(root, "f", { read: false, write: true, truncate: false });
        expect(errno(() => writer.read(new Uint8Array(1), 0, 1, 0n))).toBe("BADF");
        writer.close();
        expect(text(root, "f")).toBe("abc");
      });

      test("lives on without a name for as long as it is open", () => {
        const root = open();
        const file = put(root, "f", "abc");
        root.unlink("f");
        expect(errno(() => root.statAt("f"))).toBe("NOENT");
        expect(file.stat().links).toBe(0n);
        file.append(Buffer.from("def"), 0, 3);
        expect(Buffer.from(contents(file)).toString()).toBe("abcdef");
        put(root, "f", "new").close();
        expect(Buffer.from(contents(file)).toString()).toBe("abcdef");
        file.sync("data");
        file.sync("all");
        file.close();
        expect(text(root, "f")).toBe("new");
      });

      test("ends nowhere beyond what a file may be", () => {
        const file = open().create("f", WRITE);
        expect(errno(() => write(file, Buffer.from("xy"), (1n << 63n) - 2n))).toBe("FBIG");
        expect(file.size()).toBe(0n);
        file.close();
      });
    });

    describe("a name", () => {
      test("is made once, whatever it stands for", () => {
        const root = open();
        put(root, "file", "").close();
        root.mkdir("dir");
        root.symlink("nowhere", "link");
        for (const taken of ["file", "dir", "link"]) {
          expect(errno(() => root.create(taken, WRITE))).toBe("EXIST");
          expect(errno(() => root.mkdir(taken))).toBe("EXIST");
          expect(errno(() => root.symlink("x", taken))).toBe("EXIST");
          expect(errno(() => root.link("file", root, taken))).toBe("EXIST");
        }
        expect(names(root)).toEqual(["dir", "file", "link"]);
      });

      test("that is not there is told as such by everything that looks for it", () => {
        const root = open();
        const looks = [
          () => root.enter("x"),
          () => root.open("x", READ),
          () => root.statAt("x"),
          () => root.setTimesAt("x", "now", "now"),
          () => root.readlink("x"),
          () => root.rmdir("x"),
          () => root.unlink("x"),
          () => root.link("x", root, "y"),
          () => root.rename("x", root, "y"),
        ];
        for (const look of looks) expect(errno(look)).toBe("NOENT");
      });

      test.each([
        ["255 bytes", "n".repeat(255)],
        ["255 bytes in fewer characters", `${"é".repeat(127)}n`],
        ["__proto__", "__proto__"],
        ["constructor", "constructor"],
        ["a leading byte order mark", "\ufeffx"],
        ["line ends", "a\nb\r"],
        ["a backslash", "a\\b"],
      ])("of %s is kept as it is", (_, odd) => {
        const root = open();
        put(root, odd, "inside").close();
        expect(names(root)).toEqual([odd]);
        expect(text(root, odd)).toBe("inside");
        root.unlink(odd);
        expect(names(root)).toEqual([]);
      });

      test.each([
        ["256 bytes", "n".repeat(256)],
        ["256 bytes in fewer characters", "é".repeat(128)],
        ["64 KiB", "n".repeat(PIECE)],
      ])("of %s is too long for everything", (_, long) => {
        const root = open();
        put(root, "f", "").close();
        const uses = [
          () => root.create(long, WRITE),
          () => root.mkdir(long),
          () => root.symlink("x", long),
          () => root.statAt(long),
          () => root.open(long, READ),
          () => root.unlink(long),
          () => root.rename("f", root, long),
          () => root.link("f", root, long),
        ];
        for (const use of uses) expect(errno(use)).toBe("NAMETOOLONG");
        expect(names(root)).toEqual(["f"]);
      });
    });

    describe("a directory", () => {
      test("is entered, and nothing else is", () => {
        const root = open();
        root.mkdir("d");
        put(root, "f", "").close();
        root.symlink("d", "l");
        const inside = enter(root, "d");
        put(inside, "g", "deep").close();
        expect(names(inside)).toEqual(["g"]);
        expect(inside.stat().inode).toBe(root.statAt("d").inode);
        inside.close();
        expect(errno(() => root.enter("f"))).toBe("NOTDIR");
        expect(root.enter("l")).toEqual({ kind: "link", target: "d" });
        const opened = root.open("d", READ);
        expect(opened.kind).toBe("directory");
        if (opened.kind === "directory") opened.close();
      });

      test("is removed when it is empty and not before, and only as a directory", () => {
        const root = open();
        root.mkdir("d");
        const inside = enter(root, "d");
        put(inside, "f", "").close();
        put(root, "f", "").close();
        expect(errno(() => root.rmdir("d"))).toBe("NOTEMPTY");
        expect(errno(() => root.unlink("d"))).toBe("ISDIR");
        expect(errno(() => root.rmdir("f"))).toBe("NOTDIR");
        inside.unlink("f");
        root.rmdir("d");
        expect(names(root)).toEqual(["f"]);
        expect(errno(() => inside.create("g", WRITE))).toBe("NOENT");
        expect(errno(() => inside.mkdir("g"))).toBe("NOENT");
        expect(errno(() => inside.symlink("x", "g"))).toBe("NOENT");
        expect(errno(() => root.rename("f", inside, "g"))).toBe("NOENT");
        expect(errno(() => root.link("f", inside, "g"))).toBe("NOENT");
        expect(names(inside)).toEqual([]);
        inside.close();
      });

      test("counts the directories in it among its links", () => {
        const root = open();
        const before = root.stat().links;
        root.mkdir("a");
        root.mkdir("b");
        put(root, "f", "").close();
        expect(root.stat().links).toBe(before + 2n);
        expect(root.statAt("a").links).toBe(2n);
        root.rename("b", enter(root, "a"), "b");
        expect(root.stat().links).toBe(before + 1n);
        expect(root.statAt("a").links).toBe(3n);
        enter(root, "a").rmdir("b");
        root.rmdir("a");
        expect(root.stat().links).toBe(before);
      });

      test("lists every name once, with its type and inode, while others come and go", () => {
        const root = open();
        for (let i = 0; i < 300; i++) put(root, `f${i}`, "").close();
        root.mkdir("d");
        root.symlink("x", "l");
        const listing = root.list();
        const seen = new Map<string, string>();
        for (let entry = listing.next(); entry !== undefined; entry = listing.next()) {
          expect(seen.has(entry.name)).toBe(false);
          expect(entry.inode).toBe(root.statAt(entry.name).inode);
          seen.set(entry.name, entry.type);
          root.unlink(entry.type === "file" ? entry.name : "l");
          if (entry.type !== "file") root.symlink("x", "l");
        }
        expect(listing.next()).toBeUndefined();
        listing.close();
        expect([...seen.values()].filter((type) => type === "file")).toHaveLength(300);
        expect([seen.get("d"), seen.get("l")]).toEqual(["directory", "symlink"]);
        expect(names(root)).toEqual(["d", "l"]);
      });
    });

    describe("a symbolic link", () => {
      test("is given back as it was made, and never followed", () => {
        const root = open();
        put(root, "f", "abc").close();
        for (const [name, target] of [
          ["to-file", "f"],
          ["up", "../../etc"],
          ["absolute", "/etc/passwd"],
          ["loop", "loop"],
          ["long", "x/".repeat(2047)],
        ] as const) {
          root.symlink(target, name);
          expect(root.readlink(name)).toBe(target);
          expect(root.statAt(name)).toMatchObject({
            type: "symlink",
            size: BigInt(target.length),
            links: 1n,
          });
          expect(root.open(name, READ)).toEqual({ kind: "link", target });
          root.unlink(name);
        }
        expect(errno(() => root.symlink("x".repeat(4096), "too-long"))).toBe("NAMETOOLONG");
        expect(errno(() => root.readlink("f"))).toBe("INVAL");
        expect(names(root)).toEqual(["f"]);
      });

      test("keeps its own times and is renamed itself", () => {
        const root = open();
        put(root, "f", "").close();
        root.symlink("f", "l");
        root.setTimesAt("l", 5_000_000_000n, 6_000_000_000n);
        root.rename("l", root, "m");
        expect(root.statAt("m")).toMatchObject({ type: "symlink", modifiedNs: 6_000_000_000n });
        expect(root.statAt("f").modifiedNs).not.toBe(6_000_000_000n);
      });
    });

    describe("a hard link", () => {
      test("is the same file under another name, which outlives the first", () => {
        const root = open();
        root.mkdir("d");
        const inside = enter(root, "d");
        put(root, "f", "abc").close();
        root.link("f", inside, "g");
        expect(root.statAt("f").links).toBe(2n);
        expect(inside.statAt("g").inode).toBe(root.statAt("f").inode);
        const file = openFile(inside, "g", WRITE);
        write(file, Buffer.from("X"), 0n);
        file.close();
        expect(text(root, "f")).toBe("Xbc");
        root.unlink("f");
        expect(inside.statAt("g").links).toBe(1n);
        expect(text(inside, "g")).toBe("Xbc");
        inside.close();
      });

      test("is refused to a directory and to another filesystem", () => {
        const root = open();
        root.mkdir("d");
        put(root, "f", "").close();
        expect(errno(() => root.link("d", root, "e"))).toBe("PERM");
        const elsewhere = other();
        expect(errno(() => root.link("f", elsewhere, "g"))).toBe("XDEV");
        expect(errno(() => root.rename("f", elsewhere, "g"))).toBe("XDEV");
        expect(names(elsewhere)).toEqual([]);
        elsewhere.close();
      });
    });

    describe("renaming", () => {
      test("moves a file, replaces another, and leaves the handles of both alone", () => {
        const root = open();
        const moved = put(root, "a", "moved");
        const replaced = put(root, "b", "replaced");
        root.rename("a", root, "b");
        expect(names(root)).toEqual(["b"]);
        expect(text(root, "b")).toBe("moved");
        expect(Buffer.from(contents(replaced)).toString()).toBe("replaced");
        expect(replaced.stat().links).toBe(0n);
        expect(moved.stat().links).toBe(1n);
        moved.close();
        replaced.close();
      });

      test("to the same name, or to another name of the same file, does nothing", () => {
        const root = open();
        put(root, "a", "x").close();
        root.link("a", root, "b");
        root.rename("a", root, "a");
        root.rename("a", root, "b");
        expect(names(root)).toEqual(["a", "b"]);
        expect(root.statAt("a").links).toBe(2n);
      });

      test("a directory takes along what is in it, whoever has it open", () => {
        const root = open();
        root.mkdir("a");
        root.mkdir("b");
        const a = enter(root, "a");
        put(a, "f", "inside").close();
        root.rename("a", enter(root, "b"), "c");
        put(a, "g", "later").close();
        const c = enter(enter(root, "b"), "c");
        expect(names(c)).toEqual(["f", "g"]);
        expect(text(c, "f")).toBe("inside");
        expect(names(root)).toEqual(["b"]);
      });

      test("a directory into itself, or below itself, is refused at any depth", () => {
        const root = open();
        root.mkdir("a");
        const a = enter(root, "a");
        a.mkdir("b");
        const b = enter(a, "b");
        expect(errno(() => root.rename("a", a, "x"))).toBe("INVAL");
        expect(errno(() => root.rename("a", b, "x"))).toBe("INVAL");
        expect(errno(() => root.rename("a", a, "b"))).toBe("INVAL");
        expect(errno(() => a.rename("b", root, "a"))).toBe("NOTEMPTY");
        expect(names(root)).toEqual(["a"]);
        expect(names(a)).toEqual(["b"]);
      });

      test("replaces a directory by a directory where that is empty, and never one kind by the other", () => {
        const root = open();
        for (const name of ["full", "empty", "moved"]) root.mkdir(name);
        put(enter(root, "full"), "f", "").close();
        put(enter(root, "moved"), "m", "").close();
        put(root, "file", "").close();
        expect(errno(() => root.rename("moved", root, "full"))).toBe("NOTEMPTY");
        expect(errno(() => root.rename("moved", root, "file"))).toBe("NOTDIR");
        expect(errno(() => root.rename("file", root, "empty"))).toBe("ISDIR");
        root.rename("moved", root, "empty");
        expect(names(root)).toEqual(["empty", "file", "full"]);
        expect(names(enter(root, "empty"))).toEqual(["m"]);
      });
    });

    describe("facts", () => {
      test("times are what they were set to, to the nanosecond, of a file and of a directory", () => {
        const root = open();
        const file = put(root, "f", "");
        root.mkdir("d");
        file.setTimes(1_234_567_890_123_456_789n, 987_654_321n);
        expect(file.stat()).toMatchObject({
          accessedNs: 1_234_567_890_123_456_789n,
          modifiedNs: 987_654_321n,
        });
        root.setTimesAt("f", "keep", 1n);
        expect(root.statAt("f")).toMatchObject({ accessedNs: 1_234_567_890_123_456_789n, modifiedNs: 1n });
        const directory = enter(root, "d");
        directory.setTimes(5n, "keep");
        expect(root.statAt("d").accessedNs).toBe(5n);
        directory.close();
        file.close();
      });

      test("inodes tell files apart, and stay what they are", () => {
        const root = open();
        put(root, "a", "").close();
        put(root, "b", "").close();
        const { inode, device } = root.statAt("a");
        expect(inode).not.toBe(root.statAt("b").inode);
        root.rename("a", root, "c");
        expect(root.statAt("c")).toMatchObject({ inode, device, type: "file", links: 1n, size: 0n });
        expect(root.stat()).toMatchObject({ type: "directory", device });
      });
    });
  });
}

/** Makes a file with this text; it stays open to read and write. */
function put(directory: Directory, name: string, content: string): File {
  const file = directory.create(name, WRITE);
  const bytes = Buffer.from(content);
  expect(write(file, bytes, 0n)).toBe(bytes.length);
  return file;
}

function write(file: File, bytes: Uint8Array, position: bigint): number {
  return file.write(bytes, 0, bytes.length, position);
}

function contents(file: File): Uint8Array {
  const bytes = new Uint8Array(Number(file.size()));
  expect(file.read(bytes, 0, bytes.length, 0n)).toBe(bytes.length);
  return bytes;
}

function text(directory: Directory, name: string): string {
  const file = openFile(directory, name, READ);
  const read = Buffer.from(contents(file)).toString();
  file.close();
  return read;
}

function openFile(directory: Directory, name: string, mode: OpenMode): File {
  const found: File | Directory | Link | Special = directory.open(name, mode);
  if (found.kind !== "file") throw new Error(`${name} is a ${found.kind}`);
  return found;
}

function enter(directory: Directory, name: string): Directory {
  const found = directory.enter(name);
  if (found.kind !== "directory") throw new Error(`${name} is a ${found.kind}`);
  onTestFinished(() => found.close());
  return found;
}

function names(directory: Directory): string[] {
  const listing = directory.list();
  const found: string[] = [];
  for (let entry = listing.next(); entry !== undefined; entry = listing.next()) found.push(entry.name);
  listing.close();
  return found.sort();
}

function errno(use: () => unknown): string | undefined {
  try {
    use();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return Object.entries(Errno).find(([, number]) => number === error.errno)?.[0];
  }
  return undefined;
}
