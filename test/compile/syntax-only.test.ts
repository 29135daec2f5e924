import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import type { RustcMessage } from "../../src/compile/rustc-messages.ts";
import { keepSyntaxErrors, switchOff } from "../../src/compile/syntax-only.ts";
import { scratchDirectory } from "../support/executors.ts";
import { compile, errorCodes, toolchain } from "./support.ts";

/** Whether this rustc, by itself, gets as far as writing dep-info. */
async function writesDepInfo(source: string): Promise<boolean> {
  const directory = scratchDirectory();
  writeFileSync(join(directory, "script.rs"), source);
  const target = ["--target", "wasm32-wasip1", "--sysroot", toolchain.sysroot];
  const output = ["--emit=metadata,dep-info", "--out-dir", directory];
  await execa(toolchain.rustc, [...target, ...output, "script.rs"], { cwd: directory, reject: false });
  return existsSync(join(directory, "script.d"));
}

function message(text: string, more: Partial<RustcMessage> = {}): RustcMessage {
  const place = { byte_start: 0, byte_end: 1, line_start: 1, line_end: 1, column_start: 1, column_end: 2 };
  const rest = {
    is_primary: true,
    text: [],
    label: null,
    suggested_replacement: null,
    suggestion_applicability: null,
  };
  const spans = [{ file_name: "script.rs", ...place, ...rest, expansion: null }];
  return { level: "error", message: text, code: null, spans, children: [], rendered: "", ...more };
}

describe("a script that is switched off", () => {
  it("is the same but for one attribute, behind a byte order mark and a shebang", () => {
    expect(switchOff("fn main() {}")).toBe("\n#![cfg(any())]fn main() {}");
    expect(switchOff("\ufeff#!/bin/sh\nfn main() {}")).toBe("\ufeff#!/bin/sh\n#![cfg(any())]\nfn main() {}");
    expect(switchOff("#![allow(unused)]")).toBe("\n#![cfg(any())]#![allow(unused)]");
  });

  it("is not expanded: what its macros and modules would read is not read", async () => {
    const source =
      'compile_error!(env!("HOME")); mod nowhere; extern crate nothing; include!("/etc/passwd"); fn main() {}';
    expect(errorCodes(await compile(switchOff(source)))).toEqual(["E0601"]);
  });

  it("has the same syntax errors", async () => {
    for (const source of [
      "fn main() { (",
      "fn main() { let x = '; }",
      "pub std fn main() {}",
      "fn main() {} }",
    ]) {
      const [plain, off] = [await compile(source), await compile(switchOff(source))];
      expect(off.diagnostics.map((diagnostic) => diagnostic.message)).toEqual(
        plain.diagnostics.map((diagnostic) => diagnostic.message),
      );
    }
  });
});

describe("of a failed compile without dep-info, without a jail", () => {
  it("only what the switched off script says word for word is kept", () => {
    const child = (text: string) => ({ children: [{ level: "help", message: text, spans: [] }] });
    const messages = [
      message("a"),
      message("b"),
      message("c", child("secret")),
      message("aborting", { spans: [] }),
    ];
    const off = [message("a"), message("c", child("no secret")), message("aborting", { spans: [] })];
    expect(keepSyntaxErrors(messages, off).map((kept) => kept.message)).toEqual(["a"]);
  });

  it("and what rustc says about a crate that is missing", async () => {
    const source = 'extern crate nothing;\ncompile_error!("anything, read from anywhere"); fn main() {}';
    const step = await compile(source, { bubblewrap: null });
    // Some compilers write dep-info before they look for crates: it names the script alone, and all may be shown.
    const withheld = !(await writesDepInfo(source));
    expect(errorCodes(step)).toEqual(withheld ? ["E0463"] : ["E0463", "error"]);
    expect(JSON.stringify(step).includes("anything")).toBe(!withheld);
  });

  it("and nothing, with a reason, where that leaves nothing", async () => {
    const source = 'macro_rules! m { () => { m! {} } } m! {} compile_error!("anything"); fn main() {}';
    const step = await compile(source, { bubblewrap: null });
    expect(errorCodes(step)).toEqual(["scriptcell::diagnostics-withheld"]);
    expect(JSON.stringify(step)).not.toContain("anything");
    const jailed = await compile(source);
    expect(jailed.diagnostics[0]?.message).toContain("recursion limit reached");
  });
});
