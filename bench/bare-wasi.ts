/**
 * What a guest's work on files is compared with: a Node process that runs the same module with `node:wasi`, all permitted and
 * nothing watched. It stays, as a cell does, and makes each run an instance of its own.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fstatSync, openSync, readSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** One run: the module is the one that the process was started with. */
export interface WasiRun {
  args: readonly string[];
  /** Host directories by guest path. */
  preopens: Readonly<Record<string, string>>;
}

/** A warm process with one module. */
export interface BareWasi extends AsyncDisposable {
  /** Gives what the guest wrote to stdout. Throws where it exited with another code than 0. */
  run(run: WasiRun): Promise<string>;
}

interface WasiEnd {
  exitCode: number;
  stdout: string;
}

const SELF = fileURLToPath(import.meta.url);

/** Starts the process. `module` is the path of the module. */
export function startBareWasi(module: string): BareWasi {
  const child: ChildProcess = fork(SELF, [module], { execArgv: ["--no-warnings"] });
  return {
    async run(run) {
      child.send(run);
      const [{ exitCode, stdout }] = (await once(child, "message")) as [WasiEnd];
      if (exitCode !== 0) throw new Error(`node:wasi: the guest exited with ${exitCode}`);
      return stdout;
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
  const output = await createOutput();
  process.on("message", ({ args, preopens }: WasiRun) => {
    const options = {
      version: "preview1",
      args: [...args],
      preopens,
      stdout: output.fd,
      returnOnExit: true,
    } as const;
    const wasi = new WASI(options);
    const instance = new WebAssembly.Instance(module, wasi.getImportObject() as WebAssembly.Imports);
    const exitCode = wasi.start(instance);
    process.send?.({ exitCode, stdout: output.take() } satisfies WasiEnd);
  });
}

/** `node:wasi` writes to descriptors: a file that no name leads to. */
async function createOutput(): Promise<{ fd: number; take(): string }> {
  const directory = await mkdtemp(join(tmpdir(), "scriptcell-bench-"));
  const fd = openSync(join(directory, "stdout"), "w+");
  await rm(directory, { recursive: true });
  let taken = 0;
  return {
    fd,
    take() {
      const bytes = Buffer.alloc(fstatSync(fd).size - taken);
      taken += readSync(fd, bytes, 0, bytes.length, taken);
      return bytes.toString();
    },
  };
}

const [, main, module] = process.argv;
if (main === SELF && module !== undefined) await serve(module);
