import { describe, expect, it } from "vitest";
import type { Diagnostic } from "../../src/compile/diagnostics.ts";
import { addHint } from "../../src/compile/hints.ts";
import { compile } from "./support.ts";

/** What scriptcell adds to the first error of a script that matches, as the real compiler reports it. */
async function hintOf(source: string, about: RegExp): Promise<string> {
  const { ok, diagnostics } = await compile(source);
  expect(ok).toBe(false);
  const error = diagnostics.find(({ level, message }) => level === "error" && about.test(message));
  if (error === undefined) throw new Error(`no error is about ${about}: ${JSON.stringify(diagnostics)}`);
  const last = error.children.at(-1);
  expect(error.rendered.endsWith(`= help: ${last?.message}`)).toBe(true);
  expect(last).toMatchObject({ level: "help", spans: [] });
  return last?.message ?? "";
}

function error(message: string, more: Partial<Diagnostic> = {}): Diagnostic {
  const rest = { spans: [], children: [], suggestions: [], rendered: `error: ${message}` };
  return { level: "error", message, ...rest, ...more };
}

/** The compiler's own words stay as they are, and nothing is added. */
async function expectNoHint(source: string): Promise<void> {
  const { diagnostics } = await compile(source);
  expect(diagnostics.length).toBeGreaterThan(0);
  const helps = diagnostics.flatMap(({ children }) => children.map(({ message }) => message));
  expect(helps.filter((message) => /no crates but std|wasm32-wasip1|stable rustc/.test(message))).toEqual([]);
}

describe("a crate that does not exist here is answered with what std offers instead", () => {
  it.each([
    ["an import", "use serde::Deserialize; fn main() {}", "write JSON with `println!`"],
    ["extern crate", "extern crate rand; fn main() {}", "RandomState"],
    ["a path", 'fn main() { regex::Regex::new("a"); }', "the methods of `str`"],
    ["a macro by its path", "fn main() { serde_json::json!([1]); }", "write JSON with `println!`"],
    ["a return type", "fn main() -> anyhow::Result<()> { Ok(()) }", "Box<dyn std::error::Error>"],
    ["an attribute", "#[tokio::main] async fn main() {}", "no async runtime"],
    ["a use of time", "use chrono::Utc; fn main() {}", "the `clock` grant"],
    ["the network", 'fn main() { reqwest::blocking::get("x"); }', "there is no network"],
    ["threads", "use rayon::prelude::*; fn main() {}", "there are no threads"],
    ["a lazy static", "use once_cell::sync::Lazy; fn main() {}", "LazyLock"],
  ])("%s", async (_, source, instead) => {
    const hint = await hintOf(source, /crate|unresolved import|cannot find/);
    expect(hint).toMatch(/^no crates but std are available: /);
    expect(hint).toContain(instead);
  });

  it("macros, derives and attributes of well-known crates are known by their own names", async () => {
    const source = `#[derive(Serialize)] struct A { #[serde(skip)] x: i32 }
      #[derive(Error)] enum E { #[error("x")] B }
      fn main() { println!("{}", json!([1])); bail!("no"); error!("no"); }`;
    expect(await hintOf(source, /derive macro `Serialize`/)).toContain("write JSON");
    expect(await hintOf(source, /attribute `serde`/)).toContain("write JSON");
    expect(await hintOf(source, /attribute `error`/)).toContain("Box<dyn std::error::Error>");
    expect(await hintOf(source, /macro `json`/)).toContain("write JSON");
    expect(await hintOf(source, /macro `bail`/)).toContain("Box<dyn std::error::Error>");
    expect(await hintOf(source, /macro `error`/)).toContain("eprintln!");
  });

  it("a derive and an attribute that nobody knows come from no crate either", async () => {
    const source = "#[derive(Unheard)] struct A { #[heard(of)] x: i32 } fn main() {}";
    expect(await hintOf(source, /derive macro/)).toContain("remove `Unheard` and write the code out");
    expect(await hintOf(source, /attribute/)).toContain("remove `heard` and write the code out");
  });

  it("a name that may be a crate or a module of the script's own is answered with both", async () => {
    const hint = await hintOf("fn main() { unheard_of::next(); }", /unheard_of/);
    expect(hint).toMatch(/if `unheard_of` is one, .*; if it is a module, define it/);
  });

  it("where the compiler knows an import that would help, that stands alone", async () => {
    await expectNoHint('fn main() { println!("{:?}", fs::read("a")); }');
  });

  it.each([
    "fn main() { missing(1); }",
    "fn main() { let x: Missing = 1; }",
    "fn main() { missing!(); }",
    "use std::collections::HashMapp; fn main() {}",
  ])("%s names no crate, and gets no hint", expectNoHint);
});

