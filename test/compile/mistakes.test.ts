import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Applicability, applySuggestions } from "../../src/index.ts";
import { openExecutor } from "../support/executors.ts";

const MISTAKES = new URL("../../fixtures/mistakes/", import.meta.url);
const executor = openExecutor();

/** Codes of the first error; `none` for those of rustc's errors that have no code, syntax errors for one. */
type Code = `E0${number}` | "unused_must_use" | "none";

/** rustc is sure how to correct these: `fix` does, and the script prints what it was to print. */
const SURE: Readonly<Record<string, readonly [Code, prints: string]>> = {
  "assigned-twice": ["E0384", "11\n"],
  "assignment-in-condition": ["E0308", "three\n"],
  "closure-without-move": ["E0373", "42\n"],
  "increment-operator": ["none", "3\n"],
  "missing-bound": ["E0369", "9\n"],
  "missing-mut": ["E0596", "[6, 8, 10]\n"],
  "missing-reference": ["E0308", "6\n"],
  "missing-return": ["E0308", "42\n"],
  "missing-return-type": ["E0308", "42\n"],
  "missing-semicolon": ["none", "3\n"],
  "moved-value": ["E0382", '2 ["a", "b"]\n'],
  narrowing: ["E0308", "3\n"],
  "single-quotes": ["none", "Ada\n"],
  "string-concatenation": ["E0369", "ab\n"],
  "string-for-str": ["E0308", "ADA\n"],
  "tuple-index": ["E0608", "2\n"],
  widening: ["E0308", "6\n"],
};

/** rustc has a proposal for these that may be wrong: `fix` leaves them alone, and whoever applies it gets what was meant. */
const UNSURE: Readonly<Record<string, readonly [Code, prints: string]>> = {
  "borrow-of-temporary": ["E0716", "3\n"],
  "missing-debug": ["E0277", "Point { x: 1, y: 2 }\n"],
  "missing-exclamation-mark": ["E0423", "hello Ada\n"],
  "missing-import": ["E0433", "2\n"],
  "missing-lifetime": ["E0106", "longer\n"],
  "missing-lifetime-in-struct": ["E0106", "hello\n"],
  "missing-self": ["E0425", "1\n"],
  "missing-trait-import": ["E0599", "  42\n"],
  "moved-in-loop": ["E0382", "a\nb\n2\n"],
  "private-field": ["E0616", "7\n"],
  "question-mark-in-main": ["E0277", "42\n"],
  "str-for-string": ["E0308", "Ada\n"],
  "unused-result": ["unused_must_use", "7\n"],
  "wrong-method": ["E0599", "3\n"],
};

/** rustc has nothing that could be applied as it stands for these: gaps to be filled, or words alone. */
const WORDS: Readonly<Record<string, readonly [Code, offers: readonly Applicability[]]>> = {
  "comparing-reference": ["E0308", []],
  "display-of-vec": ["E0277", []],
  "else-if": ["none", []],
  "error-conversion": ["E0277", []],
  "float-times-integer": ["E0277", []],
  "index-type": ["E0277", []],
  "missing-match-arm": ["E0004", ["has-placeholders"]],
  "missing-trait-method": ["E0046", ["has-placeholders"]],
  "mutable-while-borrowed": ["E0502", []],
  "text-for-number": ["E0308", []],
  "unknown-macro": ["none", []],
  "wrong-argument-count": ["E0061", ["has-placeholders"]],
  "wrong-enum-case": ["E0599", ["has-placeholders"]],
};

function mistake(name: string): string {
  return readFileSync(new URL(`${name}.rs`, MISTAKES), "utf8");
}

/** The first error of a script that does not compile, and its code. */
async function firstErrorOf(source: string) {
  const { ok, diagnostics } = await executor.compile(source);
  const error = diagnostics.find(({ level }) => level === "error");
  if (ok || error === undefined) throw new Error("the script compiles, but is to be a mistake");
  return { error, code: error.code ?? "none", diagnostics };
}

test("every mistake among the fixtures is one that something is expected of", () => {
  const files = readdirSync(MISTAKES).map((file) => file.replace(/\.rs$/, ""));
  expect([SURE, UNSURE, WORDS].flatMap((table) => Object.keys(table)).sort()).toEqual(files.sort());
  expect(files.length).toBeGreaterThanOrEqual(20);
});

test("the README says how many of them are corrected", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const [all, sure, unsure] = [[SURE, UNSURE, WORDS], [SURE], [UNSURE]].map((tables) =>
    tables.reduce((count, table) => count + Object.keys(table).length, 0),
  );
  expect(readme).toContain(`Of the ${all} mistakes in \`fixtures/mistakes\``);
  expect(readme).toContain(`\`fix\` corrects ${sure}. For ${unsure} more`);
});

describe("fix corrects what rustc is sure of, and the script then prints what it was to print", () => {
  test.each(Object.entries(SURE))("%s", async (name, [code, prints]) => {
    const source = mistake(name);
    expect((await firstErrorOf(source)).code).toBe(code);
    const result = await executor.run(source, { fix: true });
    expect(result).toMatchObject({ status: "ok", stdout: prints });
    expect(result.fix?.applied[0]?.code ?? "none").toBe(code);
    // It corrects the mistake, and rewrites nothing else.
    expect(result.fix?.rounds).toBe(1);
    expect(result.fix?.diff.match(/^-(?!--)/gm)).toHaveLength(1);
  });
});

describe("fix leaves alone what rustc proposes without being sure, which applySuggestions applies when asked to", () => {
  test.each(Object.entries(UNSURE))("%s", async (name, [code, prints]) => {
    const source = mistake(name);
    const first = await firstErrorOf(source);
    expect(first.code).toBe(code);
    expect(first.error.suggestions[0]?.applicability).toBe("maybe-incorrect");
    expect(await executor.run(source, { fix: true })).toMatchObject({ status: "rejected", fix: null });
    const { source: corrected, applied } = applySuggestions(source, first.diagnostics, {
      applicability: ["machine-applicable", "maybe-incorrect"],
    });
    expect(applied.length).toBeGreaterThan(0);
    expect(await executor.run(corrected)).toMatchObject({ status: "ok", stdout: prints });
  });
});

describe("fix leaves alone what rustc has only words or gaps for", () => {
  test.each(Object.entries(WORDS))("%s", async (name, [code, offers]) => {
    const source = mistake(name);
    const first = await firstErrorOf(source);
    expect(first.code).toBe(code);
    expect(first.error.suggestions.map(({ applicability }) => applicability)).toEqual(offers);
    expect(await executor.run(source, { fix: true })).toMatchObject({ status: "rejected", fix: null });
  });
});
