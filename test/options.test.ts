import { describe, expect, test } from "vitest";
import { z } from "zod";
import { DEFAULT_LIMITS, GiB, KiB, type LimitName, MiB } from "../src/limits.ts";
import { DEFAULT_CELLS, type ExecuteOptions, type ExecutorOptions } from "../src/options.ts";
import { parseCompileOptions, parseExecuteOptions, parseRunOptions } from "../src/parse-options.ts";
import { mergeLimits, resolveExecutorOptions } from "../src/resolve-options.ts";

const invalid = (message: RegExp) =>
  expect.objectContaining({ code: "INVALID_OPTIONS", message: expect.stringMatching(message) });

/** Options as a caller without types writes them. */
const executor = (options: unknown) => resolveExecutorOptions(options as ExecutorOptions);
const execute = (options: unknown) => parseExecuteOptions(options as ExecuteOptions);
const capabilities = (given: unknown) => execute({ capabilities: given }).capabilities;
const mount = (fields: object) =>
  capabilities({ mounts: [{ host: ".", guest: "/data", ...fields }] })?.mounts?.[0];

/** Least, most, and what just misses them. */
const BOUNDS: Record<LimitName, { least: number; most: number }> = {
  fuel: { least: 0, most: Number.MAX_SAFE_INTEGER },
  wallTimeMs: { least: 1, most: 86_400_000 },
  memoryBytes: { least: 64 * KiB, most: 4 * GiB },
  stackBytes: { least: 1 * MiB, most: 64 * MiB },
  tableElements: { least: 0, most: 10_000_000 },
  outputBytes: { least: 0, most: 1 * GiB },
  diskBytes: { least: 0, most: 1024 * GiB },
  scratchBytes: { least: 0, most: 1 * GiB },
  openFiles: { least: 0, most: 10_000 },
  hostCallBytes: { least: 0, most: 4 * GiB },
};
const LIMITS = Object.keys(DEFAULT_LIMITS) as LimitName[];

test("every limit has a default, bounds, and a test below", () => {
  expect(Object.keys(BOUNDS).sort()).toEqual([...LIMITS].sort());
  for (const value of Object.values(DEFAULT_LIMITS)) expect(Number.isSafeInteger(Number(value))).toBe(true);
});

describe("a misspelt or unknown name is an error that names it", () => {
  test.each([
    ["timeout", { timeout: 5 }],
    ["isolaton", { isolaton: "worker" }],
    ["wallTime", { limits: { wallTime: 5 } }],
    ["memory", { ceilings: { memory: 5 } }],
    ["mount", { capabilities: { mount: [] } }],
    ["maxRuning", { cells: { maxRuning: 1 } }],
    ["disk", { store: { disk: 1 } }],
    ["wallMs", { compileLimits: { wallMs: 1 } }],
    ["fuels", { limits: { fuels: 1n } }],
  ])("of an executor: %s", (name, options) => {
    expect(() => executor(options)).toThrow(invalid(new RegExp(`"${name}"`)));
  });

  test.each([
    ["onStdOut", { onStdOut: () => {} }],
    ["timeoutMs", { timeoutMs: 1 }],
    ["memorybytes", { limits: { memorybytes: 1 } }],
    ["network", { capabilities: { network: ["example.com:443"] } }],
    ["readonly", { capabilities: { mounts: [{ host: ".", guest: "/data", readonly: true }] } }],
    ["seeds", { capabilities: { random: { seeds: 1 } } }],
    ["edition", { edition: "2021" }],
  ])("of a run of a module: %s", (name, options) => {
    expect(() => execute(options)).toThrow(invalid(new RegExp(`"${name}"|Invalid input`)));
  });

  test("of a compile: input", () => {
    expect(() => parseCompileOptions({ input: 1 } as object)).toThrow(invalid(/"input"/));
  });

  test("while run takes what compile and execute take", () => {
    expect(parseRunOptions({ edition: "2021", profile: "fast-run", tenant: "ada", input: 1 })).toEqual({
      edition: "2021",
      profile: "fast-run",
      tenant: "ada",
      stdin: "1",
    });
  });
});

