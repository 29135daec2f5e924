import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as api from "../../src/index.ts";

const INDEX = readFileSync(new URL("../../src/index.ts", import.meta.url), "utf8");

test("the package exports these values, and no others by accident", () => {
  expect(Object.keys(api).sort()).toEqual([
    "DEFAULT_LIMITS",
    "FUEL_TABLE",
    "GiB",
    "KiB",
    "MiB",
    "ScriptExecutor",
    "ScriptcellError",
    "applySuggestions",
    "defaultCacheDir",
    "doctor",
    "findToolchain",
    "formatForModel",
    "setupToolchain",
  ]);
});

test("the package exports these types, and no others by accident", () => {
  const names = [...INDEX.matchAll(/export type \{([^}]+)\}|\btype (\w+)/g)].flatMap(([, list, one]) =>
    list === undefined ? [one] : list.split(",").map((name) => name.trim()),
  );
  expect(names.filter((name) => name !== "" && name !== undefined).sort()).toEqual([
    "Applicability",
    "AppliedSuggestion",
    "ApplySuggestionsOptions",
    "Capabilities",
    "ClockGrant",
    "CompileLimits",
    "CompileOptions",
    "CompileResult",
    "CompiledModule",
    "Denial",
    "Diagnostic",
    "DiagnosticSpan",
    "DoctorReport",
    "Edition",
    "Engine",
    "ExecuteOptions",
    "ExecutorOptions",
    "Fix",
    "FormatForModelOptions",
    "HostMount",
    "Isolation",
    "IsolationMode",
    "JailMode",
    "LimitName",
    "Limits",
    "Measure",
    "ModuleOrigin",
    "ModuleSource",
    "Mount",
    "Outcome",
    "PoolOptions",
    "Profile",
    "RandomGrant",
    "RunOptions",
    "RunReport",
    "RunResult",
    "ScratchMount",
    "ScriptcellErrorCode",
    "StackFrame",
    "StdinSource",
    "StoreBounds",
    "Suggestion",
    "Toolchain",
    "ToolchainOrigin",
    "TrapCode",
  ]);
});

test("everything is exported by name: no star, no default", () => {
  expect(INDEX).not.toMatch(/export \*|export default|as default/);
});
