import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDiskDirectory } from "../../../src/guest/filesystem/disk.ts";
import { openPreopens } from "../../../src/guest/preview1/create.ts";
import { scratch } from "../support.ts";

const MODE = { read: true, write: false, truncate: false };

test.each(["", ".", "..", "a/b", "/", "/etc", "a\0", "../x"])(
  "the disk refuses to make a path of what is not a plain name: %j",
  (name) => {
    const root = scratch();
    mkdirSync(join(root, "a"));
    const directory = openDiskDirectory(root);
    const uses = [
      () => directory.enter(name),
      () => directory.open(name, MODE),
      () => directory.create(name, MODE),
      () => directory.statAt(name),
      () => directory.setTimesAt(name, "now", "now"),
      () => directory.readlink(name),
      () => directory.mkdir(name),
      () => directory.rmdir(name),
      () => directory.unlink(name),
      () => directory.symlink("x", name),
      () => directory.link("a", directory, name),
      () => directory.link(name, directory, "b"),
      () => directory.rename("a", directory, name),
      () => directory.rename(name, directory, "b"),
    ];
    for (const use of uses) expect(use).toThrow("not a plain name");
    directory.close();
    expect(readdirSync(root)).toEqual(["a"]);
  },
);

test("what was closed is never used again: its number may be another file's by then", () => {
  const root = scratch();
  writeFileSync(join(root, "f"), "");
  const directory = openDiskDirectory(root);
  const file = directory.open("f", MODE);
  if (file.kind !== "file") throw new Error(file.kind);
  directory.close();
  directory.close();
  file.close();
  file.close();
  expect(() => directory.stat()).toThrow("after it was closed");
  expect(() => directory.open("f", MODE)).toThrow("after it was closed");
  expect(() => file.size()).toThrow("after it was closed");
});

test("a mount that is missing or is no directory is an error, and none stays open", () => {
  const root = scratch();
  writeFileSync(join(root, "file"), "");
  const before = readdirSync("/proc/self/fd").length;
  const good = { source: root, guest: "/a", access: "read", maxBytes: undefined } as const;
  for (const source of [join(root, "missing"), join(root, "file")]) {
    expect(() => openPreopens([good, { ...good, source }])).toThrow(/ENOENT|ENOTDIR/);
  }
  expect(readdirSync("/proc/self/fd").length).toBe(before);
});
