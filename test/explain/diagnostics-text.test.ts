import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { formatForModel } from "../../src/explain/format-for-model.ts";
import { compiled, recorded, rejected, spanAt } from "./support.ts";

const SCRIPTS = readdirSync(new URL("../../fixtures/diagnostics/", import.meta.url))
  .filter((file) => file.endsWith(".json"))
  .map((file) => file.replace(/\.json$/, ""));

test.each(SCRIPTS)(
  "what the compiler says about %s reads as it did when it was last looked at",
  async (name) => {
    const diagnostics = recorded(name);
    const ok = diagnostics.every(({ level }) => level !== "error");
    const text = formatForModel(ok ? compiled(diagnostics) : rejected(diagnostics));
    await expect(`${text}\n`).toMatchFileSnapshot(`snapshots/${name}.txt`);
  },
);

test("the example in the README is the beginning of one of these", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const [, example = ""] = /```text\n(The script [\s\S]*?)```/.exec(readme) ?? [];
  expect(example).toMatch(/^The script does not compile/);
  expect(formatForModel(rejected(recorded("alike")))).toContain(example.trimEnd());
});

describe("an error", () => {
  const text = formatForModel(rejected(recorded("mismatched-types")));

  test("has its code, its message, its place, its line, and what is marked in it", () => {
    expect(text).toMatchInlineSnapshot(`
      "The script does not compile: 1 error to correct.

      error[E0308]: mismatched types
        at 2:22
        2 |     let größe: i32 = "a";
          |                      ^^^ expected \`i32\`, found \`&str\`
          |                --- expected due to this"
    `);
  });

  test("has what the compiler proposes as the line that it should become, and says where it is sure", () => {
    expect(formatForModel(rejected(recorded("moved-value")))).toContain(
      [
        "  fix (sure): consider cloning the value if the performance cost is acceptable",
        "  replace line 3 with",
        "  +     let first = words.clone();",
      ].join("\n"),
    );
  });

  test("names lines to put in by the line that they go before, shown or not", () => {
    expect(formatForModel(rejected(recorded("missing-import")))).toContain(
      ["  before line 1 insert", "  + use std::collections::HashMap;"].join("\n"),
    );
    expect(formatForModel(rejected(recorded("alike")))).toContain(
      ["  before line 2 insert", "  + #[derive(Debug)]"].join("\n"),
    );
  });

  test("names the lines that go, and not the one that follows them", () => {
    const [unused] = recorded("unused");
    expect(formatForModel(compiled(unused === undefined ? [] : [unused]))).toMatch(/\n {2}remove line 1$/);
  });

  test("has all parts of a fix in one line, and the alternatives with the sure one first", () => {
    expect(formatForModel(rejected(recorded("several-parts")))).toContain(
      "  + fn longest<'a>(a: &'a str, b: &'a str) -> &'a str {",
    );
    const alternatives = formatForModel(rejected(recorded("syntax-errors")));
    expect(alternatives.indexOf("fix (sure): if this is a type")).toBeGreaterThan(0);
    expect(alternatives.indexOf("fix (to be filled in): if this is a parameter")).toBeGreaterThan(
      alternatives.indexOf("fix (sure): if this is a type"),
    );
  });

  test("has the notes that help, and none that only say where it comes from", () => {
    const notes = formatForModel(rejected(recorded("notes")));
    expect(notes).toContain("  help: the trait `Add<{integer}>` is not implemented for `f64`");
    expect(notes).not.toMatch(/originates in|implement trait `Add|aborting due to|--explain/);
  });

  test("about a crate does not send anyone to a Cargo.toml or to a second file", () => {
    const crates = formatForModel(rejected(recorded("crates")));
    expect(crates).toContain("no crates but std are available");
    expect(crates).not.toContain("missing a crate named");
    expect(formatForModel(rejected(recorded("other-files")))).not.toContain("helpers.rs");
  });

  test("of which the compiler tells the same help as of one before says it once", () => {
    const crates = formatForModel(rejected(recorded("crates")));
    expect(crates.split("write JSON with `println!`")).toHaveLength(2);
  });
});

describe("warnings", () => {
  test("of a script that compiles are told in full", () => {
    const text = formatForModel(compiled(recorded("warnings")));
    expect(text).toMatch(/^The script compiles, with warnings:\n\nwarning\[unused_mut\]/);
    expect(text).toContain("  +     let fixed = 2;");
  });

  test("about what is unused are left out beside errors, which bring them about; others are told in brief", () => {
    const warnings = recorded("warnings");
    const odd = {
      ...(warnings[0] ?? never()),
      code: "non_snake_case",
      message: "variable `X` should be snake case",
    };
    const text = formatForModel(rejected([...warnings, odd, ...recorded("mismatched-types")]));
    expect(text).not.toContain("unused");
    expect(text).not.toContain("dead_code");
    expect(text.indexOf("warning[non_snake_case]")).toBeGreaterThan(text.indexOf("error[E0308]"));
    expect(text).toMatch(/warning\[non_snake_case\]: .*\n {2}at 7:9$/);
  });

  test("that are not there are not spoken of", () => {
    expect(formatForModel(compiled([]))).toBe("The script compiles.");
  });
});

describe("source lines", () => {
  const show = (span: Partial<ReturnType<typeof spanAt>>): string =>
    formatForModel(
      rejected([
        {
          level: "error",
          message: "m",
          spans: [spanAt(3, span)],
          children: [],
          suggestions: [],
          rendered: "",
        },
      ]),
    );

  test("that are long are shown around what is marked, with the mark below it", () => {
    const line = `${"a".repeat(300)}BAD${"b".repeat(90)}`;
    const [source = "", mark = ""] = show({ text: [line], columnStart: 301, columnEnd: 304 })
      .split("\n")
      .slice(-2);
    expect(source.length).toBeLessThan(140);
    expect(source.slice(mark.indexOf("^"), mark.lastIndexOf("^") + 1)).toBe("BAD");
  });

  test("with tabs, wide and unseen characters have the mark below what it marks", () => {
    const line = "\tlet größe\u0000 = BAD;";
    const [source = "", mark = ""] = show({ text: [line], columnStart: 15, columnEnd: 18 })
      .split("\n")
      .slice(-2);
    expect(source.slice(mark.indexOf("^"), mark.lastIndexOf("^") + 1)).toBe("BAD");
  });

  test("of a span over several lines are its first", () => {
    const text = show({ text: ["fn f() {", "}"], lineEnd: 4, columnStart: 1, columnEnd: 2 });
    expect(text.split("\n").slice(-2)).toEqual(["  3 | fn f() {", "    | ^^^^^^^^"]);
  });

  test("that are not known are left out", () => {
    expect(show({ text: [] })).toBe("The script does not compile: 1 error to correct.\n\nerror: m\n  at 3:1");
  });
});

function never(): never {
  throw new Error("the fixture has no warnings");
}
