import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { translateMessages } from "../../src/compile/collect-diagnostics.ts";
import type { Diagnostic, Suggestion } from "../../src/compile/diagnostics.ts";
import { type RustcMessage, readRustcOutput } from "../../src/compile/rustc-messages.ts";
import { translateMessage } from "../../src/compile/translate-message.ts";

const RECORDED = fileURLToPath(new URL("../../fixtures/diagnostics/", import.meta.url));

function sourceOf(name: string): string {
  return readFileSync(`${RECORDED}${name}.rs`, "utf8");
}

function messagesOf(name: string): RustcMessage[] {
  const recorded: unknown = JSON.parse(readFileSync(`${RECORDED}${name}.json`, "utf8"));
  if (!Array.isArray(recorded)) throw new Error(`${name}.json is not a list of messages`);
  const { messages, plain } = readRustcOutput(recorded.map((message) => JSON.stringify(message)).join("\n"));
  expect(plain).toBe("");
  return messages;
}

function diagnosticsOf(name: string): Diagnostic[] {
  return translateMessages(messagesOf(name), { script: `${name}.rs`, scrub: (text) => text });
}

/** The source after one suggestion. */
function apply(name: string, suggestion: Suggestion | undefined): string {
  let bytes = Buffer.from(sourceOf(name));
  const edits = [...(suggestion?.replacements ?? [])].sort((a, b) => b.byteStart - a.byteStart);
  for (const { byteStart, byteEnd, text } of edits) {
    bytes = Buffer.concat([bytes.subarray(0, byteStart), Buffer.from(text), bytes.subarray(byteEnd)]);
  }
  return bytes.toString();
}

function span(
  file: string,
  more: Partial<RustcMessage["spans"][number]> = {},
): RustcMessage["spans"][number] {
  const place = { byte_start: 0, byte_end: 1, line_start: 1, line_end: 1, column_start: 1, column_end: 2 };
  const rest = {
    is_primary: true,
    text: [],
    label: null,
    suggested_replacement: null,
    suggestion_applicability: null,
    expansion: null,
  };
  return { file_name: file, ...place, ...rest, ...more };
}

function message(more: Partial<RustcMessage>): RustcMessage {
  return {
    level: "error",
    message: "wrong",
    code: null,
    spans: [],
    children: [],
    rendered: "error: wrong\n",
    ...more,
  };
}

const presentation = { script: "script.rs", scrub: (text: string) => text };

describe("a diagnostic", () => {
  it("has rustc's level, code, message and text, and nothing else is said", () => {
    const [first, ...others] = diagnosticsOf("mismatched-types");
    expect(others).toEqual([]);
    expect(first).toMatchObject({ level: "error", code: "E0308", message: "mismatched types" });
    expect(first?.rendered).toMatch(/^error\[E0308\]: mismatched types\n --> mismatched-types\.rs:2:22\n/);
    expect(first?.rendered).toMatch(/found `&str`|expected due to this$/);
  });

  it("counts lines and columns from 1, columns in characters, and offsets in bytes", () => {
    const [primary, secondary] = diagnosticsOf("mismatched-types")[0]?.spans ?? [];
    expect(primary).toEqual({
      lineStart: 2,
      columnStart: 22,
      lineEnd: 2,
      columnEnd: 25,
      byteStart: 35,
      byteEnd: 38,
      primary: true,
      label: "expected `i32`, found `&str`",
      text: ['    let größe: i32 = "a";'],
    });
    expect(secondary).toMatchObject({ primary: false, label: "expected due to this" });
    expect(Buffer.from(sourceOf("mismatched-types")).subarray(35, 38).toString()).toBe('"a"');
  });

  it("is a warning with its lint's name where a lint speaks", () => {
    expect(diagnosticsOf("unused").map(({ level, code }) => [level, code])).toEqual([
      ["warning", "unused_imports"],
      ["warning", "unused_mut"],
      ["warning", "unused_variables"],
    ]);
  });

  it("carries notes and help as children", () => {
    expect(diagnosticsOf("own-macro")[0]?.children[0]).toEqual({
      level: "help",
      message: "the trait `Add<&str>` is not implemented for `{integer}`",
      spans: [],
    });
  });

  it("points into the script where the error lies in a macro of the standard library", () => {
    for (const { spans } of diagnosticsOf("macro-of-std")) {
      expect(spans.length).toBeGreaterThan(0);
      expect(spans.every(({ text }) => sourceOf("macro-of-std").includes(text[0] ?? "?"))).toBe(true);
    }
    const assertion = diagnosticsOf("macro-of-std").find((diagnostic) =>
      diagnostic.message.includes("compare"),
    );
    expect(assertion?.spans[0]?.text).toEqual(['    assert_eq!(1, "one");']);
  });

  it("points into the script's own macros", () => {
    expect(diagnosticsOf("own-macro")[0]?.spans[0]).toMatchObject({ lineStart: 3, columnStart: 25 });
  });

  it("has no span where the file is neither the script nor reached from it", () => {
    const foreign = span("/usr/src/rust/library/core/src/option.rs", {
      text: [{ text: "pub enum Option<T> {" }],
    });
    expect(translateMessage(message({ spans: [foreign] }), presentation).spans).toEqual([]);
  });

  it("finds its place in the script through any number of expansions", () => {
    let inner = span("script.rs", { line_start: 7, line_end: 7 });
    for (let depth = 0; depth < 20_000; depth++)
      inner = span("/library/core/src/m.rs", { expansion: { span: inner } });
    const spans = translateMessage(message({ spans: [{ ...inner, label: "here" }] }), presentation).spans;
    expect(spans).toMatchObject([{ lineStart: 7, label: "here", primary: true }]);
  });

  it("says nothing about files that rustc wrote for people at a terminal", () => {
    const children = [
      "the full name for the type has been written to '/scratch/script.long-type-1.txt'",
      "consider using `--verbose` to print the full type name to the console",
    ];
    const rendered = ["error: wrong", ...children.map((child) => `  = note: ${child}`), ""].join("\n");
    const translated = translateMessage(
      message({
        rendered,
        children: children.map((child) => ({ level: "note", message: child, spans: [] })),
      }),
      presentation,
    );
    expect(translated).toMatchObject({ children: [], rendered: "error: wrong" });
  });

  it("passes every text through the scrubber", () => {
    const path = "/home/somebody/toolchain";
    const translated = translateMessage(
      message({
        message: `in ${path}`,
        rendered: `error: in ${path}`,
        spans: [span("script.rs", { label: `at ${path}` })],
        children: [{ level: "note", message: `and ${path}`, spans: [span("script.rs", { label: path })] }],
      }),
      { script: "script.rs", scrub: (text) => text.replaceAll(path, "<toolchain>") },
    );
    expect(JSON.stringify(translated)).not.toContain("somebody");
    expect(translated.message).toBe("in <toolchain>");
  });

  it("is bounded, whatever the script made rustc say", () => {
    const long = "x".repeat(1_000_000);
    const wide = span("script.rs", {
      label: long,
      text: Array.from({ length: 1_000 }, () => ({ text: long })),
    });
    const spans = Array.from({ length: 1_000 }, () => wide);
    const children = Array.from({ length: 1_000 }, () => ({ level: "note", message: long, spans }));
    const translated = translateMessage(
      message({ message: long, rendered: long, spans, children }),
      presentation,
    );
    expect(JSON.stringify(translated).length).toBeLessThan(2_000_000);
    expect(translated.message).toMatch(/^x{2000}… \(998000 more characters\)$/);
  });

  it.each(["", "a"])("is never cut in the middle of a character (%j before)", (before) => {
    const { message: text } = translateMessage(
      message({ message: before + "😀".repeat(3_000) }),
      presentation,
    );
    expect(text).toContain("more characters");
    expect(() => encodeURIComponent(text)).not.toThrow();
  });
});

