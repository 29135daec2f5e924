/** What a caller's compiler knows about options and results. Checked by the compiler, never run. */
import { Readable } from "node:stream";
import { expectTypeOf } from "vitest";
import { z } from "zod";
import {
  applySuggestions,
  type CompiledModule,
  type CompileResult,
  type Diagnostic,
  type Fix,
  formatForModel,
  type Isolation,
  type LimitName,
  type RunResult,
  type ScriptcellError,
  type ScriptcellErrorCode,
  ScriptExecutor,
  type TrapCode,
} from "../../src/index.ts";

const executor = new ScriptExecutor();
expectTypeOf(executor).toExtend<AsyncDisposable>();

// A result narrows on its status.
const result: RunResult = await executor.run("");
expectTypeOf(result.stdout).toEqualTypeOf<string>();
expectTypeOf(result.stdoutBytes).toEqualTypeOf<Uint8Array>();
expectTypeOf(result.peakMemoryBytes).toEqualTypeOf<number | null>();
expectTypeOf(result.isolation).toEqualTypeOf<Isolation | null>();
expectTypeOf(result.hints).toEqualTypeOf<readonly string[]>();
// Every result, of a compile or a run and whatever its output is, can be told to a model.
expectTypeOf(formatForModel).parameter(0).toEqualTypeOf<CompileResult | RunResult>();
expectTypeOf<RunResult<{ typed: true }>>().toExtend<Parameters<typeof formatForModel>[0]>();
// @ts-expect-error: not every result has an output
result.output;
// @ts-expect-error: not every result has an exit code
result.exitCode;
switch (result.status) {
  case "ok":
    expectTypeOf(result.output).toEqualTypeOf<unknown>();
    expectTypeOf(result.exitCode).toEqualTypeOf<0>();
    break;
  case "invalid-output":
    expectTypeOf(result.issues).toEqualTypeOf<readonly z.core.$ZodIssue[]>();
    // @ts-expect-error: the output is not what was asked for, so there is none
    result.output;
    break;
  case "failed":
    expectTypeOf(result.exitCode).toEqualTypeOf<number>();
    expectTypeOf(result.output).toEqualTypeOf<unknown>();
    break;
  case "panicked":
    expectTypeOf(result.message).toEqualTypeOf<string>();
    expectTypeOf(result.line).toEqualTypeOf<number | null>();
    break;
  case "trapped":
    expectTypeOf(result.code).toEqualTypeOf<TrapCode>();
    break;
  case "limit-exceeded":
    expectTypeOf(result.limit).toEqualTypeOf<LimitName>();
    break;
  case "cancelled":
    expectTypeOf(result.reason).toEqualTypeOf<unknown>();
    break;
  case "rejected":
    expectTypeOf(result.diagnostics).toEqualTypeOf<readonly Diagnostic[]>();
    break;
  default:
    expectTypeOf(result).toBeNever();
}

// The output is what the schema makes, not what it takes; without a schema it is unknown.
const outputSchema = z.object({
  at: z.string().transform((text) => new Date(text)),
  tags: z.array(z.string()),
});
const typed = await executor.run("", { outputSchema });
if (typed.status === "ok") expectTypeOf(typed.output).toEqualTypeOf<{ at: Date; tags: string[] }>();
if (typed.status === "failed") expectTypeOf(typed.output).toEqualTypeOf<unknown>();
const executed = await executor.execute("hash", { outputSchema: z.number() });
if (executed.status === "ok") expectTypeOf(executed.output).toEqualTypeOf<number>();
const untyped = await executor.execute(new Uint8Array(), { input: 1 });
if (untyped.status === "ok") expectTypeOf(untyped.output).toEqualTypeOf<unknown>();

// A compile narrows on ok.
const compiled = await executor.compile("");
if (compiled.ok) expectTypeOf(compiled.module).toEqualTypeOf<CompiledModule>();
// @ts-expect-error: what did not compile has no module
else compiled.module;
expectTypeOf(compiled.fix).toEqualTypeOf<Fix | null>();
expectTypeOf(result.fix).toEqualTypeOf<Fix | null>();
if (compiled.ok) {
  // @ts-expect-error: a module cannot be led to other bytes
  compiled.module.bytes = new Uint8Array();
}

// Stdin is text, bytes, or a stream of either.
await executor.run("", { stdin: "text" });
await executor.run("", { stdin: Buffer.from("bytes") });
await executor.run("", { stdin: new Blob([]).stream() });
await executor.run("", { stdin: Readable.from(["a"]) });
// @ts-expect-error: a number is none of these
await executor.run("", { stdin: 7 });

// A misspelt name, a unit left out, a limit without one: all errors before anything runs.
// @ts-expect-error
await executor.run("", { timeout: 5 });
// @ts-expect-error
await executor.run("", { limits: { wallTime: 5 } });
// @ts-expect-error
await executor.run("", { limits: { wallTimeMs: "5s" } });
// @ts-expect-error
await executor.run("", { capabilities: { mounts: [{ host: ".", guest: "/data", access: "rw" }] } });
// @ts-expect-error: a compile has no stdin
await executor.compile("", { stdin: "" });
// @ts-expect-error: a module has no source that could be corrected
await executor.execute("hash", { fix: true });
// @ts-expect-error: there is no such applicability
applySuggestions("", [], { applicability: "sure" });
// @ts-expect-error: there is no such clock
new ScriptExecutor({ capabilities: { clock: "fast" } });
// @ts-expect-error: a jail is no boolean
new ScriptExecutor({ jail: true });

// A mount is a host directory or lies in memory, and each has fields of its own.
await executor.run("", {
  files: { "/in/a.txt": "text", "/in/b.bin": Buffer.from("bytes") },
  capabilities: { mounts: [{ guest: "/tmp", access: "scratch", bytes: 5 }] },
  artifacts: ["/tmp/*"],
});
expectTypeOf(result.artifacts).toEqualTypeOf<Readonly<Record<string, Uint8Array>>>();
// @ts-expect-error: scratch has no host directory
await executor.run("", { capabilities: { mounts: [{ host: ".", guest: "/tmp", access: "scratch" }] } });
// @ts-expect-error: a host directory has a host
await executor.run("", { capabilities: { mounts: [{ guest: "/tmp", access: "read" }] } });
// @ts-expect-error: a file is text or bytes
await executor.run("", { files: { "/in/a.txt": 7 } });

// Errors are told apart by their code.
declare const error: ScriptcellError;
expectTypeOf(error.code).toEqualTypeOf<ScriptcellErrorCode>();
// @ts-expect-error: there is no such code
error.code === "TIMEOUT";
