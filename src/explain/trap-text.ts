import type { LimitName } from "../limits.ts";
import type { TrapCode } from "../result.ts";

/** What a trap is, and what brings it about in Rust. */
export const TRAPS: Readonly<Record<TrapCode, string>> = {
  unreachable:
    "it ran into an instruction that ends the program: `std::process::abort`, a panic while it was panicking, or `unreachable_unchecked`",
  "out-of-bounds-memory":
    "it read or wrote outside of its memory: recursion that is too deep, or too large arrays in local variables, overflowed its stack, or `unsafe` code used a bad pointer",
  "out-of-bounds-table": "it called a function that does not exist: `unsafe` code made up a function pointer",
  "indirect-call-type-mismatch":
    "it called a function with another signature: `unsafe` code transmuted a function pointer",
  "integer-divide-by-zero": "it divided an integer by zero in `unsafe` code (safe Rust panics instead)",
  "integer-overflow": "an integer division overflowed in `unsafe` code (safe Rust panics instead)",
  "invalid-conversion":
    "it converted a float that does not fit an integer in `unsafe` code (`as` saturates instead)",
  "cell-died":
    "the process that it ran in died under it; if that happens again, it uses more memory or deeper recursion than the machine has",
  other: "it did what WebAssembly forbids",
};

/** What to do about each limit that can end a run. */
export const LIMIT_ADVICE: Readonly<Record<LimitName, string>> = {
  wallTimeMs:
    "look for a loop that does not end or waits for something, use a cheaper algorithm, or raise limits.wallTimeMs",
  fuel: "look for a loop that does not end or waits for something, use a cheaper algorithm, or raise limits.fuel",
  memoryBytes:
    "work on the data in pieces instead of holding all of it, look for a collection that grows without end, or raise limits.memoryBytes",
  stackBytes:
    "look for recursion that does not end, use a loop with a `Vec` as its stack, or raise limits.stackBytes",
  tableElements: "use fewer functions, or raise limits.tableElements",
  outputBytes: "print less, results and no progress, or raise limits.outputBytes",
  diskBytes: "write less, or raise limits.diskBytes",
  scratchBytes: "write less, or raise limits.scratchBytes",
  openFiles: "close files before others are opened, or raise limits.openFiles",
  hostCallBytes: "read, write and ask for less at a time, or raise limits.hostCallBytes",
};
