/**
 * What a guest's work on files is compared with: a Node process that runs the same module with `node:wasi`, all permitted and
 * nothing watched. It stays, as a cell does, and makes each run an instance of its own.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** One run: the module is the one that the process was started with. */
export interface WasiRun {
  args: readonly string[];
  /** Host directories by guest path. */
  preopens: Readonly<Record<string, string>>;
}

/** A warm process with one module. */
export interface BareWasi extends AsyncDisposable {
  /** Gives the milliseconds of the run in its process. Throws where the guest exited with another code than 0. */
  run(run: WasiRun): Promise<number>;
}

interface WasiEnd {
  exitCode: number;
  durationMs: number;
}

const SELF = fileURLToPath(import.meta.url);

/** Starts the process. `module` is the path of the module. */
export function startBareWasi(module: string): BareWasi {
  const child: ChildProcess = fork(SELF, [module], { execArgv: ["--no-warnings"] });
  return {
    async run(run) {
      child.send(run);
      const [{ exitCode, durationMs }] = (await once(child, "message")) as [WasiEnd];
      if (exitCode !== 0) throw new Error(`node:wasi: the guest exited with ${exitCode}`);
      return durationMs;
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}

async function serve(path: string): Promise<void> {
  // Here, not above: what starts this process has no use for it, and Node warns of it wherever it is imported.
  const { WASI } = await import("node:wasi");
  const module = new WebAssembly.Module(new Uint8Array(await readFile(path)));
  process.on("message", ({ args, preopens }: WasiRun) => {
    const startedAt = performance.now();
    const wasi = new WASI({ version: "preview1", args: [...args], preopens, returnOnExit: true });
    const instance = new WebAssembly.Instance(module, wasi.getImportObject() as WebAssembly.Imports);
    const exitCode = wasi.start(instance);
    process.send?.({ exitCode, durationMs: performance.now() - startedAt } satisfies WasiEnd);
  });
}

const [, main, module] = process.argv;
if (main === SELF && module !== undefined) await serve(module);
