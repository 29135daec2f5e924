import { describe, expect, test } from "vitest";
import type { Diagnostic } from "../../src/compile/diagnostics.ts";
import { foldDiagnostics } from "../../src/explain/fold.ts";
import { formatForModel } from "../../src/explain/format-for-model.ts";
import { errorAt, recorded, rejected, spanAt } from "./support.ts";

/** The errors that are left, as `line: message` with the places folded into each. */
function left(diagnostics: readonly Diagnostic[]): string[] {
  return foldDiagnostics(diagnostics).errors.map(
    ({ diagnostic, alsoAt }) => `${diagnostic.spans[0]?.lineStart}: ${diagnostic.message} +${alsoAt.length}`,
  );
}

describe("errors that one correction takes away are one error", () => {
  test("the same message at several places", () => {
    const [first, ...others] = foldDiagnostics(recorded("alike")).errors;
    expect(first).toMatchObject({ diagnostic: { code: "E0308" }, alsoAt: ["10:26"] });
    expect(others).toMatchObject([{ diagnostic: { code: "E0277" }, alsoAt: ["13:25"] }]);
  });

  test("a name that does not exist, as a type, a value and a path", () => {
    const { errors } = foldDiagnostics(recorded("follow-ups"));
    const stock = errors.filter(({ diagnostic }) => diagnostic.message.includes("`Stock`"));
    expect(stock).toMatchObject([{ alsoAt: ["16:30"] }]);
    const missing = errors.filter(({ diagnostic }) => diagnostic.message.includes("`missing`"));
    expect(missing).toMatchObject([{ alsoAt: ["21:20", "22:42"] }]);
  });

  test("a crate that is imported and then named in paths", () => {
    expect(foldDiagnostics(recorded("crates")).errors.at(-1)).toMatchObject({
      diagnostic: { code: "E0432", message: "unresolved import `serde_json`" },
      alsoAt: ["11:20", "13:20"],
    });
  });

  test("uses of one value after one move, in different words", () => {
    const owner = spanAt(1, { primary: false, label: "move occurs because `a` has type `A`" });
    const use = (line: number, message: string): Diagnostic =>
      errorAt(line, message, { code: "E0382", spans: [spanAt(line), owner] });
    expect(left([use(7, "use of moved value: `a`"), use(8, "borrow of moved value: `a`")])).toEqual([
      "7: use of moved value: `a` +1",
    ]);
    const other = { ...owner, byteStart: 90, byteEnd: 91 };
    const second = errorAt(9, "use of moved value: `b`", { code: "E0382", spans: [spanAt(9), other] });
    expect(left([use(7, "use of moved value: `a`"), second])).toHaveLength(2);
  });

  test("and the one of them with a correction stands for all", () => {
    const suggestion = { message: "s", applicability: "maybe-incorrect", replacements: [] } as const;
    const plain = errorAt(1, "cannot find value `a` in this scope");
    const corrected = errorAt(2, "cannot find value `a` in this scope", { suggestions: [suggestion] });
    expect(foldDiagnostics([plain, corrected]).errors).toMatchObject([
      { diagnostic: corrected, alsoAt: ["1:1"] },
    ]);
  });
});

describe("errors that are corrected one by one stay apart", () => {
  test.each<[string, Diagnostic, Diagnostic]>([
    [
      "mismatched types with other types",
      errorAt(1, "mismatched types", { spans: [spanAt(1, { label: "expected `A`" })] }),
      errorAt(2, "mismatched types", { spans: [spanAt(2, { label: "expected `B`" })] }),
    ],
    [
      "other names",
      errorAt(1, "cannot find value `a` in this scope"),
      errorAt(2, "cannot find value `b` in this scope"),
    ],
    [
      "the same name in other modules",
      errorAt(1, "cannot find function `f` in module `a`"),
      errorAt(2, "cannot find function `f` in module `b`"),
    ],
    [
      "a macro and a function of one name",
      errorAt(1, "cannot find macro `f` in this scope"),
      errorAt(2, "cannot find function `f` in this scope"),
    ],
    [
      "one message with two codes",
      errorAt(1, "`A`", { code: "E0001" }),
      errorAt(2, "`A`", { code: "E0002" }),
    ],
  ])("%s", (_, a, b) => {
    expect(left([a, b])).toHaveLength(2);
  });
});

