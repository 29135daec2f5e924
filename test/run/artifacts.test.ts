import { describe, expect, test } from "vitest";
import { createArtifactIntake } from "../../src/run/artifacts.ts";
import { MAX_ARTIFACTS, type WireScratch } from "../../src/run/protocol.ts";

const SCRATCH: WireScratch = {
  mounts: [
    { guest: "/tmp", access: "read-write", bytes: null },
    { guest: "/in", access: "read", bytes: null },
  ],
  bytes: 100_000,
  artifacts: ["/tmp/*.csv", "/**/put"],
};

const path = (text: string): Uint8Array => Buffer.from(text);

describe("the host", () => {
  test("takes what it asked for, in as many pieces as it comes", () => {
    const intake = createArtifactIntake(SCRATCH);
    intake.begin(path("/tmp/a.csv"), 5);
    intake.push(Buffer.from("ab"));
    intake.push(Buffer.from("cde"));
    intake.begin(path("/tmp/empty.csv"), 0);
    intake.begin(path("/tmp/__proto__.csv"), 1);
    intake.push(Buffer.from("p"));
    const files = intake.finish();
    expect(Object.getPrototypeOf(files)).toBeNull();
    expect(Object.entries(files).map(([name, bytes]) => [name, Buffer.from(bytes).toString()])).toEqual([
      ["/tmp/a.csv", "abcde"],
      ["/tmp/empty.csv", ""],
      ["/tmp/__proto__.csv", "p"],
    ]);
  });

  test("keeps a copy: the buffer that it read from is used again", () => {
    const intake = createArtifactIntake(SCRATCH);
    const buffer = Buffer.from("abc");
    intake.begin(path("/tmp/a.csv"), 3);
    intake.push(buffer);
    buffer.fill(0);
    expect(Buffer.from(intake.finish()["/tmp/a.csv"] ?? []).toString()).toBe("abc");
  });

  test.each([
    ["that matches no pattern", "/tmp/a.txt"],
    ["outside every mount", "/etc/put"],
    ["in a mount that is only for reading", "/in/put"],
    ["beside a mount whose name begins alike", "/tmpx/put"],
    ["that is the mount itself", "/tmp"],
    ["with ..", "/tmp/../etc/put"],
    ["with .", "/tmp/./put"],
    ["with an empty name", "/tmp//put"],
    ["with a NUL", "/tmp/\0/put"],
    ["that is not absolute", "tmp/put"],
    ["that is nothing", ""],
    ["that is a property of every object", "__proto__"],
    ["that is too long", `/tmp/${"d/".repeat(2_100)}put`],
  ])("refuses a path %s", (_, hostile) => {
    const intake = createArtifactIntake(SCRATCH);
    expect(() => intake.begin(path(hostile), 0)).toThrow(/artifact/);
  });

  test("refuses a path that is not UTF-8", () => {
    const intake = createArtifactIntake(SCRATCH);
    expect(() => intake.begin(Buffer.concat([path("/tmp/"), Buffer.of(0xff), path(".csv")]), 0)).toThrow();
  });

  test("refuses a file twice", () => {
    const intake = createArtifactIntake(SCRATCH);
    intake.begin(path("/tmp/a.csv"), 0);
    expect(() => intake.begin(path("/tmp/a.csv"), 0)).toThrow("twice");
  });

  test("takes as many bytes as the run may hold, and not one more", () => {
    const intake = createArtifactIntake(SCRATCH);
    intake.begin(path("/tmp/a.csv"), 99_999);
    intake.push(new Uint8Array(99_999));
    intake.begin(path("/tmp/b.csv"), 1);
    intake.push(new Uint8Array(1));
    expect(() => intake.begin(path("/tmp/c.csv"), 1)).toThrow("more artifacts");
    expect(() => createArtifactIntake(SCRATCH).begin(path("/tmp/c.csv"), 2 ** 53 - 1)).toThrow(
      "more artifacts",
    );
  });

  test("takes as many files as there may be, and not one more", () => {
    const intake = createArtifactIntake(SCRATCH);
    for (let i = 0; i < MAX_ARTIFACTS; i++) intake.begin(path(`/tmp/${i}.csv`), 0);
    expect(() => intake.begin(path("/tmp/more.csv"), 0)).toThrow("more artifacts");
    expect(Object.keys(intake.finish())).toHaveLength(MAX_ARTIFACTS);
  });

  test("refuses bytes that belong to no file, more than were announced, fewer, and none", () => {
    expect(() => createArtifactIntake(SCRATCH).push(Buffer.from("x"))).toThrow("no artifact");
    const intake = createArtifactIntake(SCRATCH);
    intake.begin(path("/tmp/a.csv"), 2);
    expect(() => intake.push(Buffer.from("xyz"))).toThrow("no artifact");
    expect(() => intake.push(Buffer.alloc(0))).toThrow("no artifact");
    intake.push(Buffer.from("x"));
    expect(() => intake.begin(path("/tmp/b.csv"), 0)).toThrow("not whole");
    expect(() => intake.finish()).toThrow("not whole");
  });

  test("refuses everything where nothing was asked for", () => {
    expect(() => createArtifactIntake(undefined).begin(path("/tmp/a.csv"), 0)).toThrow("not asked for");
    expect(createArtifactIntake(undefined).finish()).toEqual({});
  });
});
