/**
 * What a run is compared with: a thread that does for each message the least that running a module takes, and nothing
 * that a sandbox does. It instantiates, starts, and sends the output back.
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

/** A warm worker that runs one module. */
export interface BareWorker {
  /** Runs the module once; resolves with its output. */
  run(): Promise<Uint8Array>;
  close(): Promise<number>;
}

/** Starts a bare worker; the module is compiled once, before. */
export function startBareWorker(bytes: Uint8Array): BareWorker {
  const worker = new Worker(new URL(import.meta.url), {
    workerData: new WebAssembly.Module(new Uint8Array(bytes)),
  });
  let answer: (output: Uint8Array) => void = () => {};
  worker.on("message", (output: Uint8Array) => answer(output));
  worker.on("error", (error) => {
    throw error;
  });
  return {
    run: () =>
      new Promise((resolve) => {
        answer = resolve;
        worker.postMessage(null);
      }),
    close: () => worker.terminate(),
  };
}

const Errno = { SUCCESS: 0, BADF: 8, NOSYS: 52 } as const;

function runBare(module: WebAssembly.Module): Uint8Array {
  const output: Uint8Array[] = [];
  let memory: WebAssembly.Memory | undefined;
  const view = (): DataView => new DataView(memory?.buffer ?? new ArrayBuffer(0));
  const writeNothing = (count: number, size: number): number => {
    view().setUint32(count, 0, true);
    view().setUint32(size, 0, true);
    return Errno.SUCCESS;
  };
  const answered: WebAssembly.ModuleImports = {
    args_sizes_get: writeNothing,
    environ_sizes_get: writeNothing,
    fd_prestat_get: () => Errno.BADF,
    fd_write(_fd: number, vectors: number, count: number, written: number) {
      const data = view();
      let total = 0;
      for (let vector = vectors; vector < vectors + count * 8; vector += 8) {
        const address = data.getUint32(vector, true);
        const length = data.getUint32(vector + 4, true);
        output.push(new Uint8Array(data.buffer.slice(address, address + length)));
        total += length;
      }
      data.setUint32(written, total, true);
      return Errno.SUCCESS;
    },
  };
  const imports: WebAssembly.ModuleImports = {};
  for (const { name } of WebAssembly.Module.imports(module)) {
    imports[name] = answered[name] ?? (() => Errno.NOSYS);
  }
  const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: imports });
  memory = exports.memory as WebAssembly.Memory;
  (exports._start as () => void)();
  const [only = new Uint8Array(0)] = output;
  return output.length > 1 ? Buffer.concat(output) : only;
}

if (!isMainThread && workerData instanceof WebAssembly.Module) {
  const module = workerData;
  parentPort?.on("message", () => parentPort?.postMessage(runBare(module)));
}
