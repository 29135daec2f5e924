import { describe, expect, test } from "vitest";
import { z } from "zod";
import { formatForModel } from "../../src/explain/format-for-model.ts";
import { DEFAULT_LIMITS, type LimitName } from "../../src/limits.ts";
import type { Denial, Outcome, TrapCode } from "../../src/result.ts";
import { errorAt, OK, panicked, ran, rejected } from "./support.ts";

const DENIAL: Denial = {
  call: "path_open",
  target: "/etc/passwd",
  reason: "no mount holds this path",
  grant: "mounts",
  count: 1,
};
const SOURCE = "fn main() {\n    let words: Vec<u8> = vec![]; words[1];\n}\n";

describe("a panic", () => {
  test("has its message, its line of the script, the way there, hints, denials, and what was printed before", () => {
    const outcome: Outcome = {
      ...panicked("index out of bounds: the len is 0 but the index is 1"),
      backtrace: [
        { function: "script::pick", index: 9 },
        { function: "script::pick", index: 9 },
        { function: "script::main", index: 7 },
      ],
    } as Outcome;
    const stderr =
      "reading\n\nthread 'main' (1) panicked at script.rs:2:5:\nindex out of bounds\nnote: run with `RUST_BACKTRACE=1`\n";
    const report = {
      stderr,
      stdout: "[1,\n",
      denials: [DENIAL],
      hints: ["a script sees no files: grant it"],
    };
    expect(formatForModel(ran(outcome, report), { source: SOURCE })).toMatchInlineSnapshot(`
      "The script panicked at script.rs:2:5:
        | index out of bounds: the len is 0 but the index is 1
        2 |     let words: Vec<u8> = vec![]; words[1];

      hint: a script sees no files: grant it

      denied: open "/etc/passwd": no mount holds this path; grant it with mounts

      backtrace:
        at script::pick (2 times)
        at script::main

      stderr:
        | reading

      stdout:
        | [1,"
    `);
  });

  test("without the source has no line, and without a place none of either", () => {
    expect(formatForModel(ran(panicked("no")))).toBe("The script panicked at script.rs:2:5:\n  | no");
    const nowhere: Outcome = {
      status: "panicked",
      message: "no",
      file: null,
      line: null,
      column: null,
      backtrace: [],
    };
    expect(formatForModel(ran(nowhere), { source: SOURCE })).toBe("The script panicked:\n  | no");
  });

  test("in the standard library names it by its place there, whichever machine built it", () => {
    const file = "/usr/src/rustc-1.97.1/library/std/src/thread/functions.rs";
    const outcome = { ...panicked("failed"), file } as Outcome;
    expect(formatForModel(ran(outcome), { source: SOURCE })).toBe(
      'The script panicked inside Rust\'s standard library, at "std/src/thread/functions.rs":2:\n  | failed',
    );
  });

  test("of a corrected script shows the line of the corrected one", () => {
    const fix = {
      source: "fn main() {\n    corrected();\n}\n",
      diff: "@@ -1 +1 @@\n-a\n+b\n",
      rounds: 1,
      applied: [],
    };
    const text = formatForModel(ran(panicked("no"), { fix }), { source: SOURCE });
    expect(text).toContain("  2 |     corrected();");
    expect(text).toContain("lines named here are those of the corrected script.");
    expect(text).toMatch(/corrected:\n {2}@@ -1 \+1 @@\n {2}-a\n {2}\+b$/);
  });
});

