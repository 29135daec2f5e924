import { readFileSync } from "node:fs";
import { translateMessages } from "../../src/compile/collect-diagnostics.ts";
import type { Diagnostic, DiagnosticSpan } from "../../src/compile/diagnostics.ts";
import { readRustcOutput } from "../../src/compile/rustc-messages.ts";
import type { CompileResult, Outcome, RunReport, RunResult } from "../../src/result.ts";

const RECORDED = new URL("../../fixtures/diagnostics/", import.meta.url);

/** What rustc once said about a script of the fixtures, as a compile hands it out. */
export function recorded(name: string): Diagnostic[] {
  const messages: unknown = JSON.parse(readFileSync(new URL(`${name}.json`, RECORDED), "utf8"));
  if (!Array.isArray(messages)) throw new Error(`${name}.json is not a list of messages`);
  const { messages: read } = readRustcOutput(messages.map((message) => JSON.stringify(message)).join("\n"));
  if (read.length !== messages.length) throw new Error(`${name}.json has messages that cannot be read`);
  return translateMessages(read, { script: `${name}.rs`, scrub: (text) => text });
}

/** A compile that failed. */
export function rejected(
  diagnostics: readonly Diagnostic[],
  more: Partial<CompileResult> = {},
): CompileResult {
  return { ok: false, diagnostics, fix: null, durationMs: 1, ...more } as CompileResult;
}

/** A compile that succeeded. */
export function compiled(diagnostics: readonly Diagnostic[]): CompileResult {
  const module = { hash: "0".repeat(64), bytes: new Uint8Array(0), target: "wasm32-wasip1" } as const;
  return { ok: true, module, diagnostics, fix: null, from: "rustc", durationMs: 1 };
}

/** A run that ended like this. */
export function ran(outcome: Outcome, report: Partial<RunReport> = {}): RunResult {
  const bytes = new Uint8Array(0);
  return {
    ...outcome,
    stdout: "",
    stderr: "",
    stdoutBytes: bytes,
    stderrBytes: bytes,
    truncated: { stdout: false, stderr: false },
    durationMs: 1,
    fuelUsed: 1,
    peakMemoryBytes: 65_536,
    denials: [],
    hints: [],
    moduleFrom: "rustc",
    compileMs: 1,
    fix: null,
    artifacts: {},
    isolation: { cell: "process", jail: "bubblewrap", engine: "preview1" },
    ...report,
  };
}

export const OK: Outcome = { status: "ok", exitCode: 0, output: undefined };

/** A panic of `script.rs`, line 2. */
export function panicked(message: string): Outcome {
  return { status: "panicked", message, file: "script.rs", line: 2, column: 5, backtrace: [] };
}

/** An error about one place. */
export function errorAt(line: number, message: string, more: Partial<Diagnostic> = {}): Diagnostic {
  return {
    level: "error",
    message,
    spans: [spanAt(line)],
    children: [],
    suggestions: [],
    rendered: message,
    ...more,
  };
}

export function spanAt(line: number, more: Partial<DiagnosticSpan> = {}): DiagnosticSpan {
  const place = { lineStart: line, columnStart: 1, lineEnd: line, columnEnd: 4 };
  return { ...place, byteStart: line * 10, byteEnd: line * 10 + 3, primary: true, text: ["let x;"], ...more };
}
