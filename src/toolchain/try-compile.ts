import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ScriptcellError } from "../errors.ts";
import { runCommand } from "./command.ts";

/** Preambles: the magic number, then version and layer (core: 1 and 0; component: 13 and 1). */
const PREAMBLES: Readonly<Record<string, string>> = {
  "wasm32-wasip1": "0061736d01000000",
  "wasm32-wasip2": "0061736d0d000100",
};

/**
 * Compiles and links a small program for wasip1 and wasip2, to know that a toolchain works before anybody relies on it.
 * @throws ScriptcellError `SETUP_FAILED`.
 */
export async function tryCompile(
  rustc: string,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const source = join(directory, "hello.rs");
  await writeFile(source, 'fn main() { println!("{}", std::env::args().count()); }\n');
  for (const [target, preamble] of Object.entries(PREAMBLES)) {
    const output = join(directory, `${target}.wasm`);
    await runCommand(rustc, ["--target", target, "--edition", "2024", "-o", output, source], {
      cwd: directory,
      env: { TMPDIR: directory },
      signal,
      timeoutMs: 300_000,
    });
    const start = (await readFile(output)).subarray(0, 8).toString("hex");
    if (start !== preamble)
      throw new ScriptcellError(
        "SETUP_FAILED",
        `${rustc} made something else than a ${target} module: run \`scriptcell setup\` again`,
      );
  }
}
