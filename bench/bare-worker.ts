/**
 * What a run is compared with: a thread that does for each message the least that running a module takes, and nothing
 * that a sandbox does. It instantiates, starts, and sends the output back.
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { barePreview1 } from "./bare-preview1.ts";

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

function runBare(module: WebAssembly.Module): Uint8Array {
  const wasi = barePreview1(module);
  const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi.imports });
  wasi.bind(exports.memory as WebAssembly.Memory);
  (exports._start as () => void)();
  return wasi.output();
}

if (!isMainThread && workerData instanceof WebAssembly.Module) {
  const module = workerData;
  parentPort?.on("message", () => parentPort?.postMessage(runBare(module)));
}
