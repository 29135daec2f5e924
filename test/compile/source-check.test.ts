import { describe, expect, it } from "vitest";
import { checkSource } from "../../src/compile/source-check.ts";

/** The refused word, or undefined where the source may be compiled. */
function refused(source: string): string | undefined {
  const refusal = checkSource(source, "2024");
  return refusal && source.slice(refusal.start, refusal.end);
}

describe("ordinary sources pass", () => {
  it.each([
    'use std::env; fn main() { println!("{:?}", env::args()); }',
    'fn main() { println!("{:?}", std::env::var("X")); }',
    "use std::{env, fs, io}; fn main() { let env = 1; if env != 2 {} }",
    "use std::env::{self, args}; fn main() { assert!(env::args().count() == 1); }",
    '// include_str!("x")\nfn main() { let s = "env!(HOME) include!()"; }',
    "fn main() { let include = vec![1]; if !include.is_empty() {} }",
    'use std::path::Path; fn main() { let path = Path::new("/data"); println!("{}", path.display()); }',
    "struct Node { link: Option<Box<Node>>, name: String } fn link(n: &Node) {}",
    '#[link(wasm_import_module = "env")] unsafe extern "C" { fn f(); } fn main() {}',
    "#[derive(Debug)] struct Path { path: String } fn main() {}",
    'macro_rules! square { ($x:expr) => { $x * $x }; } fn main() { let path = 1; println!("{} {}", square!(path), path); }',
    'macro_rules! m { () => {}; } fn link(name: &str) {} fn main() { m!(); link("x"); }',
    'macro_rules! m { () => {}; } mod inner { pub fn f() {} } unsafe extern "C" {} fn main() { m!(); inner::f(); }',
    "fn constructor(toString: u8) -> u8 { toString } fn main() { constructor(1); }",
    'fn main() { let s = "without end; }',
  ])("%s", (source) => {
    expect(checkSource(source, "2024")).toBeUndefined();
  });
});

describe("sources that can name a file, a variable or an argument of the linker are refused", () => {
  it.each([
    ['fn main() { include!("x"); }', "include"],
    ['fn main() { include_str!("x"); }', "include_str"],
    ["use std::include_bytes as b; fn main() {}", "include_bytes"],
    ['fn main() { std::r#include_str!("x"); }', "r#include_s"],
    ['fn main() { env!("HOME"); }', "env"],
    ['fn main() { core::env /* */ ! {"HOME"}; }', "env"],
    ['fn main() { option_env!("HOME"); }', "option_env"],
    ['use std::env as e; fn main() { e!("HOME"); }', "env"],
    ["use std::{io, env as e}; fn main() {}", "env"],
    ['macro_rules! m { ($n:ident) => { $n!("HOME") }; } fn main() { m!(env); }', "env"],
    ['macro_rules! m { ($n:ident::$m:ident) => { $n!("HOME") }; } fn main() { m!(env::args); }', "env"],
    ["macro_rules! m { () => { std::env::args() }; } fn main() { m!(); }", "env"],
    ['macro_rules! m { ($a:tt $b:tt $c:tt) => { $a $c $b }; } fn main() { m! { env ("HOME") ! } }', "env"],
    ['macro_rules! m { () => {}; } fn main() { m!(); println!("{:?}", std::env::args()); }', "env"],
    ['macro_rules! m { attr() (struct $n:ident;) => { $n!("HOME"); }; } #[m] struct env;', "env"],
    ['macro_rules! m { derive() (struct $n:ident;) => { $n!("HOME"); }; } #[derive(m)] struct env;', "env"],
    ['macro m($n:ident) { $n!("x") } m!(include);', "include"],
    [`macro_rules! m { ($a:ident) => { $\{concat(incl, $a)}!("x"); }; } m!(ude_str);`, "$"],
    ['#[path = "/etc/passwd"] mod x;', "path"],
    ['#[doc((path = "x"', "path"],
    ['#![cfg_attr(all(), path = "/etc/passwd")]', "path"],
    ['#[cfg_attr(any(unix, not(unix)), path = "x")] mod y;', "path"],
    ['macro_rules! m { ($p:ident) => { #[$p = "x"] mod y; }; } m!(path);', "path"],
    ['#[link(name = ":../x")] extern "C" {}', "link"],
    ['#[cfg_attr(all(), link(kind = "static", name = "x"))] extern "C" {}', "link"],
    ['macro_rules! m { ($l:ident) => { #[$l(name = "x")] extern "C" {} }; } m!(link);', "link"],
    ['#[unsafe(export_name = "@x")] pub extern "C" fn f() {}', "export_name"],
    ['#![debugger_visualizer(gdb_script_file = "x")]', "debugger_visualizer"],
    ["core::arch::global_asm!(\".incbin 'x'\");", "global_asm"],
    ['fn main() { unsafe { core::arch::asm!("nop") } }', "asm"],
  ])("%s", (source, word) => {
    expect(refused(source)).toBe(word);
  });

  it("and so are those that have more than one reading", () => {
    expect(checkSource('fn main() { env\u{ff01}("HOME"); }', "2024")?.reason).toBe(
      "has the character U+FF01 outside of a literal or comment",
    );
  });

  it("with a word about what to write instead, where there is one", () => {
    expect(checkSource('fn main() { env!("HOME"); }', "2024")?.instead).toContain("std::env::var");
  });
});
