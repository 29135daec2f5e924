import { describe, expect, test } from "vitest";
import { z } from "zod";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import type { Outcome } from "../../src/result.ts";
import { parsePanic, refusedModule, toOutcome, usedFuel } from "../../src/run/outcome.ts";
import type { RunEnd, RunRecord } from "../../src/run/run.ts";

const NOTE = "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n";

const BACKTRACE = [{ function: "script::main", index: 7 }];

interface Left {
  stdout?: string;
  stderr?: string;
  fuelLeft?: number;
  refusedGrowths?: number;
  outputSchema?: z.ZodType;
}

/** What a run comes to that ended like this and left this behind. */
function outcome(end: RunEnd, left: Left = {}): Outcome {
  const { stdout = "", stderr = "", fuelLeft = 0, refusedGrowths = 0, outputSchema } = left;
  const record: RunRecord = {
    end,
    stdout: Buffer.from(stdout),
    stderr: Buffer.from(stderr),
    truncated: { stdout: false, stderr: false },
    durationMs: 1,
    fuelLeft,
    peakMemoryBytes: null,
    refusedGrowths,
    denials: [],
    artifacts: {},
    backtrace: BACKTRACE,
  };
  return toOutcome(record, stdout, stderr, DEFAULT_LIMITS, outputSchema);
}

const trap = (code: string, message = code): RunEnd => ({ how: "trap", code, message });
const UNREACHABLE = trap("unreachable");

describe("an exit", () => {
  test.each<[string, unknown]>([
    ['{"a":[1,2]}', { a: [1, 2] }],
    [' "text" \n', "text"],
    ["null", null],
    ["0", 0],
    ["", undefined],
    ["not JSON", undefined],
    ['{"a":1}{"b":2}', undefined],
    ["NaN", undefined],
  ])("with 0 and %j on stdout is ok, with its JSON or undefined as output", (stdout, output) => {
    expect(outcome({ how: "exit", exitCode: 0 }, { stdout })).toEqual({ status: "ok", exitCode: 0, output });
  });

  test.each([1, 3, 255, 0xffff_ffff])(
    "with %i is the guest's own failure, and its JSON is kept",
    (exitCode) => {
      expect(outcome({ how: "exit", exitCode }, { stdout: '{"partial":true}' })).toEqual({
        status: "failed",
        exitCode,
        output: { partial: true },
      });
    },
  );

  test("is no panic, whatever stderr says", () => {
    const stderr = "thread 'main' panicked at src/main.rs:1:1:\nboo\n";
    expect(outcome({ how: "exit", exitCode: 0 }, { stderr }).status).toBe("ok");
    expect(outcome({ how: "exit", exitCode: 101 }, { stderr }).status).toBe("failed");
  });
});

describe("outputSchema", () => {
  test("that cannot answer at once is the caller's error, with what to do", () => {
    const later = z.any().refine(async () => true);
    expect(() => outcome({ how: "exit", exitCode: 0 }, { stdout: "1", outputSchema: later })).toThrow(
      expect.objectContaining({ code: "INVALID_OPTIONS", message: expect.stringContaining("synchronous") }),
    );
  });

  const outputSchema = z.object({ n: z.number().transform((n) => n * 2) });
  const exit: RunEnd = { how: "exit", exitCode: 0 };

  test("makes the output", () => {
    expect(outcome(exit, { stdout: '{"n":21}', outputSchema })).toEqual({
      status: "ok",
      exitCode: 0,
      output: { n: 42 },
    });
  });

  test.each(['{"n":"21"}', "[]", "", "not JSON"])(
    "turns %j into invalid-output with the issues",
    (stdout) => {
      expect(outcome(exit, { stdout, outputSchema })).toMatchObject({
        status: "invalid-output",
        exitCode: 0,
        issues: [{ code: "invalid_type" }],
      });
    },
  );

  test("is not asked where the guest failed", () => {
    expect(outcome({ how: "exit", exitCode: 1 }, { stdout: "[]", outputSchema })).toEqual({
      status: "failed",
      exitCode: 1,
      output: [],
    });
  });
});

