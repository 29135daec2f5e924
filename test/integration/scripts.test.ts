import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { MiB } from "../../src/index.ts";
import { MODES, openExecutor } from "../support/executors.ts";
import { DATA, script } from "../support/scripts.ts";

const data = { host: fileURLToPath(DATA), guest: "/data" };
const read = (name: string): string => readFileSync(new URL(name, DATA), "utf8");

/** What weather.rs has to find, computed here from the same file. */
function weatherByYear(hot: number): unknown[] {
  const days = read("seattle-weather.csv")
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","))
    .map(([date = "", rain, max]) => ({ date, rain: Number(rain), max: Number(max) }));
  const years = [...new Set(days.map(({ date }) => date.slice(0, 4)))].sort();
  return years.map((year) => {
    const ours = days.filter(({ date }) => date.startsWith(year));
    const rain = Array.from({ length: 12 }, (_, month) =>
      ours
        .filter(({ date }) => Number(date.slice(5, 7)) === month + 1)
        .reduce((sum, day) => sum + day.rain, 0),
    );
    const hottest = ours.reduce((best, day) => (day.max > best.max ? day : best));
    return {
      year: Number(year),
      rainiestMonth: rain.indexOf(Math.max(...rain)) + 1,
      rainMm: expect.closeTo(Math.max(...rain), 0),
      hottestDay: hottest.date,
      maxC: hottest.max,
      hotDays: ours.filter(({ max }) => max >= hot).length,
    };
  });
}

/** What json-depth.rs has to count, counted by JSON.parse. */
function tally(
  value: unknown,
  depth = 1,
): { depth: number; objects: number; arrays: number; numbers: number } {
  const isObject = typeof value === "object" && value !== null;
  const below = isObject ? Object.values(value).map((child) => tally(child, depth + 1)) : [];
  const sum = (pick: "objects" | "arrays" | "numbers"): number =>
    below.reduce((total, one) => total + one[pick], 0);
  return {
    depth: Math.max(depth, ...below.map((one) => one.depth)),
    objects: sum("objects") + Number(isObject && !Array.isArray(value)),
    arrays: sum("arrays") + Number(Array.isArray(value)),
    numbers: sum("numbers") + Number(typeof value === "number"),
  };
}

describe.each(MODES)("scripts in $name", ({ options, isolation }) => {
  const executor = openExecutor(options);

  test("print JSON, which is the output, with all that a result has to say", async () => {
    const result = await executor.run(script("hello"));
    expect(result).toEqual({
      status: "ok",
      exitCode: 0,
      output: { hello: "world" },
      stdout: '{"hello":"world"}\n',
      stderr: "",
      stdoutBytes: new Uint8Array(Buffer.from('{"hello":"world"}\n')),
      stderrBytes: new Uint8Array(0),
      truncated: { stdout: false, stderr: false },
      durationMs: expect.any(Number),
      fuelUsed: expect.any(Number),
      peakMemoryBytes: expect.any(Number),
      denials: [],
      hints: [],
      artifacts: {},
      isolation,
      moduleFrom: expect.stringMatching(/^(memory|disk|rustc)$/),
      compileMs: expect.any(Number),
      fix: null,
    });
    expect(result.durationMs).toBeGreaterThan(0);
    // Rust's own stack alone is 1 MiB.
    expect(result.peakMemoryBytes).toBeGreaterThanOrEqual(1 * MiB);
  });

  test("read a mounted data set with JSON parameters", async () => {
    const result = await executor.run(script("weather"), {
      input: { file: "/data/seattle-weather.csv", hot: 32 },
      capabilities: { mounts: [data] },
    });
    expect(result).toMatchObject({ status: "ok", denials: [], isolation });
    expect(result.status === "ok" && result.output).toEqual(weatherByYear(32));
  });

  test("count the words of a mounted file that an argument names", async () => {
    const result = await executor.run(script("word-count"), {
      capabilities: { mounts: [data], args: ["word-count", "/data/seattle-weather.csv"] },
    });
    const counts = new Map<string, number>();
    for (const word of read("seattle-weather.csv")
      .toLowerCase()
      .split(/[^\p{L}\p{N}]+/u)) {
      if (word !== "") counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    const ranked = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 5);
    expect(result.status === "ok" && result.output).toEqual(ranked);
  });

  test("group the rows of a CSV on stdin", async () => {
    const rows = read("stocks.csv")
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.split(","));
    const stdin = ["symbol,price", ...rows.map(([symbol, , price]) => `${symbol},${price}`)].join("\n");
    const result = await executor.run(script("csv-groups"), { stdin });
    const sums: Record<string, unknown> = {};
    for (const symbol of new Set(rows.map(([name = ""]) => name))) {
      const total = rows
        .filter(([name]) => name === symbol)
        .reduce((sum, [, , price]) => sum + Number(price), 0);
      sums[symbol] = expect.closeTo(total, 2);
    }
    expect(result.status === "ok" && result.output).toEqual(sums);
  });

  test("parse a large JSON document by hand", async () => {
    const document = read("flare.json");
    const result = await executor.run(script("json-depth"), { stdin: document });
    expect(result.status === "ok" && result.output).toMatchObject(tally(JSON.parse(document)));
  });

  test("fail with a code of their own where the document is none", async () => {
    const result = await executor.run(script("json-depth"), { stdin: "{nonsense" });
    expect(result).toMatchObject({
      status: "failed",
      exitCode: 3,
      stderr: expect.stringContaining("not JSON"),
    });
  });

  test("search a mounted tree", async () => {
    const scripts = fileURLToPath(new URL("../../fixtures/scripts", import.meta.url));
    const result = await executor.run(script("text-search"), {
      capabilities: {
        mounts: [{ host: scripts, guest: "/tree" }],
        args: ["text-search", "/tree", "RandomState"],
      },
    });
    const lines = script("random-walk").split("\n");
    const hits = lines.flatMap((line, i) =>
      line.includes("RandomState")
        ? [`/tree/random-walk.rs:${i + 1}:${line.indexOf("RandomState") + 1}`]
        : [],
    );
    expect(hits.length).toBeGreaterThan(1);
    expect(result.status === "ok" && result.output).toEqual(hits);
  });

  test("compute", async () => {
    const result = await executor.run(script("prime-sieve"), { stdin: "1000000\n" });
    expect(result.status === "ok" && result.output).toBe(78_498);
  });

  test("walk the same way for the same seed, and another way for another", async () => {
    const walk = async (seed: number | string): Promise<string> =>
      (await executor.run(script("random-walk"), { capabilities: { random: { seed } } })).stdout;
    const [first, again, other, text] = await Promise.all([walk(7), walk(7), walk(8), walk("7")]);
    expect(first).toMatch(/farthest/);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
    expect(text).toBe(first);
  });
});

test("the same seed walks the same way in every kind of cell", async () => {
  const walks = await Promise.all(
    MODES.map(async ({ options }) => {
      const result = await openExecutor(options).run(script("random-walk"), {
        capabilities: { random: { seed: "one" } },
      });
      return result.stdout;
    }),
  );
  expect(new Set(walks).size).toBe(1);
});
