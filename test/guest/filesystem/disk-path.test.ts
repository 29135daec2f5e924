import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { scratch } from "../support.ts";

const FILESYSTEM = new URL("../../../src/guest/filesystem/", import.meta.url);

/** What code prints, as JSON, that was run in a process of its own: the working directory is all of a process's. */
function inProcess(code: string): unknown {
  const prelude = `
    import { workWhereGuestsDo } from ${JSON.stringify(new URL("disk-path.ts", FILESYSTEM).href)};
    import { openDiskDirectory } from ${JSON.stringify(new URL("disk.ts", FILESYSTEM).href)};
  `;
  const args = ["--input-type=module", "--eval", prelude + code];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
}

test.each(["before", "after"])(
  "directories that were opened %s the process gave up its working directory serve the same",
  (when) => {
    const root = scratch();
    mkdirSync(join(root, "inner"));
    writeFileSync(join(root, "inner", "file"), "abc");
    symlinkSync("inner", join(root, "link"));
    const start = "workWhereGuestsDo();";
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

/** Says what lies at a name by its size, as often as it takes for a directory to become the working directory, and where that is. */
const LOOK = `
  const look = (directory, name) => {
    const sizes = Array.from({ length: 4 }, () => {
      try {
        return Number(directory.statAt(name).size);
      } catch ({ errno }) {
        return -errno;
      }
    });
    return new Set(sizes).size === 1 ? sizes[0] : sizes;
  };
  // Node remembers its own answer.
  const place = () => process.getBuiltinModule("node:fs").readlinkSync("/proc/self/cwd").split("/").at(-1);
`;
const NOENT = -44;

test("a directory that is looked into again and again becomes the working directory, until another does or it is closed", () => {
  const root = scratch();
  for (const [name, text] of [
    ["a", "1"],
    ["b", "22"],
  ] as const) {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, "file"), text);
  }
  const seen = inProcess(`
    ${LOOK}
    workWhereGuestsDo();
    const root = openDiskDirectory(${JSON.stringify(root)});
    const [a, b] = [root.enter("a"), root.enter("b")];
    const seen = [];
    const say = (directory) => seen.push(look(directory, "file"), place());
    say(a);
    say(b);
    for (let round = 0; round < 9; round++) seen.push(a.statAt("file").size + 10n * b.statAt("file").size);
    seen.push(place());
    say(a);
    a.close();
    seen.push(place(), Number(b.statAt("file").size));
    // Has the descriptor that was the other's.
    const again = root.enter("b");
    seen.push(Number(again.statAt("file").size), place());
    say(again);
    again.close();
    b.close();
    root.close();
    console.log(JSON.stringify(seen.map((what) => (typeof what === "bigint" ? Number(what) : what))));`);
  const both = Array<number>(9).fill(21);
  expect(seen).toEqual([1, "a", 2, "b", ...both, "b", 1, "a", "fd", 2, 2, "fd", 2, "b"]);
});

test("what becomes of the working directory changes nothing: it is moved, removed, or full of names like descriptors'", () => {
  const root = scratch();
  mkdirSync(join(root, "a"));
  mkdirSync(join(root, "outside"));
  writeFileSync(join(root, "outside/file"), "outside");
  writeFileSync(join(root, "a/file"), "1");
  for (let fd = 0; fd < 64; fd++) symlinkSync("../outside", join(root, "a", `${fd}`));
  symlinkSync("../outside", join(root, "a/proc"));
  const seen = inProcess(`
    ${LOOK}
    import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
    workWhereGuestsDo();
    const at = (name) => ${JSON.stringify(root)} + "/" + name;
    const root = openDiskDirectory(at(""));
    const a = root.enter("a");
    const seen = [look(a, "file"), look(a, "7"), place()];
    seen.push(root.enter("a", a) === a, look(a, "file"), place());
    a.mkdir("made");
    const made = a.enter("made");
    made.create("file", { read: true, write: true, truncate: false }).close();
    a.rename("file", made, "moved");
    made.link("moved", a, "file");
    seen.push(look(made, "moved"), look(a, "file"), look(a, "missing"), place());
    renameSync(at("a"), at("b"));
    seen.push(root.enter("b", a) === a, look(a, "file"), place());
    mkdirSync(at("a"));
    writeFileSync(at("a/file"), "another");
    seen.push(look(a, "file"), look(root.enter("a", a), "file"), place());
    look(a, "file");
    rmSync(at("b"), { recursive: true });
    seen.push(look(a, "file"), look(root, "b"));
    look(a, "file");
    seen.push(Number(root.enter("a", a).statAt("file").size));
    a.close();
    seen.push(place());
    console.log(JSON.stringify(seen));`);
  const link = "../outside".length;
  expect(seen).toEqual([
    ...[1, link, "a", true, 1, "a", 1, 1, NOENT, "a"],
    ...[true, 1, "b", 1, 7, "a", NOENT, NOENT, 7, "fd"],
  ]);
});
