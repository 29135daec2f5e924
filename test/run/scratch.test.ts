import { describe, expect, test } from "vitest";
import type { Mount } from "../../src/capabilities.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { planScratch, type ScratchWish } from "../../src/run/scratch.ts";

const SCRATCH: Mount = { guest: "/tmp", access: "scratch" };
const HOST: Mount = { host: ".", guest: "/data" };

const plan = (wish: Partial<ScratchWish>, scratchBytes = DEFAULT_LIMITS.scratchBytes) =>
  planScratch({ mounts: [], files: {}, artifacts: [], ...wish }, { ...DEFAULT_LIMITS, scratchBytes });
const refused = (message: RegExp) =>
  expect.objectContaining({ code: "INVALID_OPTIONS", message: expect.stringMatching(message) });

describe("a plan", () => {
  test("of nothing is nothing: the run is as if there were no such thing", () => {
    expect(plan({})).toEqual({ scratch: undefined, files: [] });
    expect(plan({ mounts: [HOST] })).toEqual({ scratch: undefined, files: [] });
  });

  test("puts each file in the innermost mount, and the rest in mounts for reading", () => {
    const { scratch, files } = plan({
      mounts: [HOST, SCRATCH, { guest: "//tmp/in//", access: "scratch", bytes: 5_000 }],
      files: { "/tmp/a": "1", "/tmp/in/b/c": "22", "/in/d": Uint8Array.of(3), "/in/e/f": "é", "/x/g": "" },
      artifacts: ["/tmp/*"],
    });
    expect(scratch).toEqual({
      mounts: [
        { guest: "/tmp", access: "read-write", bytes: null },
        { guest: "/tmp/in", access: "read-write", bytes: 5_000 },
        { guest: "/in", access: "read", bytes: null },
        { guest: "/x", access: "read", bytes: null },
      ],
      bytes: DEFAULT_LIMITS.scratchBytes,
      artifacts: ["/tmp/*"],
    });
    expect(files.map(({ mount, path, bytes }) => [mount, path, bytes.length])).toEqual([
      [0, "a", 1],
      [1, "b/c", 2],
      [2, "d", 1],
      [2, "e/f", 2],
      [3, "g", 0],
    ]);
  });

  test("puts a file directly under / where all of it is scratch", () => {
    const { scratch, files } = plan({
      mounts: [{ guest: "/", access: "scratch" }],
      files: { "/a": "", "/b/c": "" },
    });
    expect(scratch?.mounts).toHaveLength(1);
    expect(files.map(({ path }) => path)).toEqual(["a", "b/c"]);
  });

  test.each([
    ["that is not absolute", "in/a", /absolute/],
    ["that is nothing", "", /absolute/],
    ["with .", "/in/./a", /absolute/],
    ["with ..", "/in/../a", /absolute/],
    ["with a doubled slash", "/in//a", /absolute/],
    ["that ends in a slash", "/in/a/", /absolute/],
    ["with a NUL", "/in/a\0", /absolute/],
    ["with half of a character", "/in/\ud800", /absolute/],
    ["directly under /", "/a.txt", /\/in\/a\.txt/],
    ["that is /", "/", /absolute/],
    ["in a host directory", "/data/a", /host directory that is mounted at \/data/],
    ["that is a mount", "/tmp", /is a mount/],
    ["with a name that is too long", `/in/${"n".repeat(256)}`, /255 bytes/],
    ["that is too long", `/in/${"d/".repeat(2_050)}a`, /4095 bytes/],
    ["that is a property of every object", "__proto__", /absolute/],
  ])("takes no file %s", (_, path, message) => {
    const files = Object.fromEntries([[path, "x"]]);
    expect(() => plan({ mounts: [HOST, SCRATCH], files })).toThrow(refused(message));
  });

  test("takes no name that would be a file and a directory", () => {
    for (const files of [
      { "/in/a": "", "/in/a/b": "" },
      { "/in/a/b/c": "", "/in/a/b": "" },
    ]) {
      expect(() => plan({ files })).toThrow(refused(/a file and a directory/));
    }
  });

  test("takes files from as many directories as there may be mounts", () => {
    const files = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`/d${i}/a`, ""]));
    expect(plan({ files: files(64) }).scratch?.mounts).toHaveLength(64);
    expect(() => plan({ files: files(65) })).toThrow(refused(/64 directories/));
  });

  test.each([
    ["under", 3_000],
    ["at", 2_999],
  ])("takes files that lie %s the room that there is", (_, bytes) => {
    // Two files and a directory with names of one letter, 641 bytes each, and 1,076 bytes.
    const files = { "/in/d/a": "x".repeat(1_000), "/in/b": new Uint8Array(76) };
    expect(plan({ files }, bytes).files).toHaveLength(2);
    expect(plan({ mounts: [{ guest: "/in", access: "scratch", bytes }], files }).files).toHaveLength(2);
  });

  test("takes no files that lie over it", () => {
    const files = { "/in/d/a": "x".repeat(1_000), "/in/b": new Uint8Array(77) };
    expect(() => plan({ files }, 2_999)).toThrow(refused(/3000 bytes.*limits\.scratchBytes is 2999/));
    expect(() => plan({ mounts: [{ guest: "/in", access: "scratch", bytes: 2_999 }], files })).toThrow(
      refused(/its own bytes are 2999/),
    );
  });

  test.each([
    ["that is not absolute", "tmp/*"],
    ["with ..", "/tmp/../*"],
    ["with a doubled slash", "/tmp//*"],
    ["of another directory", "/out/*.csv"],
    ["of a host directory", "/data/*"],
    ["of files that are put in for reading", "/in/*"],
    ["of the mount itself", "/tmp"],
  ])("takes no pattern %s", (_, pattern) => {
    const wish = { mounts: [HOST, SCRATCH], files: { "/in/a": "" }, artifacts: [pattern] };
    expect(() => plan(wish)).toThrow(refused(/artifacts/));
  });

  test("takes no two mounts at one path, whatever they are", () => {
    for (const other of [
      { guest: "/tmp//", access: "scratch" },
      { host: ".", guest: "/tmp/" },
    ] as const) {
      expect(() => plan({ mounts: [SCRATCH, other] })).toThrow(refused(/two mounts at \/tmp/));
    }
  });
});
