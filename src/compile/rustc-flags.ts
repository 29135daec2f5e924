import type { Toolchain } from "../toolchain/toolchain.ts";

/** Rust edition of a script. */
export type Edition = "2015" | "2018" | "2021" | "2024";

/** `fast-compile`: the first result counts. `fast-run`: the module will run often or long. */
export type Profile = "fast-compile" | "fast-run";

/** The one target of scripts so far. */
const TARGET = "wasm32-wasip1";

/** Crate name, given on the command line so that `#![crate_name]` in a script is an error. */
export const CRATE_NAME = "script";

/**
 * At most this many parts of a script are compiled side by side: it bounds threads, memory and temporary files,
 * and processor time as a multiple of wall time.
 */
export const CODEGEN_UNITS = 4;

const LINKER_THREADS = 4;

/**
 * README's section on profiles has what each flag costs and gives; `npm run bench -- flags` measures it. Most scripts run once
 * and for milliseconds, so `fast-compile` is for callers who do not ask. Every level above 0 costs about the same, so `fast-run`
 * takes the highest. LTO does not pay.
 */
const PROFILE_FLAGS: Readonly<Record<Profile, readonly string[]>> = {
  "fast-compile": ["-C", "opt-level=0", "-C", `codegen-units=${CODEGEN_UNITS}`],
  "fast-run": ["-C", "opt-level=3", "-C", "codegen-units=1"],
};

/**
 * All flags that decide what rustc makes of a source, and none that names a path of this machine: with the source and the
 * compiler's identity they make the store's key.
 */
export function rustcFlags(
  profile: Profile,
  edition: Edition,
  toolchain: Pick<Toolchain, "linker">,
): string[] {
  return [
    "--target",
    TARGET,
    "--edition",
    edition,
    "--crate-type",
    "bin",
    "--crate-name",
    CRATE_NAME,
    "--error-format=json",
    // Cuts the excerpts of long lines in the rendered text; spans stay exact.
    "--diagnostic-width=140",
    ...PROFILE_FLAGS[profile],
    // A script means the same under both profiles, and `usize` has 32 bits here: overflow is a panic, never a wrong number.
    "-C",
    "overflow-checks=on",
    "-C",
    "debug-assertions=off",
    // The name section stays: panics and traps name functions.
    "-C",
    "strip=debuginfo",
    // By itself it starts more where there are more processors, and each takes of the address space that `memoryBytes` bounds.
    "-C",
    `link-arg=--threads=${LINKER_THREADS}`,
    // A linker that was named is driven as a wasm linker whatever its file is called.
    ...(toolchain.linker === undefined ? [] : ["-C", "linker-flavor=wasm-ld"]),
  ];
}
