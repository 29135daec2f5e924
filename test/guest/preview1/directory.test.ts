import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Caller, parseEntries, type Stat, withMount } from "../caller.ts";
import { runModule, rustModule, scratch } from "../support.ts";

const names = (guest: Caller, fd = 3, room = 4096): string[] =>
  guest
    .readdir(fd, room)
    .map(({ name }) => name)
    .sort();

test("an empty directory holds itself and its parent", () => {
  const guest = withMount(scratch());
  const entries = guest.readdir(3);
  const { inode } = guest.fstat(3) as Stat;
  expect(entries).toEqual([
    { name: ".", next: 1n, inode, type: 3 },
    { name: "..", next: 2n, inode, type: 3 },
  ]);
});

test("every entry has the type and the inode that its stat has", () => {
  const root = scratch();
  writeFileSync(join(root, "file"), "");
  mkdirSync(join(root, "dir"));
  symlinkSync("nowhere", join(root, "link"));
  const guest = withMount(root);
  const entries = guest.readdir(3).slice(2);
  expect(entries.map(({ name }) => name).sort()).toEqual(["dir", "file", "link"]);
  for (const { name, type, inode } of entries) expect(guest.stat(name)).toMatchObject({ type, inode });
});

test.each([24, 25, 64, 100, 4096])("a directory is read whole through a buffer of %i bytes", (room) => {
  const root = scratch();
  const made = Array.from({ length: 40 }, (_, index) => "n".repeat((index % 7) + 1) + index);
  for (const name of made) writeFileSync(join(root, name), "");
  const guest = withMount(root);
  if (room >= 64) expect(names(guest, 3, room)).toEqual([".", "..", ...made].sort());
  // A buffer too small for any name is filled and never says that it was the end.
  else expect(guest.readdirBytes(3, room, 5n)).toHaveLength(room);
});

test("a buffer is filled to its last byte while there is more, and the last entry is cut", () => {
  const root = scratch();
  for (let index = 0; index < 10; index++) writeFileSync(join(root, `name${index}`), "");
  const guest = withMount(root);
  for (const room of [1, 23, 24, 30, 50, 200]) {
    expect(guest.readdirBytes(3, room, 0n)).toHaveLength(room);
  }
  expect(guest.readdirBytes(3, 0, 0n)).toHaveLength(0);
});

test("cookies keep their meaning while the guest removes what it reads", () => {
  const root = scratch();
  for (let index = 0; index < 500; index++) writeFileSync(join(root, `f${index}`), "");
  const guest = withMount(root);
  const seen: string[] = [];
  for (let cookie = 2n; ; ) {
    const bytes = guest.readdirBytes(3, 300, cookie) as Uint8Array;
    for (const entry of parseEntries(bytes)) {
      expect(guest.unlink(entry.name)).toBe("SUCCESS");
      seen.push(entry.name);
      cookie = entry.next;
    }
    if (bytes.length < 300) break;
  }
  expect(new Set(seen).size).toBe(500);
  expect(names(guest)).toEqual([".", ".."]);
});

test("an earlier cookie gives the same entries again, and the first reads the directory afresh", () => {
  const root = scratch();
  for (let index = 0; index < 20; index++) writeFileSync(join(root, `f${index}`), "");
  const guest = withMount(root);
  const all = guest.readdir(3);
  const again = parseEntries(guest.readdirBytes(3, 4096, all[6]?.next ?? 0n) as Uint8Array);
  expect(again).toEqual(all.slice(7));
  writeFileSync(join(root, "late"), "");
  expect(names(guest)).toContain("late");
});

test("more entries than are kept are all read, and going far back starts over", () => {
  const root = scratch();
  const guest = withMount(root);
  for (let index = 0; index < 9000; index++) writeFileSync(join(root, `f${index}`), "");
  const entries = guest.readdir(3, 65_536);
  expect(new Set(entries.map(({ name }) => name)).size).toBe(9002);
  const second = parseEntries(guest.readdirBytes(3, 200, 2n) as Uint8Array);
  expect(second[0]).toEqual(entries[2]);
});

test("a cookie beyond the end is the end", () => {
  const guest = withMount(scratch());
  for (const cookie of [3n, 1n << 40n, (1n << 64n) - 1n]) {
    expect(guest.readdirBytes(3, 100, cookie)).toHaveLength(0);
  }
});

test("names that are not UTF-8, which no guest could say, are left out", () => {
  const root = scratch();
  writeFileSync(Buffer.concat([Buffer.from(`${root}/bad-`), Buffer.from([0xff, 0xfe])]), "");
  writeFileSync(join(root, "good-\u{1F980}-\uFEFF"), "");
  const guest = withMount(root);
  expect(names(guest)).toEqual([".", "..", "good-\u{1F980}-\uFEFF"]);
});

test("a directory that was removed is empty", () => {
  const root = scratch();
  mkdirSync(join(root, "d"));
  const guest = withMount(root);
  const fd = guest.opened("d");
  rmSync(join(root, "d"), { recursive: true });
  expect(names(guest, fd)).toEqual([".", ".."]);
});

test("files are no directories, and buffers outside memory are EFAULT", () => {
  const root = scratch();
  writeFileSync(join(root, "f"), "");
  const guest = withMount(root);
  const end = guest.memory.buffer.byteLength;
  expect(guest.readdirBytes(guest.opened("f"), 100, 0n)).toBe("NOTDIR");
  expect(guest.call("fd_readdir", 3, end - 10, 11, 0n, 64)).toBe("FAULT");
  expect(guest.call("fd_readdir", 3, 0, 0xffff_ffff, 0n, 64)).toBe("FAULT");
  expect(guest.call("fd_readdir", 3, 4096, 100, 0n, end - 3)).toBe("FAULT");
});

test("a Rust program removes a whole tree", async () => {
  const root = scratch();
  for (let index = 0; index < 200; index++) {
    mkdirSync(join(root, "tree", `d${index}`, "sub"), { recursive: true });
    writeFileSync(join(root, "tree", `d${index}`, "f"), "");
  }
  const module = await rustModule(`
    fn main() {
        println!("{}", std::fs::read_dir("/data/tree").unwrap().count());
        std::fs::remove_dir_all("/data/tree").unwrap();
        println!("{}", std::path::Path::new("/data/tree").exists());
    }`);
  const run = runModule(module, { mounts: [{ source: root, guest: "/data" }] });
  expect(run.stderr()).toBe("");
  expect(run.stdout()).toBe("200\nfalse\n");
});
