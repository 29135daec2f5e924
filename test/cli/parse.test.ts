import { InvalidArgumentError } from "commander";
import { describe, expect, test } from "vitest";
import {
  collectEnv,
  collectFile,
  collectMount,
  collectScratch,
  collectText,
  parseClock,
  parseCount,
  parseDuration,
  parsePath,
  parseSize,
} from "../../src/cli/parse.ts";

/** What an option says to a value that it cannot take. */
function complaint(parse: (text: string) => unknown, text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof InvalidArgumentError) return error.message;
    throw error;
  }
  throw new Error(`"${text}" was taken`);
}

describe("durations", () => {
  test.each([
    ["500ms", 500],
    ["2s", 2_000],
    ["1.5s", 1_500],
    ["0.1s", 100],
    ["1m", 60_000],
    ["2h", 7_200_000],
    ["30d", 2_592_000_000],
  ])("%s is %d milliseconds", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    "2",
    "s",
    "",
    "-1s",
    "2 s",
    "1e3s",
    "0.5ms",
    "2S",
    "2min",
    "Infinitys",
    "99999999999999999999s",
    "2s\n",
    "1toString",
  ])("%j is none, and the complaint names the units", (text) => {
    expect(complaint(parseDuration, text)).toContain("500ms, 2s, 1m");
  });
});

