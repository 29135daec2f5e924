import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { defaultCacheDir } from "../../src/toolchain/cache-dir.ts";
import { findToolchain, TARGET } from "../../src/toolchain/find.ts";
import { instantiate, type Runnable } from "./instantiate.ts";

/** What rustc makes of a program, with these flags besides target and linker. */
export async function compileRust(
  source: string,
  flags: readonly string[],
): Promise<Uint8Array<ArrayBuffer>> {
  const { rustc, linker } = await findToolchain({ cacheDir: defaultCacheDir() });
  const directory = await mkdtemp(join(tmpdir(), "scriptcell-instrument-"));
  try {
    const input = join(directory, "program.rs");
    const output = join(directory, "program.wasm");
    await writeFile(input, source);
    const linking = linker === undefined ? [] : ["-C", `linker=${linker}`];
    await execa(rustc, ["--target", TARGET, "--edition", "2024", ...linking, ...flags, "-o", output, input]);
    return new Uint8Array(await readFile(output));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** What came of a program. */
export interface ProgramEnd {
  end: string;
  stdout: string;
  stderr: string;
  pages: number;
  exports: WebAssembly.Exports;
}

class Exit extends Error {}

/** Runs a preview 1 command with nothing but output, no arguments, no variables, and bytes of randomness that are all 7. */
export function runProgram(program: Runnable): ProgramEnd {
  const output = ["", "", ""];
  let memory: WebAssembly.Memory | undefined;
  const view = (): DataView => new DataView(memory?.buffer ?? new ArrayBuffer(0));
  const text = new TextDecoder();
  const host: Record<string, (...args: never[]) => unknown> = {
    fd_write(fd: number, vectors: number, count: number, written: number) {
      let total = 0;
      for (let index = 0; index < count; index += 1) {
        const at = view().getUint32(vectors + 8 * index, true);
        const length = view().getUint32(vectors + 8 * index + 4, true);
        output[fd] += text.decode(new Uint8Array(view().buffer, at, length));
        total += length;
      }
      view().setUint32(written, total, true);
      return 0;
    },
    random_get(at: number, length: number) {
      new Uint8Array(view().buffer, at, length).fill(7);
      return 0;
    },
    environ_sizes_get: (count: number, size: number) => nothing(count, size),
    args_sizes_get: (count: number, size: number) => nothing(count, size),
    proc_exit(code: number) {
      throw new Exit(`exit ${code}`);
    },
  };
  const nothing = (count: number, size: number): number => {
    view().setUint32(count, 0, true);
    view().setUint32(size, 0, true);
    return 0;
  };
  const module = new WebAssembly.Module(program.bytes);
  for (const { name } of WebAssembly.Module.imports(module)) host[name] ??= () => 0;
  const exports = instantiate(program, { wasi_snapshot_preview1: host });
  memory = exports.memory as WebAssembly.Memory;
  let end = "exit 0";
  try {
    (exports._start as () => void)();
  } catch (error) {
    if (!(error instanceof Exit || error instanceof WebAssembly.RuntimeError)) throw error;
    end = error.message;
  }
  return {
    end,
    stdout: output[1] ?? "",
    stderr: output[2] ?? "",
    pages: view().byteLength / 65_536,
    exports,
  };
}
