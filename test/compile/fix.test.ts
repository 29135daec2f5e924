import { applyPatch, parsePatch } from "diff";
import { describe, expect, it } from "vitest";
import { type Diagnostic, ownDiagnostic, type Suggestion } from "../../src/compile/diagnostics.ts";
import { compileWithFixes } from "../../src/compile/fix.ts";
import { unifiedDiff } from "../../src/compile/fix-diff.ts";
import { applySuggestions } from "../../src/compile/suggestions.ts";
import { openExecutor } from "../support/executors.ts";
import { neverSeen } from "../support/scripts.ts";
import { compile } from "./support.ts";

/** rustc is sure how to correct it. */
const ONE_ROUND = 'fn main() {\n    let x = 1;\n    x += 1;\n    println!("{x}");\n}\n';
/** And this; but of bindings rustc speaks only once all types are right. */
const TWO_ROUNDS = `fn double(number: &i32) -> i32 {
    number * 2
}

fn main() {
    let x = 1;
    x += 1;
    println!("{}", double(x));
}
`;
const AFTER_ONE = TWO_ROUNDS.replace("double(x)", "double(&x)");
/** The first can be corrected, the second cannot. */
const HALF = TWO_ROUNDS.replace("x += 1", 'let y: u32 = "1"');
/** Nothing can be done about it. */
const HOPELESS = "fn main() { undefined_name(); }";

describe("rounds of corrections", () => {
  /** A compiler that takes what does not contain an a, and suggests to write b for the first. */
  const withoutA = async (source: string) => {
    const at = source.indexOf("a");
    return { ok: at < 0, diagnostics: at < 0 ? [] : [error({ byteStart: at, byteEnd: at + 1, text: "b" })] };
  };

  it("go on until the script compiles", async () => {
    const { result, fix } = await compileWithFixes("aaa\n", withoutA);
    expect(result.ok).toBe(true);
    expect(fix).toMatchObject({ source: "bbb\n", rounds: 3, applied: [{}, {}, {}] });
  });

  it("are five at most, and what the last one left is what the diagnostics speak of", async () => {
    let compiles = 0;
    const { result, fix } = await compileWithFixes("aaaaaaa\n", (source) => {
      compiles += 1;
      return withoutA(source);
    });
    expect({ compiles, ok: result.ok }).toEqual({ compiles: 6, ok: false });
    expect(fix).toMatchObject({ source: "bbbbbaa\n", rounds: 5 });
    expect(fix?.applied).toHaveLength(5);
    expect(result.diagnostics[0]?.suggestions[0]?.replacements[0]).toMatchObject({ byteStart: 5 });
  });

  it("end where they lead in a circle", async () => {
    const circle: Record<string, string> = { a: "b", b: "c", c: "a" };
    const tried: string[] = [];
    const { fix } = await compileWithFixes("a", async (source) => {
      tried.push(source);
      return { ok: false, diagnostics: [error({ byteStart: 0, byteEnd: 1, text: circle[source] ?? "" })] };
    });
    expect(tried).toEqual(["a", "b", "c"]);
    expect(fix).toMatchObject({ source: "c", rounds: 2 });
  });

  it.each([
    ["the script compiles", true, [error({ byteStart: 0, byteEnd: 1, text: "b" })]],
    ["nothing is suggested", false, [error()]],
    [
      "only a warning suggests something",
      false,
      [error(), { ...error({ byteStart: 0, byteEnd: 1, text: "b" }), level: "warning" as const }],
    ],
    [
      "rustc is not sure",
      false,
      [
        {
          ...error(),
          suggestions: [suggestion([{ byteStart: 0, byteEnd: 1, text: "b" }], "maybe-incorrect")],
        },
      ],
    ],
  ])("are none where %s", async (_, ok, diagnostics) => {
    const tried: string[] = [];
    const { result, fix } = await compileWithFixes("a", async (source) => {
      tried.push(source);
      return { ok, diagnostics };
    });
    expect(tried).toEqual(["a"]);
    expect(result.diagnostics).toBe(diagnostics);
    expect(fix).toBeNull();
  });

  it("end with what the compiler throws", async () => {
    const reason = new Error("aborted");
    await expect(
      compileWithFixes("aa", (source) => (source === "aa" ? withoutA(source) : Promise.reject(reason))),
    ).rejects.toBe(reason);
  });
});

