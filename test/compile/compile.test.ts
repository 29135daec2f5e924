import { readdir } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { rustcFlags } from "../../src/compile/compile.ts";
import { KiB, MiB } from "../../src/limits.ts";
import {
  CONFINEMENTS,
  compile,
  errorCodes,
  everythingIn,
  processesIn,
  toolchain,
  usePrivateTemporaryDirectory,
} from "./support.ts";

const HELLO = 'fn main() { println!("hello {}", std::env::args().count()); }';
/** Does not end by itself, and not for lack of memory. */
const ENDLESS =
  '#![allow(long_running_const_eval)] const fn f() -> u64 { let mut i = 0u64; while i < u64::MAX { i += 1; } i } const X: u64 = f(); fn main() { println!("{X}"); }';

const work = usePrivateTemporaryDirectory();

async function expectNothingLeft(): Promise<void> {
  expect(await readdir(work.path)).toEqual([]);
  expect(await processesIn(work.path)).toEqual([]);
}

describe.each(CONFINEMENTS)("$confinement", ({ bubblewrap }) => {
  describe("a script that compiles", () => {
    it("becomes a module that WebAssembly accepts, with the names of its functions", async () => {
      const step = await compile(HELLO, { bubblewrap });
      if (!step.ok) throw new Error(JSON.stringify(step.diagnostics));
      const module = new WebAssembly.Module(Uint8Array.from(step.bytes));
      expect(WebAssembly.Module.exports(module).map(({ name }) => name)).toEqual(
        expect.arrayContaining(["memory", "_start"]),
      );
      expect(WebAssembly.Module.customSections(module, "name")).toHaveLength(1);
      expect(WebAssembly.Module.customSections(module, ".debug_info")).toHaveLength(0);
      expect(step.diagnostics).toEqual([]);
      await expectNothingLeft();
    });

    it("keeps its warnings", async () => {
      const step = await compile("fn main() { let x = 1; }", { bubblewrap });
      expect(step.ok).toBe(true);
      expect(step.diagnostics).toMatchObject([{ level: "warning", code: "unused_variables" }]);
    });

    it("names itself script.rs in panics", async () => {
      const step = await compile(
        'fn main() { let v: Vec<u8> = Vec::new(); println!("{}", v[std::env::args().count()]); }',
        { bubblewrap },
      );
      expect(everythingIn(step)).toContain("script.rs");
      expect(everythingIn(step)).not.toContain("/script.rs");
    });

    it("becomes the same module each time", async () => {
      const [one, two] = [await compile(HELLO, { bubblewrap }), await compile(HELLO, { bubblewrap })];
      expect(one).toEqual(two);
    });

    it("is read as it was written: a byte order mark, CRLF, a shebang, a lone surrogate in a string", async () => {
      expect(await compile(`\ufeff#!/usr/bin/env rust\r\n${HELLO}\r\n`, { bubblewrap })).toMatchObject({
        ok: true,
      });
      expect(await compile('fn main() { println!("\ud800"); }', { bubblewrap })).toMatchObject({ ok: true });
    });

    it("may use std::env, paths, raw names and macros", async () => {
      const named = `
        use std::{env, path::PathBuf};
        fn main() {
            let path = PathBuf::from(env::var("PATH").unwrap_or_default());
            let r#type = std::env::args().count();
            println!("{} {type}", path.display(), r#type = r#type);
        }`;
      const macros =
        'macro_rules! square { ($x:expr) => { $x * $x }; } fn main() { println!("{}", square!(3)); }';
      for (const source of [named, macros])
        expect(await compile(source, { bubblewrap })).toMatchObject({ ok: true });
    });
  });

  describe("a script that does not compile is a value, with rustc's own words at every stage", () => {
    it.each([
      ["reading tokens", 'fn main() { let x = "abc; }', "E0765"],
      ["reading tokens to the end", "fn main() { /* ", "E0758"],
      ["brackets", "fn main() { (", "error"],
      ["parsing", "fn main() { let x = ; }", "error"],
      ["expanding macros", "fn main() { nothing!(); }", "error"],
      ["expanding a macro of the standard library", "fn main() { println!(1); }", "error"],
      ["an error of the script's own", 'compile_error!("so"); fn main() {}', "error"],
      ["looking for a module's file", "mod other; fn main() {}", "E0583"],
      ["resolving imports", "use nothing::Here; fn main() {}", "E0432"],
      ["resolving names", "fn main() { nothing(); }", "E0425"],
      ["loading crates", "extern crate nothing; fn main() {}", "E0463"],
      ["finding main", "fn other() {}", "E0601"],
      ["types", 'fn main() { let x: i32 = "a"; println!("{x}"); }', "E0308"],
      ["traits", 'struct S; fn main() { println!("{}", S); }', "E0277"],
      ["borrows", 'fn main() { let v = vec![1]; drop(v); println!("{v:?}"); }', "E0382"],
      ["constants", 'const X: u8 = 1 / (1 - 1); fn main() { println!("{X}"); }', "E0080"],
      ["lints", "#![deny(unused_variables)] fn main() { let x = 1; }", "unused_variables"],
      [
        "monomorphisation",
        "fn f<T>(n: u32, t: T) { if n > 0 { f(n - 1, Some(t)) } } fn main() { f(9, 1) }",
        "error",
      ],
      [
        "linking",
        // Not an unknown symbol: before rustc 1.96 that was left for the engine to refuse.
        '#[unsafe(no_mangle)] pub extern "C" fn _start() {} fn main() {}',
        "scriptcell::link-failed",
      ],
      ["unstable features", "#![feature(never_type)] fn main() {}", "E0554"],
    ])("%s", async (_, source, code) => {
      const step = await compile(source, { bubblewrap });
      expect(step.ok).toBe(false);
      expect(errorCodes(step)).toContain(code);
      const error = step.diagnostics.find((diagnostic) => diagnostic.level === "error");
      expect(error?.rendered).toMatch(/^error/);
      await expectNothingLeft();
    });

    it("with offsets into the source as it was given, byte order mark and CRLF included", async () => {
      const source = '\ufeffconst A: &str = "ü";\r\n\r\nfn main() {\r\n    let x: i32 = A;\r\n}\r\n';
      const [error] = (await compile(source, { bubblewrap })).diagnostics;
      const place = error?.spans.find(({ primary }) => primary);
      expect(place).toMatchObject({ lineStart: 4, columnStart: 18 });
      expect(Buffer.from(source).subarray(place?.byteStart, place?.byteEnd).toString()).toBe("A");
    });

    it("with nothing of this machine in them", async () => {
      const sources = [
        "extern crate core as a; extern crate nothing; fn main() {}",
        '#[unsafe(no_mangle)] pub extern "C" fn _start() {} fn main() {}',
      ];
      for (const source of sources) {
        const step = await compile(source, { bubblewrap });
        expect(step.ok).toBe(false);
        expect(everythingIn(step)).not.toContain(toolchain.sysroot);
        expect(everythingIn(step)).not.toContain(work.path);
      }
    });
  });

  describe("limits", () => {
    const bytesOf = (n: number) =>
      `static D: [u8; ${n}] = [7; ${n}]; fn main() { println!("{}", D[std::env::args().count()]); }`;

    it("of the source: under and at it compiles, over it does not", async () => {
      const bytes = Buffer.byteLength(HELLO);
      expect((await compile(HELLO, { bubblewrap, limits: { sourceBytes: bytes + 1 } })).ok).toBe(true);
      expect((await compile(HELLO, { bubblewrap, limits: { sourceBytes: bytes } })).ok).toBe(true);
      const over = await compile(HELLO, { bubblewrap, limits: { sourceBytes: bytes - 1 } });
      expect(errorCodes(over)).toEqual(["scriptcell::source-too-large"]);
    });

    it("of the module: under and at it compiles, over it does not", async () => {
      const step = await compile(bytesOf(2 * MiB), { bubblewrap });
      const bytes = step.ok ? step.bytes.length : 0;
      expect(bytes).toBeGreaterThan(2 * MiB);
      expect((await compile(bytesOf(2 * MiB), { bubblewrap, limits: { outputBytes: bytes + 1 } })).ok).toBe(
        true,
      );
      expect((await compile(bytesOf(2 * MiB), { bubblewrap, limits: { outputBytes: bytes } })).ok).toBe(true);
      const over = await compile(bytesOf(2 * MiB), { bubblewrap, limits: { outputBytes: bytes - 1 } });
      expect(errorCodes(over)).toEqual(["scriptcell::module-too-large"]);
    });

    it("of the module hold for the files on the way to it", async () => {
      const step = await compile(bytesOf(20 * MiB), { bubblewrap, limits: { outputBytes: 64 * KiB } });
      expect(errorCodes(step)).toContain("scriptcell::module-too-large");
      await expectNothingLeft();
    });

    it("of memory: too little for rustc at all is the script's diagnostic, not an exception", async () => {
      const step = await compile(HELLO, { bubblewrap, limits: { memoryBytes: 1536 * MiB } });
      expect(step.ok).toBe(true);
      const large = await compile(bytesOf(900 * MiB), { bubblewrap, limits: { memoryBytes: 1536 * MiB } });
      expect(errorCodes(large)).toContain("scriptcell::compile-memory");
    });

    it("of time: the compiler and all it started are gone", async () => {
      const step = await compile(ENDLESS, { bubblewrap, limits: { wallTimeMs: 500 } });
      expect(errorCodes(step)).toEqual(["scriptcell::compile-timeout"]);
      await expectNothingLeft();
    });

    it("of diagnostics: warnings are cut short too", async () => {
      const source = `fn main() { ${Array.from({ length: 50 }, (_, i) => `let x${i} = 1;`).join(" ")} }`;
      const step = await compile(source, { bubblewrap, limits: { diagnosticsBytes: 8 * KiB } });
      expect(step.ok).toBe(true);
      expect(Buffer.byteLength(JSON.stringify(step.diagnostics))).toBeLessThanOrEqual(8 * KiB);
      expect(step.diagnostics.at(-1)?.code).toBe("scriptcell::diagnostics-truncated");
    });
  });

  describe("aborting", () => {
    it("before the start rejects with the signal's reason and starts nothing", async () => {
      const reason = new Error("changed my mind");
      await expect(compile(HELLO, { bubblewrap, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      await expectNothingLeft();
    });

    it("kills the compiler and rejects with the signal's reason", async () => {
      const controller = new AbortController();
      const compiling = compile(ENDLESS, { bubblewrap, signal: controller.signal });
      compiling.catch(() => undefined);
      while ((await processesIn(work.path)).length === 0) await setTimeout(5);
      const reason = new Error("changed my mind");
      controller.abort(reason);
      await expect(compiling).rejects.toBe(reason);
      await expectNothingLeft();
    });
  });

  it("a scriptcell that is killed leaves no compiler behind", async () => {
    const child = fileURLToPath(new URL("./children/compile-for-ever.ts", import.meta.url));
    const parent = execa(process.execPath, [child, bubblewrap === null ? "off" : "required"], {
      reject: false,
      env: { TMPDIR: work.path },
    });
    while ((await processesIn(work.path)).length === 0) await setTimeout(10);
    parent.kill("SIGKILL");
    await parent;
    // Dying takes the compiler a moment; a test that waits in vain ends at its time limit.
    while ((await processesIn(work.path)).length > 0) await setTimeout(10);
  });

  it("a compiler that is not there is scriptcell's error, not the script's", async () => {
    const missing = { ...toolchain, rustc: `${toolchain.rustc}-that-is-not-there` };
    await expect(compile(HELLO, { bubblewrap, toolchain: missing })).rejects.toMatchObject({
      name: "ScriptcellError",
      code: "COMPILER_FAILED",
    });
    await expectNothingLeft();
  });

  it("a linker that is not there is scriptcell's error, not the script's", async () => {
    const missing = { ...toolchain, linker: "/nowhere/rust-lld" };
    await expect(compile(HELLO, { bubblewrap, toolchain: missing })).rejects.toMatchObject({
      code: "COMPILER_FAILED",
    });
    await expectNothingLeft();
  });

  it("scripts compile side by side without touching each other", async () => {
    const sources = ["a", "b", "c", "d"].map((name) => `fn main() { println!("{}", "only-${name}"); }`);
    const steps = await Promise.all(sources.map((source) => compile(source, { bubblewrap })));
    for (const [i, step] of steps.entries()) {
      expect(everythingIn(step).match(/only-[a-d]/g)).toEqual([`only-${"abcd"[i]}`]);
    }
    await expectNothingLeft();
  });
});

it("the jail and its absence make the same module", async () => {
  const [jailed, free] = await Promise.all(
    CONFINEMENTS.map(({ bubblewrap }) => compile(HELLO, { bubblewrap })),
  );
  expect(jailed).toEqual(free);
});

it("the flags of the store's key are the ones that compile uses", () => {
  expect(rustcFlags("fast-compile", "2024", toolchain)).toContain("wasm32-wasip1");
});
