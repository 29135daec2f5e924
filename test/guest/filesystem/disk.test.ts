import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openDiskDirectory } from "../../../src/guest/filesystem/disk.ts";
import type { Directory } from "../../../src/guest/filesystem/filesystem.ts";
import { openPreopens } from "../../../src/guest/preview1/create.ts";
import { describeFilesystem } from "../../conformance/filesystem.ts";
import { scratch } from "../support.ts";
import { openMemory } from "./memory-support.ts";

function openDisk(place: "fixed" | "movable" = "movable"): Directory {
  const directory = openDiskDirectory(scratch(), place);
  onTestFinished(() => directory.close());
  return directory;
}

describeFilesystem(
  "the disk",
  () => openDisk(),
  () => openMemory().root,
);
describeFilesystem(
  "the disk at a fixed path",
  () => openDisk("fixed"),
  () => openMemory().root,
);

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
