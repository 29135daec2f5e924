import { dirname, join } from "node:path";
import { findOnPath, isExecutable } from "./path.ts";

/** The wasm linker of a toolchain: its own, or another one that has to be named. */
export type Linker =
  /** rustc finds it beside its standard libraries. */
  | { kind: "bundled"; path: string }
  /** Pass `-C linker=path`. */
  | { kind: "external"; path: string };

const NAMES = ["rust-lld", "wasm-ld", "lld"];

/** Finds what links wasm for this rustc; undefined where there is nothing. */
export async function findLinker(rustc: string, sysroot: string, host: string): Promise<Linker | undefined> {
  const bundled = join(
    sysroot,
    "lib",
    "rustlib",
    host,
    "bin",
    process.platform === "win32" ? "rust-lld.exe" : "rust-lld",
  );
  if (await isExecutable(bundled)) return { kind: "bundled", path: bundled };
  for (const name of NAMES) {
    const beside = join(dirname(rustc), name);
    if (await isExecutable(beside)) return { kind: "external", path: beside };
  }
  for (const name of NAMES) {
    const path = (await findOnPath(name))[0];
    if (path !== undefined) return { kind: "external", path };
  }
  return undefined;
}