describe("sizes", () => {
  test.each([
    ["4096", 4_096],
    ["0", 0],
    ["1B", 1],
    ["64KiB", 65_536],
    ["64MiB", 67_108_864],
    ["1.5GiB", 1_610_612_736],
    ["1kB", 1_000],
    ["10MB", 10_000_000],
  ])("%s is %d bytes", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each(["64M", "64mib", "1.5", "", "-1", "0x10", "1e6", "1 MiB", "9007199254740993"])(
    "%j is none: 64M might be either of two sizes, and half a byte none",
    (text) => {
      expect(complaint(parseSize, text)).toContain("64MiB");
    },
  );
});

describe("counts", () => {
  test("a count is a whole number", () => {
    expect(parseCount("0")).toBe(0);
    expect(parseCount("64")).toBe(64);
    for (const text of ["1.5", "-1", "", "many", "1e3"])
      expect(complaint(parseCount, text)).toContain("whole number");
  });
});

describe("mounts", () => {
  test("a mount is read-only unless it says otherwise", () => {
    expect(collectMount("./data:/data")).toEqual([{ host: "./data", guest: "/data", access: "read" }]);
  });

  test.each([
    ["ro", "read"],
    ["read", "read"],
    ["rw", "read-write"],
    ["read-write", "read-write"],
  ])(":%s makes it %s", (suffix, access) => {
    expect(collectMount(`out:/out:${suffix}`)).toEqual([{ host: "out", guest: "/out", access }]);
  });

  test("the host's path may hold colons", () => {
    expect(collectMount("/srv/a:b:/data:rw")).toEqual([
      { host: "/srv/a:b", guest: "/data", access: "read-write" },
    ]);
    expect(collectMount("C:\\data:/data")).toEqual([{ host: "C:\\data", guest: "/data", access: "read" }]);
  });

  test("mounts add up in the order given", () => {
    const mounts = collectMount("b:/b", collectMount("a:/a"));
    expect(mounts.map(({ guest }) => guest)).toEqual(["/a", "/b"]);
  });

  test.each(["/data", "data:", ":/data", "data:relative", "", "data:relative:rw"])(
    "%j is none, and the complaint shows one",
    (text) => {
      expect(complaint(collectMount, text)).toContain("./out:/out:rw");
    },
  );

  test("an access that does not exist never falls back to one that does", () => {
    expect(complaint(collectMount, "a:/a:rx")).toContain('not "rx"');
    expect(complaint(collectMount, "a:/a:")).toContain("ro or rw");
    expect(complaint(collectMount, "a:/a:constructor")).toContain("ro or rw");
  });
});

describe("scratch mounts and files", () => {
  test("a scratch mount has a path, and bytes where they are given", () => {
    expect(collectScratch("/tmp")).toEqual([{ guest: "/tmp", access: "scratch" }]);
    expect(collectScratch("/b:16MiB", collectScratch("/a"))).toEqual([
      { guest: "/a", access: "scratch" },
      { guest: "/b", access: "scratch", bytes: 16_777_216 },
    ]);
  });

  test.each(["", "tmp", "./tmp:/tmp", ":5", "tmp:16MiB"])(
    "%j is none, and the complaint shows one",
    (text) => {
      expect(complaint(collectScratch, text)).toContain("/tmp:16MiB");
    },
  );

  test.each(["/tmp:", "/tmp:big", "/tmp:-1", "/tmp:16M"])("%j has no size", (text) => {
    expect(complaint(collectScratch, text)).toContain("64KiB");
  });

  test("a file has a path here and one there; the one here may hold colons", () => {
    expect(collectFile("c:/d:e.csv:/in/e.csv", collectFile("a:/in/a"))).toEqual([
      { host: "a", guest: "/in/a" },
      { host: "c:/d:e.csv", guest: "/in/e.csv" },
    ]);
  });

  test.each(["", "a.csv", "a.csv:in/a.csv", ":/in/a.csv"])(
    "%j is no file, and the complaint shows one",
    (text) => {
      expect(complaint(collectFile, text)).toContain("./a.csv:/in/a.csv");
    },
  );

  test("stdin is no file, and no two files have one path", () => {
    expect(complaint(collectFile, "-:/in/a.csv")).toContain("pipe it in");
    expect(() => collectFile("b:/in/a", collectFile("a:/in/a"))).toThrow("two files for /in/a");
  });
});

describe("variables", () => {
  test("the value is all that follows the first =", () => {
    expect(collectEnv("A=b=c")).toEqual({ A: "b=c" });
    expect(collectEnv("EMPTY=")).toEqual({ EMPTY: "" });
  });

  test("variables add up, and of two with one name the later holds", () => {
    expect(collectEnv("A=2", collectEnv("B=1", collectEnv("A=1")))).toEqual({ A: "2", B: "1" });
  });

  test("a name alone is refused, because nothing is taken from the environment", () => {
    expect(complaint(collectEnv, "HOME")).toContain('--env "HOME=$HOME"');
    expect(complaint(collectEnv, "=x")).toContain("no name");
  });

  test("a variable may be called __proto__", () => {
    expect(Object.entries(collectEnv("__proto__=x"))).toEqual([["__proto__", "x"]]);
  });
});

describe("clocks", () => {
  test.each(["denied", "monotonic", "real"] as const)("%s is a grant", (grant) => {
    expect(parseClock(grant)).toBe(grant);
  });

  test.each([
    ["2026-01-31", "2026-01-31T00:00:00.000Z"],
    ["2026-01-31T12:30:00Z", "2026-01-31T12:30:00.000Z"],
    ["2026-01-31T12:30+02:00", "2026-01-31T10:30:00.000Z"],
    ["2024-02-29T01:02:03.5Z", "2024-02-29T01:02:03.500Z"],
  ])("%s stands still at %s", (text, instant) => {
    expect(parseClock(text)).toEqual({ frozen: new Date(instant) });
  });

  test.each([
    "2026-01-31T12:30:00",
    "2026-02-30",
    "2026-13-01",
    "now",
    "",
    "Real",
    "2026",
    "2026-01-31T25:00:00Z",
  ])("%j is none: an instant needs a day that exists and, with a time, its zone", (text) => {
    expect(complaint(parseClock, text)).toContain("2026-01-31T12:00:00Z");
  });
});

test("lists keep their order, and an empty path is a mistake", () => {
  expect(collectText("b", collectText("a"))).toEqual(["a", "b"]);
  expect(parsePath("/x")).toBe("/x");
  expect(complaint(parsePath, "")).toContain("empty");
});
