import type { WireStackFrame } from "../../run/protocol.ts";

/** Rust's own marks: what is inside of the first is how a panic is reported, outside of the second how `main` is called. */
const PANIC_MARK = "__rust_end_short_backtrace";
const MAIN_MARK = "__rust_begin_short_backtrace";

/** Between the first mark and the function that panicked, or, without a mark, between an abort and who asked for it. */
const PANICKING = new RegExp(
  [
    "^(?:__rustc::)?(?:rust_begin_unwind|rust_panic|__rust_[a-z_]+)$",
    "^(?:core|std)::panicking::",
    "^std::alloc::rust_oom",
    "^std::sys::[a-z0-9_:]+::abort_internal$",
    "^abort$",
  ].join("|"),
);

/** How the second mark calls `main`. */
const CALL_OF_MAIN =
  /^(?:<fn\(\).* as core::ops::function::FnOnce<\(\)>>|core::ops::function::FnOnce)::call_once$/;

/**
 * What is left when a stack is cut as Rust cuts the backtraces that it prints itself, and the functions that only pass a panic on
 * are left out as well: the first is then the one that panicked, or the one of std that did so for its caller (`unwrap_failed`).
 */
export function withoutMachinery(frames: readonly WireStackFrame[]): readonly WireStackFrame[] {
  const panic = frames.findIndex((frame) => frame.function.includes(PANIC_MARK));
  const main = frames.findIndex((frame, i) => i > panic && frame.function.includes(MAIN_MARK));
  const between = frames.slice(panic + 1, main === -1 ? undefined : main);
  const first = between.findIndex((frame) => !PANICKING.test(frame.function));
  if (first === -1) return [];
  const last = between.at(-1);
  const called = main !== -1 && last !== undefined && CALL_OF_MAIN.test(last.function);
  return between.slice(first, called ? -1 : undefined);
}
