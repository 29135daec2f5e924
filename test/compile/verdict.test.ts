import { describe, expect, it } from "vitest";
import { DEFAULT_COMPILE_LIMITS } from "../../src/compile/compile-limits.ts";
import type { RustcEnd } from "../../src/compile/rustc.ts";
import type { RustcMessage } from "../../src/compile/rustc-messages.ts";
import { toolchainFault } from "../../src/compile/toolchain-fault.ts";
import { describeFailure, isSelfContained } from "../../src/compile/verdict.ts";

const presentation = { script: "script.rs", scrub: (text: string) => text };

function span(file: string): RustcMessage["spans"][number] {
  const place = { byte_start: 0, byte_end: 1, line_start: 1, line_end: 1, column_start: 1, column_end: 2 };
  const rest = {
    is_primary: true,
    text: [],
    label: null,
    suggested_replacement: null,
    suggestion_applicability: null,
  };
  return { file_name: file, ...place, ...rest, expansion: null };
}

function message(text: string, more: Partial<RustcMessage> = {}): RustcMessage {
  const rest = {
    level: "error",
    code: null,
    spans: [span("script.rs")],
    children: [],
    rendered: `error: ${text}\n`,
  };
  return { message: text, ...rest, ...more };
}

function end(more: Partial<RustcEnd> = {}): RustcEnd {
  return { how: "exited", exitCode: 1, signal: "", plain: "", messages: [message("wrong")], ...more };
}

function codesOf(how: RustcEnd): Array<string | undefined> {
  return describeFailure(how, DEFAULT_COMPILE_LIMITS, presentation).map(({ code }) => code);
}

describe("what rustc says and made is used", () => {
  it("where dep-info names the script alone", () => {
    expect(isSelfContained(end(), "script-only", "script.rs")).toBe(true);
    expect(isSelfContained(end({ exitCode: 0, messages: [] }), "script-only", "script.rs")).toBe(true);
  });

  it("where rustc failed before it wrote dep-info", () => {
    expect(isSelfContained(end(), "missing", "script.rs")).toBe(true);
    expect(isSelfContained(end({ how: "timed-out", exitCode: -1 }), "missing", "script.rs")).toBe(true);
  });
});

describe("what rustc says and made is discarded", () => {
  it("where dep-info names more", () => {
    expect(isSelfContained(end(), "foreign", "script.rs")).toBe(false);
    expect(isSelfContained(end({ exitCode: 0 }), "foreign", "script.rs")).toBe(false);
  });

  it("where rustc succeeded and there is no dep-info", () => {
    expect(isSelfContained(end({ exitCode: 0, messages: [] }), "missing", "script.rs")).toBe(false);
  });

  it("where any span lies in another file, whatever dep-info says", () => {
    const foreign = end({ messages: [message("fine"), message("leak", { spans: [span("/etc/passwd")] })] });
    expect(isSelfContained(foreign, "script-only", "script.rs")).toBe(false);
    expect(isSelfContained(foreign, "missing", "script.rs")).toBe(false);
  });
});

