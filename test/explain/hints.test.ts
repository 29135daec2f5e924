import { describe, expect, test } from "vitest";
import { type Given, hintsFor } from "../../src/explain/hints.ts";
import type { Denial, Outcome } from "../../src/result.ts";
import { OK, panicked } from "./support.ts";

const NOTHING: Given = { args: 1, stdin: false, source: undefined };
const FAILED: Outcome = { status: "failed", exitCode: 1, output: undefined };

function hints(
  outcome: Outcome,
  given: Partial<Given> = {},
  { stderr = "", denials = [] }: { stderr?: string; denials?: Denial[] } = {},
): readonly string[] {
  return hintsFor(outcome, { stderr, denials }, { ...NOTHING, ...given });
}

function denial(call: string, target: string, grant: string | null): Denial {
  return { call, target, reason: "it was not granted", grant, count: 1 };
}

describe("a hash table's order", () => {
  const source = "use std::collections::HashMap;\nfn main() {}";
  const differing = (left: string, right: string): Outcome =>
    panicked(`assertion \`left == right\` failed: order\n  left: ${left}\n right: ${right}`);

  test("is suspected where two lists differ in nothing else", () => {
    const outcome = differing('["a", "b", "c"]', '["c", "a", "b"]');
    expect(hints(outcome, { source })).toEqual([expect.stringMatching(/BTreeMap.*random: \{ seed/)]);
  });

  test("is not suspected where they differ in more, or there is no hash table", () => {
    expect(hints(differing("[1, 2]", "[2, 3]"), { source })).toEqual([]);
    expect(hints(differing("[1, 2]", "[2, 1]"), { source: "fn main() {}" })).toEqual([]);
    expect(hints(differing("[1, 2]", "[2, 1]"))).toEqual([]);
  });
});

describe("input that is missing", () => {
  test.each([
    "EOF while parsing a value at line 1 column 0",
    "called `Result::unwrap()` on an `Err` value: ParseIntError { kind: Empty }",
    "called `Result::unwrap()` on an `Err` value: ParseFloatError { kind: Empty }",
    "cannot parse integer from empty string",
    'Error { kind: UnexpectedEof, message: "failed to fill whole buffer" }',
  ])("is suspected behind: %s", (message) => {
    expect(hints(panicked(message))).toEqual([expect.stringMatching(/no input/)]);
    expect(hints(FAILED, {}, { stderr: `Error: ${message}\n` })).toEqual([expect.stringMatching(/no input/)]);
  });

  test("is not suspected where input was given, or the script reads none", () => {
    const outcome = panicked("EOF while parsing a value");
    expect(hints(outcome, { stdin: true })).toEqual([]);
    expect(hints(outcome, { source: "fn main() {}" })).toEqual([]);
  });
});

describe("arguments that are missing", () => {
  const source = "fn main() {\n    let name = &std::env::args().collect::<Vec<_>>()[1];\n}";
  const outOfBounds = panicked("index out of bounds: the len is 1 but the index is 1");

  test("are suspected where a list of one is read beyond its end", () => {
    expect(hints(outOfBounds, { source })).toEqual([expect.stringMatching(/no arguments/)]);
    expect(hints(outOfBounds)).toEqual([expect.stringMatching(/no arguments/)]);
  });

  test("are not suspected where some were given, where none is read, and where a longer list is", () => {
    expect(hints(outOfBounds, { source, args: 2 })).toEqual([]);
    expect(hints(outOfBounds, { source: "fn main() {}" })).toEqual([]);
    expect(
      hints(panicked("index out of bounds: the len is 3 but the index is 3"), { source: "\n\n\nargs()" }),
    ).toEqual([]);
  });
});

describe("what this target does not have", () => {
  const unsupported = panicked(
    'Error { kind: Unsupported, message: "operation not supported on this platform" }',
  );

  test("is told by what the script names, and in general where that is not known", () => {
    expect(hints(unsupported, { source: "use std::net::TcpStream;" })).toEqual([
      expect.stringMatching(/std::net/),
    ]);
    expect(hints(unsupported, { source: "Command::new" })).toEqual([expect.stringMatching(/std::process/)]);
    expect(hints(unsupported, { source: "thread::spawn" })).toEqual([expect.stringMatching(/std::thread/)]);
    expect(hints(unsupported, { source: "fn main() {}" })).toEqual([expect.stringMatching(/`Unsupported`/)]);
    expect(hints(unsupported)).toEqual([expect.stringMatching(/`Unsupported`/)]);
  });
});

describe("denials", () => {
  test("of files become one hint, of files that can only be read another", () => {
    const unmounted = denial("path_open", "/a", "mounts");
    expect(hints(FAILED, {}, { denials: [unmounted, unmounted] })).toEqual([
      expect.stringMatching(/mounts and `files`/),
    ]);
    const readOnly = denial("path_open", "/data/a", 'mounts: access "read-write"');
    expect(hints(FAILED, {}, { denials: [unmounted, readOnly] })).toEqual([
      expect.stringMatching(/may only read/),
    ]);
  });

  test("of a clock say which call panics, the date first", () => {
    const date = denial("clock_time_get", "realtime", 'clock: "real"');
    const stopwatch = denial("clock_time_get", "monotonic", 'clock: "monotonic"');
    expect(hints(FAILED, {}, { denials: [stopwatch] })).toEqual([expect.stringMatching(/Instant::now/)]);
    expect(hints(FAILED, {}, { denials: [stopwatch, date] })).toEqual([
      expect.stringMatching(/SystemTime::now/),
    ]);
  });

  test("that nothing would allow have no hint", () => {
    expect(hints(FAILED, {}, { denials: [denial("path_open", "/data/fifo", null)] })).toEqual([]);
  });
});

test("a run that did not fail by its own doing has no hints", () => {
  const report = { stderr: "failed to spawn thread", denials: [denial("path_open", "/a", "mounts")] };
  const outcomes: Outcome[] = [
    OK,
    { status: "cancelled", reason: "" },
    { status: "rejected", diagnostics: [] },
    { status: "limit-exceeded", limit: "fuel", message: "", backtrace: [] },
    { status: "trapped", code: "unreachable", message: "", backtrace: [] },
  ];
  for (const outcome of outcomes) expect(hints(outcome, {}, report)).toEqual([]);
  expect(hints(FAILED, {}, report)).toHaveLength(2);
});

test("a script cannot choose a word of a hint", () => {
  const MARK = "chosen-by-the-script";
  const stderr = `failed to spawn thread ${MARK}\nNotPresent ${MARK}\nusage: ${MARK}\nEOF while parsing ${MARK}\n`;
  const denials = [denial("path_open", `/${MARK}`, "mounts"), denial("clock_time_get", "realtime", MARK)];
  const source = `// ${MARK}\nfn main() { std::env::args(); std::io::stdin(); }`;
  const all = hints(FAILED, { source }, { stderr, denials });
  expect(all.length).toBeGreaterThanOrEqual(5);
  expect(all.join("\n")).not.toContain(MARK);
});

test("hints are as quick for scripts that are made to be slow to look at", () => {
  const source = `${"args ".repeat(100_000)}${"Builder::".repeat(50_000)}${" ".repeat(300_000)}`;
  const message = `assertion \`left == right\` failed\n${" left: ".repeat(200_000)}`;
  expect(hints(panicked(message), { source })).toEqual([]);
});