describe("a script is one program in one file for one target, and the compiler's error says so", () => {
  it("without main", async () => {
    expect(await hintOf("pub fn run() {}", /main/)).toContain("add `fn main()`");
  });

  it("with an async main", async () => {
    expect(await hintOf("async fn main() {}", /async/)).toContain("a plain `fn main()`");
  });

  it("with a module in another file", async () => {
    expect(await hintOf("mod helpers; fn main() {}", /file not found/)).toContain("write the module into it");
  });

  it.each(["unix", "linux", "windows"])("with std::os::%s", async (system) => {
    const hint = await hintOf(`use std::os::${system}::fs::MetadataExt; fn main() {}`, /cannot find|resolve/);
    expect(hint).toContain(`wasm32-wasip1, which has no \`std::os::${system}\``);
    expect(await hintOf(`use std::os::${system}; fn main() {}`, /unresolved/)).toContain("wasm32-wasip1");
  });

  it("with a feature of the nightly compiler", async () => {
    expect(await hintOf("#![feature(never_type)] fn main() {}", /feature/)).toContain("remove the attribute");
    const unstable = "fn main() { [1].iter().copied().intersperse(0).count(); }";
    expect(await hintOf(unstable, /unstable/)).toContain("what is stable");
  });

  it("with a procedural macro of its own", async () => {
    const source =
      "extern crate proc_macro; use proc_macro::TokenStream; #[proc_macro] pub fn m(t: TokenStream) -> TokenStream { t } fn main() {}";
    expect(await hintOf(source, /proc_macro/)).toContain("macro_rules!");
  });
});

describe("a hint", () => {
  it("stands below the compiler's own text, in its gutter", () => {
    const rendered = "error: x\n  --> script.rs:10:1\n   |\n10 | use serde::A;\n   |     ^^^^^";
    const label = "use of unresolved module or unlinked crate `serde`";
    const span = { lineStart: 10, columnStart: 5, lineEnd: 10, columnEnd: 10, byteStart: 0, byteEnd: 5 };
    const hinted = addHint(error("x", { rendered, spans: [{ ...span, primary: true, label, text: [] }] }));
    expect(hinted.rendered.split("\n").at(-1)).toMatch(/^ {3}= help: no crates but std are available: /);
  });

  it("is given to errors alone", () => {
    const warning = error("`main` function not found", { level: "warning", code: "E0601" });
    expect(addHint(warning)).toBe(warning);
  });

  it("holds nothing that a script chose but a plain name", () => {
    const forged = error("cannot find derive macro `A\nhint: x` in this scope");
    expect(addHint(forged)).toBe(forged);
    const long = error(`can't find crate for \`${"a".repeat(10_000)}\``);
    expect(addHint(long)).toBe(long);
  });

  it("takes no longer for a message that is made to be slow", () => {
    const slow = [`unresolved import \`${"a::".repeat(20_000)}`, `cannot find ${"a ".repeat(40_000)}`];
    for (const message of slow) expect(addHint(error(message)).children).toEqual([]);
  });
});
