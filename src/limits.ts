import { z } from "zod";

/** One kibibyte in bytes. */
export const KiB = 1024;
/** One mebibyte in bytes. */
export const MiB = 1024 * KiB;
/** One gibibyte in bytes. */
export const GiB = 1024 * MiB;

/**
 * What one run may use up. Every limit is always set: what a call leaves out comes from the executor's `limits`,
 * and what those leave out from {@link DEFAULT_LIMITS}. No value means "unlimited".
 */
export interface Limits {
  /**
   * Wall-clock time of the run in milliseconds, from the moment its cell starts it. Default 5,000.
   * At the deadline the cell is killed: `status: "limit-exceeded"`, `limit: "wallTimeMs"`, with the output so far.
   */
  wallTimeMs: number;
  /**
   * Units of fuel: one for each WebAssembly operator that is run, as Wasmtime counts them (table {@link FUEL_TABLE}), so that the
   * same script with the same input uses the same fuel on every machine. Default 20,000,000,000, which is a few seconds of
   * work on a machine of 2026; at most 2^53 - 1, which no run reaches in a day. A run that needs more ends as `limit: "fuel"`, with the output so far;
   * one that needs exactly as much does not. What the host does for a guest costs no fuel: that is what `wallTimeMs` is for.
   */
  fuel: number | bigint;
  /**
   * Linear memory in bytes, rounded down to 64 KiB pages. Default 64 MiB.
   * `memory.grow` beyond it fails in the guest; a guest that dies of it ends as `limit: "memoryBytes"`.
   * A module whose initial memory is above it is refused before it runs.
   */
  memoryBytes: number;
  /**
   * The engine's call stack in bytes. Default 1 MiB, which is also the least (engines crash below it); at most 64 MiB.
   * Overflow ends the run as `limit: "stackBytes"`. (Rust's own shadow stack lies in linear memory; rustc sets it to 1 MiB.)
   */
  stackBytes: number;
  /** Elements of each table of function references. Default 100,000. A module that declares more is refused. */
  tableElements: number;
  /**
   * Bytes of stdout and of stderr that are captured, each. Default 1 MiB.
   * A guest that writes more is stopped: `limit: "outputBytes"`, with the first `outputBytes` of the stream.
   */
  outputBytes: number;
  /**
   * Bytes that the run may write to its host directories, all together. Default 16 MiB.
   * A write beyond it fails in the guest with `ENOSPC` and is recorded in `denials`.
   */
  diskBytes: number;
  /**
   * Bytes that the run's scratch mounts and `files` may hold in memory, all together and at a time. Default 64 MiB, at most 1 GiB.
   * Counted are contents, in the pieces in which they are kept (what was never written takes none), and for each file, directory
   * and link 512 bytes, for each of its names 128 bytes and its length. There are 250,000 of these at most, 64 KiB of contents
   * counting as one. This is memory of the cell, for each run under way; artifacts are as much again in this process. A write beyond it fails in the guest with `ENOSPC` and is recorded in `denials`.
   */
  scratchBytes: number;
  /** Files and directories open at once, without stdio and the mounts themselves. Default 64. Beyond it opening fails with `EMFILE`. */
  openFiles: number;
  /**
   * Bytes of its memory that the guest may name in one call of the host: paths, directory entries, random bytes, the subscriptions
   * and events of a poll, and of a read or write its vectors and as many of the bytes it asks for as one call moves, 16 MiB. (A call
   * of `engine: "node-wasi"` moves all of them.) Default 128 MiB, as in Wasmtime (`Store::set_hostcall_fuel`); at most 4 GiB.
   * A call beyond it fails in the guest with `ENOMEM` before anything is done, and is recorded in `denials`; the guest goes on.
   */
  hostCallBytes: number;
}

/** Names of the limits. */
export type LimitName = keyof Limits;

/** What holds where neither the call nor the executor says anything. */
export const DEFAULT_LIMITS: Readonly<Limits> = Object.freeze({
  wallTimeMs: 5_000,
  fuel: 20_000_000_000,
  memoryBytes: 64 * MiB,
  stackBytes: 1 * MiB,
  tableElements: 100_000,
  outputBytes: 1 * MiB,
  diskBytes: 16 * MiB,
  scratchBytes: 64 * MiB,
  openFiles: 64,
  hostCallBytes: 128 * MiB,
});

/** Parses the limits of a call or an executor; unknown names are errors. */
export const limitsSchema = z.strictObject({
  wallTimeMs: z
    .int()
    .min(1)
    .max(24 * 3_600_000)
    .optional(),
  fuel: z.union([z.int().min(0), z.bigint().min(0n).max(BigInt(Number.MAX_SAFE_INTEGER))]).optional(),
  memoryBytes: z
    .int()
    .min(64 * KiB)
    .max(4 * GiB)
    .optional(),
  stackBytes: z
    .int()
    .min(1 * MiB)
    .max(64 * MiB)
    .optional(),
  tableElements: z.int().min(0).max(10_000_000).optional(),
  outputBytes: z
    .int()
    .min(0)
    .max(1 * GiB)
    .optional(),
  diskBytes: z
    .int()
    .min(0)
    .max(1024 * GiB)
    .optional(),
  scratchBytes: z
    .int()
    .min(0)
    .max(1 * GiB)
    .optional(),
  openFiles: z.int().min(0).max(10_000).optional(),
  hostCallBytes: z
    .int()
    .min(0)
    .max(4 * GiB)
    .optional(),
});