describe("the diff", () => {
  it("is unified, with three lines of context", async () => {
    const before = Array.from({ length: 20 }, (_, i) => `line ${i + 1}\n`).join("");
    expect(await unifiedDiff(before, before.replace("line 10\n", "ten\n"))).toBe(
      [
        "--- script.rs",
        "+++ script.rs",
        "@@ -7,7 +7,7 @@",
        " line 7",
        " line 8",
        " line 9",
        "-line 10",
        "+ten",
        " line 11",
        " line 12",
        " line 13",
        "",
      ].join("\n"),
    );
  });

  it.each<[string, string, string]>([
    ["at the beginning", "a\nb\nc\n", "x\nb\nc\n"],
    ["at the end", "a\nb\nc\n", "a\nb\nx\n"],
    ["without a last line end", "a\nb", "a\nx"],
    ["that adds the last line end", "a\nb", "a\nb\n"],
    ["that removes it", "a\nb\n", "a\nb"],
    ["of line ends", "a\r\nb\r\n", "a\r\nb\n"],
    ["from nothing", "", "a\n"],
    ["to nothing", "a\n", ""],
    [
      "of lines that a diff could be taken for",
      "--- a\n+++ b\n@@ -1,1 +1,1 @@\n",
      "--- a\n+++ c\n@@ -1,1 +1,1 @@\n",
    ],
    ["beyond ASCII", "é\n😀\n", "é\n😀!\n"],
  ])(
    "makes one text of the other, whether it is the shortest or in one piece: a change %s",
    async (_, before, after) => {
      expect(applyPatch(before, await unifiedDiff(before, after))).toBe(after);
      // Longer than what the shortest diff is looked for in.
      const many = "same\n".repeat(60_000);
      const diff = await unifiedDiff(many + before, many + after);
      expect(applyPatch(many + before, diff)).toBe(many + after);
      expect(diff.split("\n").length).toBeLessThan(20);
    },
  );

  it("is right where very many lines differ: then all between the first and the last is one piece", async () => {
    const before = "same\nold\n".repeat(2_000);
    const after = "same\nnew\n".repeat(2_000);
    const diff = await unifiedDiff(before, after);
    expect(parsePatch(diff)[0]?.hunks).toHaveLength(1);
    expect(applyPatch(before, diff)).toBe(after);
    expect(
      parsePatch(
        await unifiedDiff(before, before.replaceAll(/(?:same\nold\n){99}same\n(?=old)/g, "$&new\n")),
      )[0]?.hunks.length,
    ).toBeGreaterThan(5);
  });
});

/** The same diagnostic from a rustc that is sure of everything. */
function certain(diagnostic: Diagnostic): Diagnostic {
  const suggestions = diagnostic.suggestions.map((each) => ({
    ...each,
    applicability: "machine-applicable" as const,
  }));
  return { ...diagnostic, suggestions };
}