describe("rustc's closing words", () => {
  it("are left out", () => {
    for (const name of ["mismatched-types", "unused", "missing-import", "syntax", "no-main"]) {
      const texts = diagnosticsOf(name).map((diagnostic) => diagnostic.message);
      expect(texts.join("\n")).not.toMatch(/aborting|emitted|For more information|detailed explanations/);
      expect(texts.length).toBeGreaterThan(0);
    }
  });

  it("are told from what a script says with the same words", () => {
    const own = message({ message: "aborting due to a whim", spans: [span("script.rs")] });
    expect(translateMessages([own], presentation)).toHaveLength(1);
  });
});

describe("a suggestion", () => {
  it("can be applied by byte offsets", () => {
    const [moved] = diagnosticsOf("moved-value");
    expect(moved?.suggestions).toHaveLength(1);
    expect(moved?.suggestions[0]).toMatchObject({ applicability: "machine-applicable" });
    expect(apply("moved-value", moved?.suggestions[0])).toContain("let first = words.clone();");
  });

  it("has all of its parts, in whatever order rustc lists them", () => {
    const [longest] = diagnosticsOf("several-parts");
    expect(longest?.suggestions).toHaveLength(1);
    expect(apply("several-parts", longest?.suggestions[0])).toContain(
      "fn longest<'a>(a: &'a str, b: &'a str) -> &'a str {",
    );
  });

  it("stands by itself where rustc offers alternatives", () => {
    const error = diagnosticsOf("missing-import").find(({ message: text }) => text.includes("`Error`"));
    expect(error?.suggestions.map(({ replacements }) => replacements.map(({ text }) => text.trim()))).toEqual(
      [
        ["use std::error::Error;"],
        ["use std::fmt::Error;"],
        ["use std::io::Error;"],
        ["use core::error::Error;"],
        ["use core::fmt::Error;"],
      ],
    );
  });

  it("is left out where it edits something other than the script, or would have to be cut", () => {
    const edit = { suggested_replacement: "x", suggestion_applicability: "MachineApplicable" };
    const elsewhere = span("/library/core/src/m.rs", edit);
    const here = span("script.rs", edit);
    const long = span("script.rs", { ...edit, suggested_replacement: "x".repeat(100_000) });
    const suggestions = (spans: RustcMessage["spans"]) =>
      translateMessage(message({ children: [{ level: "help", message: "try", spans }] }), presentation)
        .suggestions;
    expect(suggestions([elsewhere, here])).toEqual([]);
    expect(suggestions([long])).toEqual([]);
    expect(suggestions([here])).toHaveLength(1);
  });
});

describe("a linker that failed", () => {
  it("is quoted with what it says about the script, never with its command line", () => {
    const [failure, ...others] = diagnosticsOf("does-not-link");
    expect(others).toEqual([]);
    expect(failure).toMatchObject({ level: "error", code: "scriptcell::link-failed" });
    expect(failure?.message).toContain("undefined symbol: nowhere_to_be_found");
    expect(JSON.stringify(failure)).not.toMatch(/\/opt\/rust|lld|\.rlib|\.rcgu\.o/);
  });
});

describe("rustc's output", () => {
  it("is taken apart line by line: JSON that is a message, and plain text", () => {
    const { messages, plain } = readRustcOutput(
      [
        '{"message":1}',
        "thread 'rustc' has overflowed its stack",
        JSON.stringify(message({})),
        '{"cut',
        "",
      ].join("\n"),
    );
    expect(messages.map(({ message: text }) => text)).toEqual(["wrong"]);
    expect(plain).toBe('{"message":1}\nthread \'rustc\' has overflowed its stack\n{"cut');
  });
});