describe("a compile that failed", () => {
  it("has rustc's errors and nothing else where rustc ended by itself", () => {
    expect(describeFailure(end(), DEFAULT_COMPILE_LIMITS, presentation).map((d) => d.message)).toEqual([
      "wrong",
    ]);
  });

  it.each<[string, Partial<RustcEnd>, string]>([
    ["the deadline", { how: "timed-out", exitCode: -1, signal: "SIGKILL" }, "compile-timeout"],
    ["the limit of processor time", { how: "killed", exitCode: -1, signal: "SIGXCPU" }, "compile-timeout"],
    ["the limit of a file's size", { how: "killed", exitCode: -1, signal: "SIGXFSZ" }, "module-too-large"],
    [
      "a file that is too large for the linker",
      { messages: [message("linking with `ld` failed: signal: 25 (SIGXFSZ)", { spans: [] })] },
      "module-too-large",
    ],
    [
      "an allocation that failed",
      { how: "killed", signal: "SIGABRT", plain: "memory allocation of 4096 bytes failed" },
      "compile-memory",
    ],
    [
      "memory that LLVM cannot get",
      { how: "killed", signal: "SIGABRT", plain: "rustc-LLVM ERROR: out of memory" },
      "compile-memory",
    ],
    [
      "a thread of the linker for whose stack there is no room",
      {
        messages: [
          message("linking with `ld` failed: exit status: 1", {
            spans: [],
            children: [message("  what():  Resource temporarily unavailable", { spans: [] })],
          }),
        ],
      },
      "compile-memory",
    ],
    [
      "a constant that is too large",
      {
        messages: [
          message("tried to allocate more memory than available to compiler", { code: { code: "E0080" } }),
        ],
      },
      "compile-memory",
    ],
    [
      "megabytes of diagnostics",
      { how: "talked-too-much", exitCode: -1, signal: "SIGKILL" },
      "too-many-diagnostics",
    ],
    [
      "a crash",
      { how: "killed", exitCode: -1, signal: "SIGSEGV", plain: "error: rustc interrupted by SIGSEGV" },
      "compiler-crashed",
    ],
    ["a kill by the system", { how: "killed", exitCode: -1, signal: "SIGKILL" }, "compiler-crashed"],
    [
      "a panic of rustc",
      { exitCode: 101, plain: "thread 'rustc' panicked at compiler/rustc_middle/src/ty.rs" },
      "compiler-crashed",
    ],
    ["an exit without a word", { exitCode: 3, messages: [] }, "compiler-crashed"],
    [
      "an exit with warnings alone",
      { messages: [message("unused", { level: "warning" })] },
      "compiler-crashed",
    ],
  ])("by %s says so, after what rustc had to say", (_, how, code) => {
    const codes = codesOf(end(how));
    expect(codes.at(-1)).toBe(`scriptcell::${code}`);
  });

  it("by a panic of rustc says nothing of rustc's own sources, and keeps the script's errors", () => {
    const internal = message("internal compiler error: no", {
      level: "error: internal compiler error",
      rendered: "error: internal compiler error: /build/rustc",
    });
    const diagnostics = describeFailure(
      end({ exitCode: 101, messages: [message("wrong"), internal] }),
      DEFAULT_COMPILE_LIMITS,
      presentation,
    );
    expect(diagnostics.map((diagnostic) => diagnostic.code ?? diagnostic.message)).toEqual([
      "wrong",
      "scriptcell::compiler-crashed",
    ]);
    expect(JSON.stringify(diagnostics)).not.toContain("/build");
  });

  it("does not take a script's own words for a limit or a crash", () => {
    for (const text of [
      "memory allocation of 1 bytes failed",
      "SIGXFSZ",
      "tried to allocate more memory than available to compiler",
    ]) {
      expect(codesOf(end({ messages: [message(text)] }))).toEqual([undefined]);
    }
  });
});

describe("a toolchain that is not complete", () => {
  it.each([
    "linker `/nowhere/lld` not found",
    "could not exec the linker: Permission denied (os error 13)",
    "can't find crate for `std`",
    "can't find crate for `core`",
  ])("is told by: %s", (text) => {
    expect(toolchainFault([message(text, { spans: [] })])).toBe(text);
  });

  it("is told by a linker that lacks a library", () => {
    const note = {
      level: "note",
      message: "lld: error while loading shared libraries: libLLVM.so",
      spans: [],
    };
    const failed = message("linking with `lld` failed: exit status: 127", { spans: [], children: [note] });
    expect(toolchainFault([failed])).toContain("libLLVM.so");
  });

  it("is not what a script can claim", () => {
    expect(
      toolchainFault([message("linker `x` not found"), message("can't find crate for `std`")]),
    ).toBeUndefined();
    const failed = message("linking with `lld` failed: exit status: 1", { spans: [] });
    expect(toolchainFault([failed])).toBeUndefined();
  });
});