describe("compile with fix", () => {
  it("corrects what rustc is sure of and says what it changed", async () => {
    const executor = openExecutor();
    const source = neverSeen(ONE_ROUND);
    const result = await executor.compile(source, { fix: true });
    const fixed = source.replace("let x", "let mut x");
    expect(result).toMatchObject({
      ok: true,
      diagnostics: [],
      fix: { source: fixed, rounds: 1, applied: [{ code: "E0384", line: 2, message: expect.any(String) }] },
    });
    expect(result.fix?.diff).toContain("\n-    let x = 1;\n+    let mut x = 1;\n");
    expect(applyPatch(source, result.fix?.diff ?? "")).toBe(fixed);
  });

  it.each(["required", "off"] as const)(
    "corrects syntax as well as what comes after it: jail %s",
    async (jail) => {
      const source = neverSeen('fn main() {\n    let x = 1\n    x++;\n    println!("{x}")\n}\n');
      const result = await openExecutor({ jail }).run(source, { fix: true });
      expect(result).toMatchObject({ status: "ok", stdout: "2\n" });
      expect(result.fix?.source).toBe(source.replace("let x = 1", "let mut x = 1;").replace("x++", "x += 1"));
    },
  );

  it("stores the module under the key of the corrected source, like any other", async () => {
    const executor = openExecutor();
    const source = neverSeen(ONE_ROUND);
    const fixed = await executor.compile(source, { fix: true });
    if (!fixed.ok || fixed.fix === null) throw new Error("it was to be fixed");
    expect(fixed.from).toBe("rustc");
    const direct = await executor.compile(fixed.fix.source);
    expect(direct).toMatchObject({ ok: true, from: "memory", fix: null });
    expect(direct.ok && direct.module).toBe(fixed.module);
    expect(await executor.execute(fixed.module.hash)).toMatchObject({
      status: "ok",
      stdout: "2\n",
      fix: null,
    });
    expect(await executor.compile(source)).toMatchObject({ ok: false, fix: null });
    expect(await executor.compile(source, { fix: true })).toMatchObject({ ok: true, from: "memory" });
  });

  it("changes nothing without being asked, nor in a script that compiles", async () => {
    const executor = openExecutor();
    expect(await executor.compile(ONE_ROUND)).toMatchObject({ ok: false, fix: null });
    expect(await executor.compile(ONE_ROUND, { fix: false })).toMatchObject({ ok: false, fix: null });
    const warns = 'fn main() { let mut x = 1; println!("{x}"); }';
    for (const from of ["first", "from the store"]) {
      const result = await executor.compile(warns, { fix: true });
      expect(result, from).toMatchObject({ ok: true, fix: null, diagnostics: [{ code: "unused_mut" }] });
    }
  });

  it("goes on with the errors that only show once others are gone", async () => {
    const result = await openExecutor().compile(TWO_ROUNDS, { fix: true });
    expect(result.ok).toBe(true);
    expect(result.fix).toMatchObject({
      source: AFTER_ONE.replace("let x", "let mut x"),
      rounds: 2,
      applied: [
        { code: "E0308", line: 8 },
        { code: "E0384", line: 6 },
      ],
    });
  });

  it("gives back what it came to where that still does not compile, and diagnostics that fit it", async () => {
    const executor = openExecutor();
    const result = await executor.compile(HALF, { fix: true });
    expect(result).toMatchObject({
      ok: false,
      fix: { source: HALF.replace("double(x)", "double(&x)"), rounds: 1 },
      diagnostics: [{ code: "E0308", spans: [{ lineStart: 7 }, {}] }],
    });
    const { diagnostics } = await executor.compile(result.fix?.source ?? "");
    expect(diagnostics).toEqual(result.diagnostics);
  });

  it("is null where nothing can be done", async () => {
    const result = await openExecutor().compile(HOPELESS, { fix: true });
    expect(result).toMatchObject({ ok: false, fix: null, diagnostics: [{ code: "E0425" }] });
  });

  it("holds the corrected source to the limit of sources", async () => {
    const source = neverSeen(ONE_ROUND);
    const within = (sourceBytes: number) =>
      openExecutor({ compileLimits: { sourceBytes } }).compile(source, { fix: true });
    const needed = Buffer.byteLength(source) + "mut ".length;
    expect(await within(needed - 1)).toMatchObject({
      ok: false,
      diagnostics: [{ code: "scriptcell::source-too-large" }],
      fix: { rounds: 1 },
    });
    expect(await within(needed)).toMatchObject({ ok: true });
  });

  it("holds every round to the time that a compile has", async () => {
    const executor = openExecutor({ compileLimits: { wallTimeMs: 1 } });
    expect(await executor.compile(ONE_ROUND, { fix: true })).toMatchObject({
      ok: false,
      diagnostics: [{ code: "scriptcell::compile-timeout" }],
      fix: null,
    });
  });

  it("asks again, without a jail, whether the corrected source may be given to the compiler", async () => {
    // rustc suggests the macro whose name is nearest, and is not sure; here that is taken for granted.
    const source = 'fn main() { println!("{:?}", option_en!("HOME")); }';
    const { diagnostics } = await openExecutor({ jail: "off" }).compile(source);
    const nearest = applySuggestions(source, diagnostics, { applicability: "maybe-incorrect" }).source;
    expect(nearest).toContain("option_env!");
    const tried: string[] = [];
    const { result } = await compileWithFixes(source, async (text) => {
      tried.push(text);
      const step = await compile(text, { bubblewrap: null });
      return { ...step, diagnostics: step.diagnostics.map(certain) };
    });
    expect(tried).toEqual([source, nearest]);
    expect(result.diagnostics).toMatchObject([{ code: "scriptcell::source-refused" }]);
  });

  it.each(["an abort", "closing the executor"])("ends with %s", async (end) => {
    const executor = openExecutor();
    const abort = new AbortController();
    const compiling = executor.compile(neverSeen(ONE_ROUND), { fix: true, signal: abort.signal });
    if (end === "an abort") abort.abort(new Error("enough"));
    else
      await Promise.all([
        executor.close(),
        expect(compiling).rejects.toMatchObject({ code: "EXECUTOR_CLOSED" }),
      ]);
    await expect(compiling).rejects.toThrow();
  });

  it("is refused where it is no boolean", async () => {
    // @ts-expect-error: the types say so too
    await expect(openExecutor().compile("", { fix: "yes" })).rejects.toMatchObject({
      code: "INVALID_OPTIONS",
    });
  });
});