describe.each(LIMITS)("limits.%s", (name) => {
  const { least, most } = BOUNDS[name];

  test.each([
    ["the least", least, true],
    ["less than the least", least - 1, false],
    ["the most", most, true],
    ["more than the most", most + 1, false],
    ["a fraction", least + 0.5, false],
    ["not a number", Number.NaN, false],
    ["infinity", Number.POSITIVE_INFINITY, false],
    ["text", String(least), false],
    ["null", null, false],
    ["a bigint", BigInt(least), name === "fuel"],
  ])("%s: %s", (_, value, valid) => {
    for (const parse of [executor, execute] as const) {
      const options = { limits: { [name]: value } };
      if (valid) expect(parse(options).limits?.[name]).toBe(value);
      else expect(() => parse(options)).toThrow(invalid(new RegExp(`limits\\.${name}`)));
    }
  });
});

test.each([
  [0n, true],
  [BigInt(Number.MAX_SAFE_INTEGER), true],
  [BigInt(Number.MAX_SAFE_INTEGER) + 1n, false],
  [-1n, false],
])("limits.fuel may be a bigint: %s", (fuel, valid) => {
  if (valid) expect(executor({ limits: { fuel } }).limits.fuel).toBe(fuel);
  else expect(() => executor({ limits: { fuel } })).toThrow(invalid(/limits\.fuel/));
});

test.each([
  [10n, 10, true],
  [10n, 11, false],
  [10, 11n, false],
])("a ceiling of %s units of fuel and a call that asks for %s", (ceiling, fuel, valid) => {
  const ask = () => mergeLimits(DEFAULT_LIMITS, { fuel }, { fuel: ceiling });
  if (valid) expect(ask().fuel).toBe(fuel);
  else expect(ask).toThrow(invalid(new RegExp(`limits\\.fuel: ${fuel} .*${ceiling}`)));
});

describe("limits", () => {
  test("that nobody sets are the defaults", () => {
    expect(executor({}).limits).toEqual(DEFAULT_LIMITS);
    expect(executor({ limits: {} }).limits).toEqual(DEFAULT_LIMITS);
  });

  test("of an executor replace the defaults one by one, and those of a call the executor's", () => {
    const { limits } = executor({ limits: { wallTimeMs: 9, openFiles: 1 } });
    expect(limits).toEqual({ ...DEFAULT_LIMITS, wallTimeMs: 9, openFiles: 1 });
    expect(mergeLimits(limits, { openFiles: 2 }, {})).toEqual({ ...limits, openFiles: 2 });
  });

  test("that are undefined say nothing", () => {
    expect(executor({ limits: { wallTimeMs: undefined } }).limits.wallTimeMs).toBe(DEFAULT_LIMITS.wallTimeMs);
    expect(mergeLimits(DEFAULT_LIMITS, { wallTimeMs: undefined }, {})).toEqual(DEFAULT_LIMITS);
  });

  test("that are defaults cannot be changed by anybody", () => {
    expect(Object.isFrozen(DEFAULT_LIMITS)).toBe(true);
    executor({}).limits.wallTimeMs = 1;
    expect(executor({}).limits.wallTimeMs).toBe(DEFAULT_LIMITS.wallTimeMs);
  });
});

describe.each(LIMITS)("ceilings.%s", (name) => {
  const { least } = BOUNDS[name];
  const usual = Number(DEFAULT_LIMITS[name]);
  const ceiling = Math.max(least + 1, Math.floor(usual / 2));
  const { limits, ceilings } = executor({ ceilings: { [name]: ceiling } });

  test("pulls the default down to it", () => {
    expect(limits).toEqual({ ...DEFAULT_LIMITS, [name]: Math.min(ceiling, usual) });
  });

  test.each([
    ["under", ceiling - 1, true],
    ["at", ceiling, true],
    ["over", ceiling + 1, false],
  ])("lets a call that is %s it pass or fail: %i", (_, value, valid) => {
    const ask = () => mergeLimits(limits, { [name]: value }, ceilings);
    if (valid) expect(ask()[name]).toBe(value);
    else expect(ask).toThrow(invalid(new RegExp(`limits\\.${name}: ${value} .*${ceiling}`)));
  });

  test("is an error where the operator's own limit is above it", () => {
    expect(() => executor({ ceilings: { [name]: ceiling }, limits: { [name]: ceiling + 1 } })).toThrow(
      invalid(new RegExp(`limits\\.${name}`)),
    );
  });

  test("that is above the default leaves the default", () => {
    const above = Math.min(BOUNDS[name].most, usual + 1);
    expect(executor({ ceilings: { [name]: above } }).limits).toEqual(DEFAULT_LIMITS);
  });
});