describe("a trap", () => {
  test.each([
    "unreachable",
    "out-of-bounds-memory",
    "out-of-bounds-table",
    "indirect-call-type-mismatch",
    "integer-divide-by-zero",
    "integer-overflow",
    "invalid-conversion",
  ])("keeps the code %s and V8's text", (code) => {
    expect(outcome(trap(code, "the text"))).toEqual({
      status: "trapped",
      code,
      message: "the text",
      backtrace: BACKTRACE,
    });
  });

  test.each(["", "toString", "cell-died", "__proto__", "panicked", "x".repeat(64)])(
    "of the code %j, which no trap has, is other",
    (code) => {
      expect(outcome(trap(code))).toMatchObject({ status: "trapped", code: "other" });
    },
  );

  test("after a panic message is a panic", () => {
    const stderr = `\nthread 'main' panicked at script.rs:5:20:\nboo\n${NOTE}`;
    expect(outcome(UNREACHABLE, { stderr })).toEqual({
      status: "panicked",
      message: "boo",
      file: "script.rs",
      line: 5,
      column: 20,
      backtrace: BACKTRACE,
    });
  });

  test("of another kind after a panic message is that trap: a caught panic is not how it ended", () => {
    const stderr = "\nthread 'main' panicked at script.rs:5:20:\nboo\n";
    expect(outcome(trap("integer-divide-by-zero"), { stderr }).status).toBe("trapped");
  });

  test("after memory was refused is the memory limit", () => {
    expect(
      outcome(UNREACHABLE, { refusedGrowths: 1, stderr: "memory allocation of 9 bytes failed\n" }),
    ).toMatchObject({
      status: "limit-exceeded",
      limit: "memoryBytes",
      backtrace: BACKTRACE,
    });
  });

  test("that only claims on stderr that memory was refused is a trap", () => {
    const stderr = "memory allocation of 1048576 bytes failed\n";
    expect(outcome(UNREACHABLE, { stderr })).toMatchObject({ status: "trapped", code: "unreachable" });
  });

  test("after a panic is a panic, though memory was refused before", () => {
    const stderr = "\nthread 'main' panicked at script.rs:5:20:\nboo\n";
    expect(outcome(UNREACHABLE, { stderr, refusedGrowths: 1 }).status).toBe("panicked");
  });

  test("of another kind after memory was refused is that trap", () => {
    expect(outcome(trap("out-of-bounds-memory"), { refusedGrowths: 1 }).status).toBe("trapped");
  });
});

test.each<[RunEnd, string]>([
  [{ how: "deadline" }, "wallTimeMs"],
  [{ how: "stack-overflow" }, "stackBytes"],
  [{ how: "output-limit", stream: "stderr" }, "outputBytes"],
])("%j exceeds %s, and the message says how much was allowed", (end, limit) => {
  const allowed = String(DEFAULT_LIMITS[limit as keyof typeof DEFAULT_LIMITS]);
  expect(outcome(end)).toEqual({
    status: "limit-exceeded",
    limit,
    message: expect.stringContaining(allowed),
    backtrace: BACKTRACE,
  });
});

test("a cancelled run keeps the signal's reason as it is", () => {
  const reason = new Error("enough");
  expect(outcome({ how: "cancelled", reason })).toEqual({ status: "cancelled", reason });
});

test("a cell that died under the guest is a trap of its own, with what it said last", () => {
  expect(outcome({ how: "cell-died", message: "SIGSEGV" })).toEqual({
    status: "trapped",
    code: "cell-died",
    message: expect.stringContaining("SIGSEGV"),
    backtrace: BACKTRACE,
  });
});

test("a module that the engine refuses is rejected with a diagnostic of scriptcell's own", () => {
  expect(outcome({ how: "load-failed", message: "section out of order" })).toEqual({
    status: "rejected",
    diagnostics: [refusedModule("section out of order")],
  });
  expect(refusedModule("section out of order")).toMatchObject({
    level: "error",
    code: "scriptcell::module-refused",
    message: expect.stringContaining("section out of order"),
  });
});

