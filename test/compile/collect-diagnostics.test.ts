import { describe, expect, it } from "vitest";
import { boundDiagnostics, showsForeignFile } from "../../src/compile/collect-diagnostics.ts";
import { type Diagnostic, ownDiagnostic } from "../../src/compile/diagnostics.ts";
import type { RustcMessage } from "../../src/compile/rustc-messages.ts";

function diagnostic(level: Diagnostic["level"], text: string): Diagnostic {
  return { level, message: text, spans: [], children: [], suggestions: [], rendered: `${level}: ${text}` };
}

const KIB = 1024;

describe("the list of diagnostics", () => {
  it("is left as it is within its bounds", () => {
    const all = Array.from({ length: 100 }, (_, i) => diagnostic(i % 2 === 0 ? "error" : "warning", `${i}`));
    expect(boundDiagnostics(all, 256 * KIB)).toEqual(all);
  });

  it("has at most 100 entries, and one more that says how many are missing", () => {
    const all = Array.from({ length: 150 }, (_, i) => diagnostic(i < 120 ? "error" : "warning", `${i}`));
    const bounded = boundDiagnostics(all, 256 * KIB);
    expect(bounded).toHaveLength(101);
    expect(bounded.at(-1)).toMatchObject({
      level: "note",
      code: "scriptcell::diagnostics-truncated",
      message: "20 more errors and 30 more warnings are not shown",
    });
  });

  it("leaves warnings out before errors, and keeps the order", () => {
    const all = [
      ...Array.from({ length: 100 }, (_, i) => diagnostic("warning", `w${i}`)),
      diagnostic("error", "e0"),
      diagnostic("error", "e1"),
    ];
    const texts = boundDiagnostics(all, 256 * KIB).map(({ message }) => message);
    expect(texts.slice(0, 2)).toEqual(["w0", "w1"]);
    expect(texts.slice(97, 100)).toEqual(["w97", "e0", "e1"]);
  });

  it.each([4 * KIB, 64 * KIB, 256 * KIB])(
    "never takes more than its %d bytes, in JSON and UTF-8",
    (maxBytes) => {
      const all = Array.from({ length: 90 }, (_, i) =>
        diagnostic("error", `${i} ${"\u0001ü😀".repeat(1_000)}`),
      );
      const bounded = boundDiagnostics(all, maxBytes);
      expect(Buffer.byteLength(JSON.stringify(bounded))).toBeLessThanOrEqual(maxBytes);
      expect(bounded[0]?.level).toBe("error");
    },
  );

  it("keeps an error in short where one alone is too large", () => {
    const huge = diagnostic("error", "x".repeat(100_000));
    const [first, ...others] = boundDiagnostics([diagnostic("warning", "w"), huge], 4 * KIB).filter(
      ({ level }) => level === "error",
    );
    expect(first?.message).toMatch(/^x{200}… /);
    expect(others).toEqual([]);
  });
});

describe("a message", () => {
  function messageAt(file: string, expansion: unknown = null): RustcMessage {
    const place = { byte_start: 0, byte_end: 1, line_start: 1, line_end: 1, column_start: 1, column_end: 2 };
    const rest = {
      is_primary: true,
      text: [],
      label: null,
      suggested_replacement: null,
      suggestion_applicability: null,
    };
    const span = { file_name: file, ...place, ...rest, expansion };
    return {
      level: "error",
      message: "",
      code: null,
      spans: [],
      children: [{ level: "note", message: "", spans: [span] }],
      rendered: "",
    };
  }

  it.each([
    "script.rs",
    "/rustc/8bab26f4f68e0e26f0bb7960be334d5b520ea452/library/core/src/macros/mod.rs",
    "/usr/src/rustc-1.97.1/library/std/src/macros.rs",
    "/opt/rust/lib/rustlib/src/rust/library/alloc/src/vec/mod.rs",
  ])("about %s may be shown", (file) => {
    expect(showsForeignFile(messageAt(file), "script.rs")).toBe(false);
  });

  it.each(["/etc/passwd", "../script.rs", "/script/script.rs", "/data/library/x.rs"])(
    "about %s may not",
    (file) => {
      expect(showsForeignFile(messageAt(file), "script.rs")).toBe(true);
    },
  );

  it("may not be shown either where the other file is the one that a macro is defined in, or called from", () => {
    const [inner] = messageAt("/etc/passwd").children[0]?.spans ?? [];
    const [script] = messageAt("script.rs").children[0]?.spans ?? [];
    expect(showsForeignFile(messageAt("script.rs", { span: inner }), "script.rs")).toBe(true);
    expect(
      showsForeignFile(messageAt("script.rs", { span: script, def_site_span: inner }), "script.rs"),
    ).toBe(true);
  });
});

it("a diagnostic of scriptcell's own reads like one of rustc's", () => {
  const place = {
    lineStart: 2,
    columnStart: 5,
    lineEnd: 2,
    columnEnd: 6,
    byteStart: 9,
    byteEnd: 10,
    primary: true,
    text: ["    x"],
  };
  expect(ownDiagnostic("source-refused", "no", { help: "yes", span: place })).toEqual({
    level: "error",
    code: "scriptcell::source-refused",
    message: "no",
    spans: [place],
    children: [{ level: "help", message: "yes", spans: [] }],
    suggestions: [],
    rendered: "error[scriptcell::source-refused]: no\n --> script.rs:2:5\n  = help: yes",
  });
});