describe("mounts", () => {
  test.each(["/", "/data", "/a/b", "/a//b/", "/..data", "/.hidden", "/a/...", "/ü"])(
    "may be at %j",
    (guest) => {
      expect(mount({ guest })).toMatchObject({ guest });
    },
  );

  test.each([
    "",
    "data",
    "./data",
    "/..",
    "/.",
    "/../x",
    "/./x",
    "/a/../b",
    "/a/.",
    "/a/./b",
    "/a/..",
    "/a\n/../b",
    "/a\0b",
  ])("may not be at %j", (guest) => {
    expect(() => mount({ guest })).toThrow(invalid(/guest/));
  });

  test.each([
    ["host", ""],
    ["host", "a\0b"],
    ["host", 7],
    ["access", "rw"],
    ["access", "write"],
    ["access", true],
    ["maxBytes", -1],
    ["maxBytes", 0.5],
    ["maxBytes", "1"],
  ])("may not have %s %j", (field, value) => {
    expect(() => mount({ [field]: value })).toThrow(invalid(new RegExp(field)));
  });

  test.each([
    ["under", 63, true],
    ["at", 64, true],
    ["over", 65, false],
  ])("%s the bound of 64: %i", (_, count, valid) => {
    const mounts = Array.from({ length: count }, (_, n) => ({ host: ".", guest: `/${n}` }));
    if (valid) expect(capabilities({ mounts })?.mounts).toHaveLength(count);
    else expect(() => capabilities({ mounts })).toThrow(invalid(/mounts/));
  });
});

describe("the environment and the arguments", () => {
  test.each(["", "A=B", "A\0B", "=", "A="])("no variable may be called %j", (name) => {
    expect(() => capabilities({ env: { [name]: "x" } })).toThrow(invalid(/env/));
  });

  test("no value or argument may hold a NUL, which would end it", () => {
    expect(() => capabilities({ env: { A: "x\0y" } })).toThrow(invalid(/env/));
    expect(() => capabilities({ args: ["script", "x\0y"] })).toThrow(invalid(/args/));
  });

  test("values and arguments may be empty and hold anything else", () => {
    expect(capabilities({ env: { A: "", "ü ": "a=b\n" }, args: ["", "=\n"] })).toEqual({
      env: { A: "", "ü ": "a=b\n" },
      args: ["", "=\n"],
    });
  });

  test("a list of arguments is never empty and no longer than 10,000", () => {
    expect(() => capabilities({ args: [] })).toThrow(invalid(/args/));
    expect(() => capabilities({ args: Array.from({ length: 10_001 }, () => "x") })).toThrow(invalid(/args/));
    expect(capabilities({ args: Array.from({ length: 10_000 }, () => "x") })?.args).toHaveLength(10_000);
  });
});

