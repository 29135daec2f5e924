import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { findOnPath } from "../src/toolchain/path.ts";

const execute = promisify(execFile);

/** Compiles a program for this very machine, with the rustc on PATH; undefined where none there can. */
export async function compileNatively(source: string, directory: string): Promise<string | undefined> {
  const program = join(directory, "native");
  for (const rustc of await findOnPath("rustc")) {
    try {
      await execute(rustc, ["--edition=2024", "-Copt-level=2", "-o", program, source]);
      return program;
    } catch {
      // It has no standard library for this machine, or finds no linker.
    }
  }
  return undefined;
}

/** Runs a program to its end. Throws where it exits with another code than 0. */
export async function runNatively(program: string, args: readonly string[]): Promise<void> {
  await execute(program, args);
}
