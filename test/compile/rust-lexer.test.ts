import { describe, expect, it } from "vitest";
import { lexRust } from "../../src/compile/rust-lexer.ts";
import type { Edition } from "../../src/compile/rustc-flags.ts";

/** Tokens in short: names and punctuation as they are, `"` for a literal, `'` for a lifetime, `…` unterminated, `?` malformed. */
function lex(source: string, edition: Edition = "2024"): string {
  const short = { literal: '"', lifetime: "'", unterminated: "…", malformed: "?" } as const;
  return lexRust(source, edition)
    .map((token) =>
      token.kind === "identifier" || token.kind === "punctuation" ? token.text : short[token.kind],
    )
    .join(" ");
}

describe("comments", () => {
  it.each([
    ["a // env!(b)\nc", "a c"],
    ["a /* env!(b) */ c", "a c"],
    ["a /* /* b */ c */ d", "a d"],
    ["a /* // */ b", "a b"],
    ['a // "\nb "c"', 'a b "'],
    ["a // b\rc\nd", "a d"],
    ["a / b", "a / b"],
    ["a /*", "a …"],
    ["a /* /* */ b", "a …"],
  ])("are no tokens: %j", (source, tokens) => {
    expect(lex(source)).toBe(tokens);
  });
});

describe("strings", () => {
  it.each([
    ['"a" b', '" b'],
    ['"\\"" b', '" b'],
    ['"\\\\" b', '" b'],
    ['"// /*" b', '" b'],
    ['"a\nb" c', '" c'],
    ['b"a" c"b" d', '" " d'],
    ['r"\\" a', '" a'],
    ['r#"a" b"# c', '" c'],
    ['r##"a"# b"## c', '" c'],
    ['br"\\" a', '" a'],
    ['br#"""# a', '" a'],
    ['"a', "…"],
    ['"a\\"', "…"],
    ['r#"a"', "…"],
    ["r#1", "?"],
    ["br#a", "?"],
  ])("end where they end: %j", (source, tokens) => {
    expect(lex(source)).toBe(tokens);
  });

  it("take the name behind them as their suffix, not as the prefix of the next string", () => {
    expect(lex('"a"r"\\" b"')).toBe('" "');
    expect(lex('"a"r"\\" b" c')).toBe('" " c');
    expect(lex('1r"\\" b" c')).toBe('" " c');
  });

  it("have no prefix beyond r, b, br, c and cr", () => {
    expect(lex('rb"\\" a" b')).toBe('rb " b');
    expect(lex('xr"\\" a" b')).toBe('xr " b');
  });

  it("can be raw C strings only from the edition of 2021 on", () => {
    expect(lex('cr"\\" env"', "2021")).toBe('" env …');
    expect(lex('cr"\\" env"', "2018")).toBe('cr "');
  });
});

describe("characters and lifetimes", () => {
  it.each([
    ["'a' b", '" b'],
    ["'\"' b", '" b'],
    ["'\\'' b", '" b'],
    ["'\\\\' b", '" b'],
    ["'\\u{1F600}' b", '" b'],
    ["'\u{1f600}' b", '" b'],
    ["b'\"' b", '" b'],
    ["'a b", "' b"],
    ["&'a str", "& ' str"],
    ["'_' '_ a", "\" ' a"],
    ["'static>", "' >"],
    ["'r#env", "' # env"],
    ["'abc' d", '" d'],
    ["'abc'r\"\"", "?"],
    ["'''", "?"],
    ["'' a", "?"],
    ["'1 a", "?"],
    ["'/*'", "?"],
    ["'\n'", "?"],
  ])("are told apart: %j", (source, tokens) => {
    expect(lex(source)).toBe(tokens);
  });
});

describe("numbers", () => {
  it.each([
    ["1.max(2)", '" . max ( " )'],
    ["1..2", '" . . "'],
    ["1.5e-3_0f64+a", '" + a'],
    ["0x_1fu8 a", '" a'],
    ["0b1e5 a", '" a'],
    ["1. a", '" a'],
    ["1env!()", '" ! ( )'],
    ["t.0.1 a", 't . " a'],
    ['1e+r"\\"', "?"],
    ['0b1e+r"\\"', "?"],
    ["1.5e_a", "?"],
  ])("end where they end: %j", (source, tokens) => {
    expect(lex(source)).toBe(tokens);
  });
});

describe("names", () => {
  it("lose their raw prefix", () => {
    expect(lex("r#env!(r#include)")).toBe("env ! ( include )");
  });

  it("keep apart from `!=`, which is one token", () => {
    expect(lex("env!=a")).toBe("env != a");
    expect(lex("env! =a")).toBe("env ! = a");
  });
});

describe("what rustc would skip and read on", () => {
  it.each([
    "env\0!()",
    "env\u{ff01}()",
    "env\u{200d}!()",
    "\u{201c}a\u{201d}",
    "caf\u{e9}",
    "a\u{a0}b",
    "a \\ b",
    "a ` b",
    "\ud800",
    "\ufeff\ufeff",
    '---\n"\n---\n',
    "\n---\n",
    "#! /bin/sh",
    '#!// "\n',
  ])("is malformed: %j", (source) => {
    expect(lexRust(source, "2024").at(-1)?.kind).toBe("malformed");
  });
});

describe("the first line", () => {
  it("may be a shebang", () => {
    expect(lex('#!/usr/bin/env "\na')).toBe("a");
    expect(lex("\ufeff#!/bin/sh\r\na")).toBe("a");
  });

  it("may be an attribute", () => {
    expect(lex("#![allow(a)]")).toBe("# ! [ allow ( a ) ]");
    expect(lex("#! [a]")).toBe("# ! [ a ]");
  });
});

it("reads a source of a megabyte of any one character to an end", () => {
  for (const character of ['"', "'", "r#", "/*", "(", "a", "1", "#", "\\", 'r"', "'a"]) {
    expect(() => lexRust(character.repeat(1024 * 1024), "2024")).not.toThrow();
  }
});