describe("clock and random", () => {
  test.each(["denied", "monotonic", "real"])("a clock may be %s", (clock) => {
    expect(capabilities({ clock })).toEqual({ clock });
  });

  test("a clock may be frozen at a date or at a text with a time zone", () => {
    const frozen = new Date("2026-11-22T00:00:00Z");
    expect(capabilities({ clock: { frozen } })).toEqual({ clock: { frozen } });
    expect(capabilities({ clock: { frozen: "2026-11-22T01:00:00+01:00" } })).toEqual({ clock: { frozen } });
  });

  test.each([
    "yes",
    true,
    {},
    { frozen: new Date("never") },
    { frozen: "never" },
    { frozen: "2026-11-22" },
    { frozen: "2026-11-22T01:00:00" },
    { frozen: 0 },
    { frozen: "2026-11-22T01:00:00Z", real: true },
  ])("a clock may not be %j", (clock) => {
    expect(() => capabilities({ clock })).toThrow(invalid(/clock/));
  });

  test("a clock may not be frozen before 1970, which WASI cannot express", () => {
    expect(() => capabilities({ clock: { frozen: new Date(-1) } })).toThrow(invalid(/clock/));
    expect(() => capabilities({ clock: { frozen: "1969-12-31T23:59:59Z" } })).toThrow(invalid(/clock/));
    expect(capabilities({ clock: { frozen: new Date(0) } })).toEqual({ clock: { frozen: new Date(0) } });
  });

  test("a clock may not be frozen beyond what 64 bits of nanoseconds hold", () => {
    expect(() => capabilities({ clock: { frozen: new Date(8.64e15) } })).toThrow(invalid(/clock/));
  });

  test("random is secure, or seeded with a whole number or text", () => {
    for (const random of ["secure", { seed: 7 }, { seed: -7 }, { seed: "" }, { seed: "x" }]) {
      expect(capabilities({ random })).toEqual({ random });
    }
    for (const random of ["seeded", 7, {}, { seed: 0.5 }, { seed: null }, { seed: 7n }]) {
      expect(() => capabilities({ random })).toThrow(invalid(/random/));
    }
  });
});

describe("input", () => {
  test.each<[unknown, string]>([
    [{ a: [1, null] }, '{"a":[1,null]}'],
    ["text", '"text"'],
    [null, "null"],
    [0, "0"],
    [false, "false"],
    ["", '""'],
  ])("%j becomes JSON on stdin", (input, stdin) => {
    expect(execute({ input })).toEqual({ stdin });
  });

  test("that is undefined says nothing", () => {
    expect(execute({ input: undefined, stdin: "x" })).toEqual({ stdin: "x" });
  });

  test("together with stdin is an error, whatever they hold", () => {
    for (const stdin of ["x", "", new Uint8Array(0)]) {
      expect(() => execute({ input: null, stdin })).toThrow(invalid(/not both/));
    }
  });

  test("that is no JSON is an error with its cause", () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    for (const input of [circle, 1n, () => 1, Symbol("x")]) {
      expect(() => execute({ input })).toThrow(invalid(/JSON/));
    }
  });

  test.each<[string, unknown]>([
    ["a number", 7],
    ["null", null],
    ["a plain object", {}],
    ["an array", ["x"]],
    ["a function", () => "x"],
    ["an ArrayBuffer", new ArrayBuffer(1)],
  ])("stdin that is %s is an error that says what it may be", (_, stdin) => {
    expect(() => execute({ stdin })).toThrow(invalid(/Uint8Array/));
  });
});

describe("callbacks, signals and schemas are what they have to be", () => {
  test.each([
    ["onStdout", "log"],
    ["onStderr", {}],
    ["signal", {}],
    ["signal", { aborted: true }],
    ["outputSchema", { type: "object" }],
    ["outputSchema", "string"],
    ["tenant", 7],
  ])("%s may not be %j", (name, value) => {
    expect(() => execute({ [name]: value })).toThrow(invalid(new RegExp(name)));
  });

  test("and are handed on as they are", () => {
    const given = { onStdout: () => {}, signal: new AbortController().signal, outputSchema: z.string() };
    const parsed = execute(given);
    expect(parsed.onStdout).toBe(given.onStdout);
    expect(parsed.signal).toBe(given.signal);
    expect(parsed.outputSchema).toBe(given.outputSchema);
  });
});

