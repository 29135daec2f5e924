export type {
  Capabilities,
  ClockGrant,
  HostMount,
  Mount,
  RandomGrant,
  ScratchMount,
} from "./capabilities.ts";
export type { CompileLimits } from "./compile/compile-limits.ts";
export type { Applicability, Diagnostic, DiagnosticSpan, Suggestion } from "./compile/diagnostics.ts";
export type { Fix } from "./compile/fix.ts";
export {
  type AppliedSuggestion,
  type ApplySuggestionsOptions,
  applySuggestions,
} from "./compile/suggestions.ts";
export { ScriptcellError, type ScriptcellErrorCode } from "./errors.ts";
export { type ModuleSource, ScriptExecutor } from "./executor.ts";
export { type FormatForModelOptions, formatForModel } from "./explain/format-for-model.ts";
export { FUEL_TABLE } from "./instrument/fuel/costs.ts";
export type { JailMode } from "./jail/jail.ts";
export { DEFAULT_LIMITS, GiB, KiB, type LimitName, type Limits, MiB } from "./limits.ts";
export type {
  CompileOptions,
  Edition,
  ExecuteOptions,
  ExecutorOptions,
  IsolationMode,
  Profile,
  RunOptions,
  StoreBounds,
} from "./options.ts";
export type {
  CompiledModule,
  CompileResult,
  Denial,
  Isolation,
  ModuleOrigin,
  Outcome,
  RunReport,
  RunResult,
  StackFrame,
  TrapCode,
} from "./result.ts";
export type { Engine } from "./run/engine.ts";
export type { PoolOptions } from "./run/pool.ts";
export type { StdinSource } from "./run/stdin.ts";
export { defaultCacheDir } from "./toolchain/cache-dir.ts";
export { type DoctorReport, doctor } from "./toolchain/doctor.ts";
export { findToolchain } from "./toolchain/find.ts";
export type { Measure } from "./toolchain/measures.ts";
export { setupToolchain } from "./toolchain/setup.ts";
export type { Toolchain, ToolchainOrigin } from "./toolchain/toolchain.ts";