describe("a trap", () => {
  const CODES: Record<TrapCode, RegExp> = {
    unreachable: /std::process::abort/,
    "out-of-bounds-memory": /recursion that is too deep/,
    "out-of-bounds-table": /function pointer/,
    "indirect-call-type-mismatch": /transmuted/,
    "integer-divide-by-zero": /divided an integer by zero/,
    "integer-overflow": /overflowed/,
    "invalid-conversion": /float/,
    "cell-died": /died/,
    other: /WebAssembly forbids/,
  };

  test.each(Object.entries(CODES))("%s says what happened and what in Rust does that", (code, cause) => {
    const text = formatForModel(
      ran({ status: "trapped", code: code as TrapCode, message: "m", backtrace: [] }),
    );
    expect(text).toMatch(/^The script trapped \(/);
    expect(text).toMatch(cause);
  });

  test("that nobody can name has the engine's words", () => {
    const text = formatForModel(
      ran({ status: "trapped", code: "other", message: "bad\nthing", backtrace: [] }),
    );
    expect(text).toContain("\n  | bad\n  | thing");
  });
});

test.each(Object.keys(DEFAULT_LIMITS) as LimitName[])(
  "%s says which limit it was and what to do",
  (limit) => {
    const outcome: Outcome = { status: "limit-exceeded", limit, message: "it was too much", backtrace: [] };
    expect(formatForModel(ran(outcome))).toMatch(
      new RegExp(
        `^The script was stopped at a limit \\(${limit}\\): it was too much\\.\\nTo do: .*raise limits\\.${limit}\\.$`,
      ),
    );
  },
);

describe("denials", () => {
  test("have a line each, with what would allow it", () => {
    const clock = {
      ...DENIAL,
      call: "clock_time_get",
      target: "realtime",
      reason: "the date is not granted",
      grant: 'clock: "real"',
      count: 3,
    };
    const socket = {
      ...DENIAL,
      call: "sock_send",
      target: "descriptor 3",
      reason: "no network",
      grant: null,
    };
    expect(formatForModel(ran(OK, { denials: [DENIAL, clock, socket] }))).toMatchInlineSnapshot(`
      "The script succeeded.

      denied: open "/etc/passwd": no mount holds this path; grant it with mounts
      denied: read the clock "realtime" (3 times): the date is not granted; grant it with clock: "real"
      denied: sock_send "descriptor 3": no network; nothing grants it

      stdout: empty"
    `);
  });

  test("beyond ten are counted", () => {
    const denials = Array.from({ length: 13 }, (_, i) => ({ ...DENIAL, target: `/${i}` }));
    const text = formatForModel(ran(OK, { denials }));
    expect(text.match(/^denied: open/gm)).toHaveLength(10);
    expect(text).toContain("\ndenied: 3 more\n");
  });
});

test("a script that succeeded is told by the head of its output", () => {
  expect(formatForModel(ran(OK))).toBe("The script succeeded.\n\nstdout: empty");
  const stdout = Array.from({ length: 12 }, (_, i) => `line ${i}`).join("\n");
  const text = formatForModel(ran(OK, { stdout, stderr: "by the way" }));
  expect(text).toMatch(/^The script succeeded\.\n\nthe first lines of stdout:\n {2}\| line 0\n/);
  expect(text).not.toContain("line 10");
  expect(text).toMatch(/stderr:\n {2}\| by the way$/);
});

test("an exit code of its own stands with the end of stderr", () => {
  const stderr = Array.from({ length: 12 }, (_, i) => `line ${i}`).join("\n");
  const text = formatForModel(ran({ status: "failed", exitCode: 3, output: undefined }, { stderr }));
  expect(text).toMatch(/^The script exited with code 3\.\n\nthe last lines of stderr:\n {2}\| line 2\n/);
  expect(text).toMatch(/ {2}\| line 11$/);
});

test("output that is not as asked says where, and shows it", () => {
  const schema = z.strictObject({ total: z.number(), names: z.array(z.string()) });
  const output = { total: "3", names: ["a", 1], more: true };
  const issues = schema.safeParse(output).error?.issues ?? [];
  const outcome: Outcome = { status: "invalid-output", exitCode: 0, issues };
  const text = formatForModel(ran(outcome, { stdout: JSON.stringify(output) }));
  expect(text).toMatch(
    /^The script succeeded, but its output is not what was asked for:\n {2}\| total: .*expected number/,
  );
  expect(text).toContain("\n  | names.1: ");
  expect(text).toContain("\n  | the whole output: ");
  expect(text).toContain('stdout:\n  | {"total":"3"');
});

test("truncated output is said to be", () => {
  const outcome: Outcome = {
    status: "limit-exceeded",
    limit: "outputBytes",
    message: "too much",
    backtrace: [],
  };
  const text = formatForModel(ran(outcome, { stdout: "a", truncated: { stdout: true, stderr: false } }));
  expect(text).toContain("stdout, which was cut off at limits.outputBytes:\n  | a");
});

test.each([
  [new Error("the user left"), "the user left"],
  ["enough", "enough"],
  [{ code: 7 }, "{ code: 7 }"],
  [undefined, "undefined"],
])("a cancelled run has the reason: %s", (reason, said) => {
  expect(formatForModel(ran({ status: "cancelled", reason }))).toBe(`The run was cancelled:\n  | ${said}`);
});

test("a run that was rejected is told by its diagnostics", () => {
  const outcome: Outcome = {
    status: "rejected",
    diagnostics: [errorAt(1, "mismatched types", { code: "E0308" })],
  };
  const text = formatForModel(ran(outcome));
  expect(text).toMatch(/^The script was not run: 1 error to correct\.\n\nerror\[E0308\]: mismatched types\n/);
});

test("a correction that did not suffice is told with what is still wrong", () => {
  const fix = { source: "b", diff: "--- script.rs\n+++ script.rs\n-a\n+b\n", rounds: 1, applied: [] };
  const text = formatForModel(rejected([errorAt(1, "mismatched types")], { fix }));
  expect(text).toMatch(/^The script does not compile: 1 error to correct\.\nIt was corrected before;/);
  expect(text).toMatch(/corrected:\n {2}--- script\.rs\n {2}\+\+\+ script\.rs\n {2}-a\n {2}\+b$/);
});