describe("an executor", () => {
  test("without options has every default in place", () => {
    const { cacheDir, compileLimits, cells, store, ...rest } = executor({});
    expect(rest).toEqual({
      toolchain: undefined,
      isolation: "process",
      jail: "auto",
      engine: "preview1",
      edition: "2024",
      profile: "fast-compile",
      limits: DEFAULT_LIMITS,
      ceilings: {},
      capabilities: {},
      onWarning: undefined,
    });
    expect(cacheDir).toMatch(/scriptcell/);
    expect(cells).toEqual(DEFAULT_CELLS);
    for (const value of [...Object.values(compileLimits), ...Object.values(store)])
      expect(value).toBeGreaterThan(0);
  });

  test("with worker cells cannot promise a jail", () => {
    expect(() => executor({ isolation: "worker", jail: "required" })).toThrow(invalid(/worker/));
  });

  test.each([
    ["isolation", "thread"],
    ["jail", "on"],
    ["jail", true],
    ["edition", "2023"],
    ["edition", 2024],
    ["profile", "fast"],
    ["toolchain", ""],
    ["cacheDir", ""],
    ["onWarning", "log"],
    ["cells", []],
    ["limits", null],
  ])("may not have %s %j", (name, value) => {
    expect(() => executor({ [name]: value })).toThrow(invalid(new RegExp(name)));
  });

  test.each([null, 7, "options", []])("is not made from %j", (options) => {
    expect(() => executor(options)).toThrow(invalid(/executor options/));
  });

  test.each([
    ["maxRunning", 1, 1024],
    ["maxIdle", 0, 1024],
    ["spares", 0, 64],
    ["idleMs", 1, 86_400_000],
  ] as const)("has cells.%s between %i and %i", (name, least, most) => {
    for (const value of [least, most]) expect(executor({ cells: { [name]: value } }).cells[name]).toBe(value);
    for (const value of [least - 1, most + 1, 1.5]) {
      expect(() => executor({ cells: { [name]: value } })).toThrow(invalid(new RegExp(name)));
    }
  });

  test("is not changed by what a caller does to the options afterwards", () => {
    const given = {
      limits: { wallTimeMs: 100 },
      capabilities: { env: { A: "1" } },
      ceilings: { wallTimeMs: 100 },
    };
    const resolved = executor(given);
    given.limits.wallTimeMs = 1_000;
    given.ceilings.wallTimeMs = 1_000;
    given.capabilities.env.A = "2";
    expect(resolved.limits.wallTimeMs).toBe(100);
    expect(resolved.ceilings.wallTimeMs).toBe(100);
    expect(resolved.capabilities.env).toEqual({ A: "1" });
  });
});

describe("mounts in memory, files and artifacts", () => {
  const mounts = (...given: unknown[]) => capabilities({ mounts: given })?.mounts;

  test("are taken as they are written", () => {
    const scratch = { guest: "/tmp", access: "scratch", bytes: 5 };
    expect(mounts(scratch, { host: ".", guest: "/data" })).toEqual([scratch, { host: ".", guest: "/data" }]);
    const files = { "/in/a.txt": "a", "/in/b.bin": Uint8Array.of(1) };
    expect(execute({ files, artifacts: ["/tmp/*"] })).toEqual({ files, artifacts: ["/tmp/*"] });
  });

  test.each([
    ["a host directory that is scratch", { host: ".", guest: "/tmp", access: "scratch" }],
    ["scratch with the quota of a host directory", { guest: "/tmp", access: "scratch", maxBytes: 5 }],
    ["a host directory with the quota of scratch", { host: ".", guest: "/tmp", bytes: 5 }],
    ["a mount without a host directory that is not scratch", { guest: "/tmp" }],
    ["scratch of less than nothing", { guest: "/tmp", access: "scratch", bytes: -1 }],
    ["scratch at a path that is not plain", { guest: "/tmp/..", access: "scratch" }],
    ["scratch at no path", { access: "scratch" }],
  ])("%s is an error", (_, mount) => {
    expect(() => mounts(mount)).toThrow(invalid(/mounts/));
  });

  test.each([
    ["a list", ["a"]],
    ["text", "a"],
    ["bytes", Uint8Array.of(1)],
    ["a number in it", { "/in/a": 1 }],
    ["too many", Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`/in/${i}`, ""]))],
  ])("files that are %s are an error", (_, files) => {
    expect(() => execute({ files })).toThrow(invalid(/files/));
  });

  test.each([
    ["text", "/tmp/*"],
    ["too many", Array(65).fill("/tmp/*")],
    ["too long", [`/tmp/${"x".repeat(1_020)}`]],
    ["numbers", [1]],
  ])("artifacts that are %s are an error", (_, artifacts) => {
    expect(() => execute({ artifacts })).toThrow(invalid(/artifacts/));
  });
});