describe("errors that come from another one are left out and counted", () => {
  test("what the compiler says of a type that is unknown because of another error", () => {
    const cause = errorAt(1, "cannot find value `a` in this scope");
    const follow = errorAt(2, "no method named `b` found for reference `&{type error}` in the current scope");
    expect(foldDiagnostics([follow, cause])).toMatchObject({ errors: [{ diagnostic: cause }], followUps: 1 });
    expect(foldDiagnostics([follow])).toMatchObject({ errors: [{ diagnostic: follow }], followUps: 0 });
  });

  test("attributes of a derive that does not exist", () => {
    const { errors, followUps } = foldDiagnostics(recorded("derives"));
    expect(errors.map(({ diagnostic }) => diagnostic.message)).not.toContainEqual(
      expect.stringContaining("attribute"),
    );
    expect(followUps).toBe(2);
    const alone = recorded("derives").filter(({ message }) => message.includes("attribute"));
    expect(foldDiagnostics(alone)).toMatchObject({ followUps: 0 });
  });

  test("an operator between two types, where one of them is called wrong already", () => {
    const messages = recorded("follow-ups").map(({ message }) => message);
    expect(messages).toContainEqual("cannot divide `i32` by `usize`");
    const kept = foldDiagnostics(recorded("follow-ups")).errors.map(({ diagnostic }) => diagnostic.message);
    expect(kept).toContain("mismatched types");
    expect(kept).not.toContain("cannot divide `i32` by `usize`");
    expect(foldDiagnostics(recorded("follow-ups"))).toMatchObject({ followUps: 1 });
  });

  test("an operator alone, or on another line, is an error of its own", () => {
    const operator = errorAt(1, "cannot divide `i32` by `usize`", { code: "E0277" });
    const label = "expected `i32`, found `usize`";
    const mismatch = errorAt(2, "mismatched types", { code: "E0308", spans: [spanAt(2, { label })] });
    expect(foldDiagnostics([operator])).toMatchObject({ followUps: 0 });
    expect(foldDiagnostics([mismatch, operator])).toMatchObject({ followUps: 0 });
  });

  test("mistakes of syntax after a delimiter that is wrong, and others behind one in its line", () => {
    const delimiter = errorAt(9, "mismatched closing delimiter: `}`");
    const syntax = errorAt(12, "expected one of `!` or `::`, found `x`");
    const type = errorAt(14, "mismatched types", { code: "E0308" });
    expect(foldDiagnostics([delimiter, syntax, type])).toMatchObject({
      errors: [{ diagnostic: delimiter }, { diagnostic: type }],
      followUps: 1,
    });
    const sameLine = errorAt(12, "cannot find value `y` in this scope");
    const nextLine = errorAt(13, "cannot find value `z` in this scope");
    expect(foldDiagnostics([syntax, sameLine, nextLine])).toMatchObject({
      errors: [{ diagnostic: syntax }, { diagnostic: nextLine }],
      followUps: 1,
    });
  });

  test("and the text says how many there are, with those for which there is no room", () => {
    expect(formatForModel(rejected(recorded("derives")))).toMatch(
      /\n\nand 2 more errors, which only follow from the above$/,
    );
    const many = Array.from({ length: 40 }, (_, i) =>
      errorAt(i + 1, `cannot find value \`v${i}\` in this scope`),
    );
    const follow = errorAt(50, "cannot add `{type error}` to `i32`");
    const text = formatForModel(rejected([...many, follow]), { maxTokens: 200 });
    const shown = text.match(/^error: cannot find value/gm)?.length ?? 0;
    expect(shown).toBeGreaterThan(3);
    expect(text).toContain(`\nand ${41 - shown} more errors, of which 1 only follows from the above\n`);
  });
});