describe("run with fix", () => {
  it("runs the corrected script and says what was changed", async () => {
    const result = await openExecutor().run(ONE_ROUND, { fix: true });
    expect(result).toMatchObject({
      status: "ok",
      stdout: "2\n",
      fix: { rounds: 1, source: ONE_ROUND.replace("let x", "let mut x") },
    });
  });

  it("rejects what could not be corrected, with what was changed and the diagnostics of that", async () => {
    const executor = openExecutor();
    expect(await executor.run(HOPELESS, { fix: true })).toMatchObject({ status: "rejected", fix: null });
    expect(await executor.run(HALF, { fix: true })).toMatchObject({
      status: "rejected",
      fix: { rounds: 1 },
      diagnostics: [{ code: "E0308" }],
    });
  });

  it("says null without being asked, for scripts that compile, and where it was cancelled", async () => {
    const executor = openExecutor();
    expect(await executor.run(ONE_ROUND)).toMatchObject({ status: "rejected", fix: null });
    const fixed = ONE_ROUND.replace("let x", "let mut x");
    for (const _ of ["compiled", "in memory"]) {
      expect(await executor.run(fixed, { fix: true })).toMatchObject({ status: "ok", fix: null });
    }
    expect(
      await executor.run(neverSeen(ONE_ROUND), { fix: true, signal: AbortSignal.abort() }),
    ).toMatchObject({ status: "cancelled", fix: null });
  });
});

function suggestion(
  replacements: Suggestion["replacements"],
  applicability: Suggestion["applicability"],
): Suggestion {
  return { message: "try", applicability, replacements };
}

/** An error that rustc is sure how to correct. */
function error(...replacements: Suggestion["replacements"]): Diagnostic {
  const bare = ownDiagnostic("source-refused", "wrong");
  return {
    ...bare,
    suggestions: replacements.length === 0 ? [] : [suggestion(replacements, "machine-applicable")],
  };
}