describe("the panic on stderr", () => {
  const at = (line: number, message: string, file = "script.rs") => ({ message, file, line, column: 5 });

  test.each<[string, string, ReturnType<typeof at> | null]>([
    ["as Rust prints it", `thread 'main' panicked at script.rs:2:5:\nboo\n${NOTE}`, at(2, "boo")],
    ["with a thread id", `\nthread 'main' (1) panicked at script.rs:2:5:\nboo\n${NOTE}`, at(2, "boo")],
    ["of a thread without a name", "\nthread '<unnamed>' panicked at script.rs:2:5:\nboo\n", at(2, "boo")],
    ["without a note", "thread 'main' panicked at script.rs:2:5:\nboo", at(2, "boo")],
    ["without a message", `thread 'main' panicked at script.rs:2:5:\n\n${NOTE}`, at(2, "")],
    [
      "of several lines",
      `thread 'main' panicked at script.rs:2:5:\nfirst\n\n  third\n${NOTE}`,
      at(2, "first\n\n  third"),
    ],
    [
      "of assert_eq",
      `thread 'main' panicked at script.rs:2:5:\nassertion \`left == right\` failed\n  left: 1\n right: 2\n${NOTE}`,
      at(2, "assertion `left == right` failed\n  left: 1\n right: 2"),
    ],
    ["after other text", `step 1\nstep 2\n\nthread 'main' panicked at script.rs:2:5:\nboo\n`, at(2, "boo")],
    ["after text without a line's end", "step 1thread 'main' panicked at script.rs:2:5:\nboo\n", null],
    [
      "with a backtrace",
      "thread 'main' panicked at script.rs:2:5:\nboo\nstack backtrace:\n   0: rust_begin_unwind\n",
      at(2, "boo"),
    ],
    [
      "the last of several",
      "thread 'main' panicked at script.rs:1:5:\nfirst\n\nthread 'main' panicked at script.rs:2:5:\nsecond\n",
      at(2, "second"),
    ],
    [
      "in the standard library",
      "thread 'main' panicked at /rustc/abc/library/core/src/panicking.rs:9:5:\nboo\n",
      at(9, "boo", "/rustc/abc/library/core/src/panicking.rs"),
    ],
    [
      "in a file whose name has colons and spaces",
      "thread 'main' panicked at a b:1:2:2:5:\nboo\n",
      at(2, "boo", "a b:1:2"),
    ],
    [
      "whose message speaks of threads",
      "thread 'main' panicked at script.rs:2:5:\nboo\nthread 'worker' is sad\n",
      at(2, "boo\nthread 'worker' is sad"),
    ],
    ["that is none", "all is well\n", null],
    ["that only looks like one", "thread 'main' panicked at nowhere\nboo\n", null],
    ["that is only spoken of", "I saw thread 'main' panicked at script.rs:2:5:\nboo\n", null],
    ["of nothing", "", null],
  ])("%s", (_, stderr, expected) => {
    expect(parsePanic(stderr)).toEqual(expected);
  });

  test("with a message of any length is found", () => {
    const message = "x".repeat(500_000);
    expect(parsePanic(`thread 'main' panicked at script.rs:2:5:\n${message}\n${NOTE}`)).toEqual(
      at(2, message),
    );
  });

  test("is found in no more time than its length takes, however it is built", () => {
    const hostile = [
      `thread '${"'".repeat(500_000)}`,
      "\nthread '".repeat(60_000),
      `thread 'main' panicked at ${"1:".repeat(250_000)}`,
      `thread 'main' panicked at ${":1".repeat(250_000)}\n`,
      `thread 'main' panicked at ${"1".repeat(500_000)}`,
      "thread 'main' panicked at x:1:1\n".repeat(15_000),
      `thread 'main' panicked at x:1:1:\n${"\nnote: run".repeat(50_000)}`,
      `thread 'main' panicked at x:1:1:\n${"\n".repeat(500_000)}`,
      `thread 'main' panicked at x:1:1:\n${" ".repeat(500_000)}x`,
    ];
    // Quadratic time over half a million characters would be hours, not the minute that a test may take.
    for (const stderr of hostile) expect(() => parsePanic(stderr)).not.toThrow();
  });
});

describe("fuel below zero", () => {
  const ends: RunEnd[] = [
    { how: "exit", exitCode: 0 },
    { how: "exit", exitCode: 7 },
    UNREACHABLE,
    trap("integer-divide-by-zero"),
    { how: "stack-overflow" },
    { how: "output-limit", stream: "stdout" },
  ];

  test.each(ends)("is the limit, however the guest ended: %j", (end) => {
    expect(outcome(end, { fuelLeft: -1 })).toEqual({
      status: "limit-exceeded",
      limit: "fuel",
      message: "the guest needed more than 20000000000 units of fuel",
      backtrace: BACKTRACE,
    });
  });

  test.each(ends)("and not at zero: %j", (end) => {
    expect(outcome(end, { fuelLeft: 0 })).not.toMatchObject({ limit: "fuel" });
  });
});

test.each([
  [1_000, 1_000, 0],
  [1_000, 900, 100],
  [1_000n, 0, 1_000],
  // What stopped the guest would have cost more than it had.
  [1_000, -4_000_000_000, 1_000],
  // A cell that says that there is more than it was given is not believed.
  [1_000, 2_000, 0],
  [1_000, null, null],
])("of %s units %s are left: %s were used", (fuel, left, used) => {
  expect(usedFuel({ ...DEFAULT_LIMITS, fuel }, left)).toBe(used);
});
