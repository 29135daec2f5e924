import { expect, test } from "vitest";
import { withoutMachinery } from "../../../src/guest/backtrace/machinery.ts";

const cut = (...names: string[]): string[] =>
  withoutMachinery(names.map((name, index) => ({ function: name, index }))).map((frame) => frame.function);

/** What Rust's runtime puts around `main`. */
const OUTSIDE = [
  "<fn() as core::ops::function::FnOnce<()>>::call_once",
  "std::sys::backtrace::__rust_begin_short_backtrace::<fn(), ()>",
  "std::rt::lang_start::<()>::{closure#0}",
  "std::rt::lang_start_internal",
  "__main_void",
  "_start",
];
/** What it puts on top of a panic. */
const INSIDE = [
  "abort",
  "std::sys::pal::wasi::abort_internal",
  "std::process::abort",
  "__rustc::__rust_abort",
  "__rustc::__rust_start_panic",
  "__rustc::rust_panic",
  "std::panicking::panic_with_hook",
  "std::panicking::panic_handler::{closure#0}",
  "std::sys::backtrace::__rust_end_short_backtrace::<std::panicking::panic_handler::{closure#0}, !>",
  "__rustc::rust_begin_unwind",
  "core::panicking::panic_fmt",
];

test("a panic starts with the function that panicked and ends with main", () => {
  expect(cut(...INSIDE, "script::f", "script::main", ...OUTSIDE)).toEqual(["script::f", "script::main"]);
});

test.each([
  ["core::panicking::panic_bounds_check"],
  ["core::panicking::panic", "core::panicking::panic_const::panic_const_div_by_zero"],
  ["core::panicking::assert_failed_inner", "core::panicking::assert_failed::<i32, i32>"],
  ["std::panicking::begin_panic::<&str>"],
])("what only passes a panic on is left out: %s", (...panicking) => {
  expect(cut(...INSIDE, ...panicking, "script::main", ...OUTSIDE)).toEqual(["script::main"]);
});

test("the function of std that panicked for its caller is kept", () => {
  expect(cut(...INSIDE, "core::option::unwrap_failed", "script::main", ...OUTSIDE)).toEqual([
    "core::option::unwrap_failed",
    "script::main",
  ]);
});

test("an older std's names are known as well", () => {
  expect(
    cut(
      "rust_panic",
      "std::sys_common::backtrace::__rust_end_short_backtrace",
      "rust_begin_unwind",
      "core::panicking::panic",
      "script::main",
      "core::ops::function::FnOnce::call_once",
      "std::sys_common::backtrace::__rust_begin_short_backtrace",
      "_start",
    ),
  ).toEqual(["script::main"]);
});

test("memory that was refused starts with who asked for it", () => {
  const inside = [
    "abort",
    "std::process::abort",
    "std::alloc::rust_oom::{closure#0}",
    "std::sys::backtrace::__rust_end_short_backtrace::<std::alloc::rust_oom::{closure#0}, !>",
    "std::alloc::rust_oom",
    "__rustc::__rust_alloc_error_handler",
  ];
  expect(cut(...inside, "alloc::alloc::handle_alloc_error", "script::main", ...OUTSIDE)).toEqual([
    "alloc::alloc::handle_alloc_error",
    "script::main",
  ]);
});

test("an abort starts with the call that asked for it", () => {
  expect(
    cut("abort", "std::sys::pal::wasi::abort_internal", "std::process::abort", "script::main", ...OUTSIDE),
  ).toEqual(["std::process::abort", "script::main"]);
});

test("a trap starts where it was", () => {
  expect(cut("script::f", "script::main", ...OUTSIDE)).toEqual(["script::f", "script::main"]);
});

test("a main that returns a result ends the same", () => {
  const called =
    "<fn() -> core::result::Result<(), alloc::string::String> as core::ops::function::FnOnce<()>>::call_once";
  expect(cut("script::main", called, ...OUTSIDE.slice(1))).toEqual(["script::main"]);
});

test("a function pointer that the script itself calls is kept", () => {
  const called = OUTSIDE[0] ?? "";
  expect(cut("script::f", called, "script::main", ...OUTSIDE)).toEqual(["script::f", called, "script::main"]);
});

test("a stack too deep to be seen to its end is kept to where it is seen", () => {
  expect(cut(...INSIDE, "script::f", "script::f")).toEqual(["script::f", "script::f"]);
});

test("a program without Rust's runtime is kept as it is", () => {
  expect(cut("helper", "main", "_start")).toEqual(["helper", "main", "_start"]);
  expect(cut()).toEqual([]);
});

test("a panic of the runtime about nothing is nothing", () => {
  expect(cut(...INSIDE)).toEqual([]);
});
