import { z } from "zod";
import { GiB, KiB, MiB } from "../limits.ts";

/**
 * What one compile may use up. Every limit is always set: what the executor's options leave out comes from
 * {@link DEFAULT_COMPILE_LIMITS}. A script that reaches one does not compile, and a diagnostic says which one it was.
 */
export interface CompileLimits {
  /**
   * Wall-clock time of rustc and its linker in milliseconds. Default 60,000.
   * At the deadline all of its processes are killed: diagnostic `scriptcell::compile-timeout`.
   * Processor time is bounded too, at four times this, so that nothing goes on for ever where scriptcell itself was killed.
   */
  wallTimeMs: number;
  /**
   * Address space in bytes of rustc and of its linker, each. Default 3 GiB, at least 1 GiB: a small program needs 0.5 GiB.
   * Beyond it the compiler cannot allocate: diagnostic `scriptcell::compile-memory`. Compiles run side by side only where the
   * free memory would last for this much each.
   */
  memoryBytes: number;
  /** Size of the module in bytes. Default 16 MiB. A larger one is discarded: diagnostic `scriptcell::module-too-large`. */
  outputBytes: number;
  /** Size of the source in bytes of UTF-8. Default 1 MiB. A larger one is not compiled: diagnostic `scriptcell::source-too-large`. */
  sourceBytes: number;
  /**
   * Size in bytes of all diagnostics of a compile together, as JSON. Default 256 KiB.
   * Beyond it warnings, then errors, are left out, and a last diagnostic `scriptcell::diagnostics-truncated` says how many.
   */
  diagnosticsBytes: number;
}

/** What holds where the executor says nothing. */
export const DEFAULT_COMPILE_LIMITS: Readonly<CompileLimits> = Object.freeze({
  wallTimeMs: 60_000,
  memoryBytes: 3 * GiB,
  outputBytes: 16 * MiB,
  sourceBytes: 1 * MiB,
  diagnosticsBytes: 256 * KiB,
});

/** Parses the compile limits of an executor; unknown names are errors. */
export const compileLimitsSchema = z.strictObject({
  wallTimeMs: z.int().min(1).max(3_600_000).optional(),
  memoryBytes: z
    .int()
    .min(1 * GiB)
    .max(1024 * GiB)
    .optional(),
  outputBytes: z
    .int()
    .min(1)
    .max(1 * GiB)
    .optional(),
  sourceBytes: z
    .int()
    .min(0)
    .max(64 * MiB)
    .optional(),
  diagnosticsBytes: z
    .int()
    .min(4 * KiB)
    .max(64 * MiB)
    .optional(),
});
