import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scratch } from "../support.ts";

const FILESYSTEM = new URL("../../../src/guest/filesystem/", import.meta.url);

/** What code prints, as JSON, that was run in a process of its own: the working directory is all of a process's. */
function inProcess(code: string): unknown {
  const prelude = `
    import { workFromDescriptors } from ${JSON.stringify(new URL("disk-path.ts", FILESYSTEM).href)};
    import { openDiskDirectory } from ${JSON.stringify(new URL("disk.ts", FILESYSTEM).href)};
  `;
  const args = ["--input-type=module", "--eval", prelude + code];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
}

test.each(["before", "after"])(
  "directories that were opened %s the process came to work from its descriptors serve the same",
  (when) => {
    const root = scratch();
    mkdirSync(join(root, "inner"));
    writeFileSync(join(root, "inner", "file"), "abc");
    symlinkSync("inner", join(root, "link"));
    const start = "workFromDescriptors();";
    const seen = inProcess(`
      ${when === "after" ? start : ""}
      const directory = openDiskDirectory(${JSON.stringify(root)});
      ${when === "before" ? start : ""}
      const inner = directory.enter("inner");
      const file = inner.open("file", { read: true, write: true, truncate: false });
      const into = new Uint8Array(8);
      const got = file.read(into, 0, 8, 0n);
      file.append(new Uint8Array([100]), 0, 1);
      inner.mkdir("made");
      inner.rename("file", directory, "moved");
      const again = inner.reopen();
      const listing = again.list();
      console.log(JSON.stringify({
        text: Buffer.from(into.subarray(0, got)).toString(),
        size: Number(file.size()),
        link: directory.enter("link"),
        listed: [listing.next()?.name, listing.next()?.name ?? null],
        directory: process.cwd().replace(/\\d+/, "N"),
      }));`);
    expect(seen).toEqual({
      text: "abc",
      size: 4,
      link: { kind: "link", target: "inner" },
      listed: ["made", null],
      directory: "/proc/N/fd",
    });
    expect(readdirSync(root).sort()).toEqual(["inner", "link", "moved"]);
  },
);
