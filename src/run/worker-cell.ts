import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { StartTransport } from "./cell.ts";
import { EXTENSION, SOURCE_ROOT } from "./cell-code.ts";

const ENTRY = join(SOURCE_ROOT, "guest", `worker${EXTENSION}`);
const BYTES_PER_MIB = 1024 * 1024;

/**
 * A cell in a thread of this process: starts faster and uses less memory than a process, and has no wall of the
 * operating system's around it. The thread's event loop never turns: it waits on `posted` and reads its port.
 */
export function startWorker(stackBytes: number): StartTransport {
  return (events) => {
    const shared = new SharedArrayBuffer(4);
    const posted = new Int32Array(shared);
    const worker = new Worker(ENTRY, {
      workerData: shared,
      env: {},
      argv: [],
      execArgv: [],
      stdin: false,
      stdout: true,
      stderr: true,
      trackUnmanagedFds: true,
      resourceLimits: {
        stackSizeMb: stackSizeMb(stackBytes),
        maxOldGenerationSizeMb: 256,
        maxYoungGenerationSizeMb: 16,
      },
    });
    let reason = "the thread ended";
    worker.on("message", (message: Uint8Array) =>
      events.onBytes(Buffer.from(message.buffer, message.byteOffset, message.length)),
    );
    worker.on("error", (error) => {
      reason = error instanceof Error ? error.message : String(error);
    });
    worker.on("exit", () => events.onClose(reason));
    worker.unref();
    return {
      send(frame) {
        worker.postMessage(new Uint8Array(frame));
        Atomics.add(posted, 0, 1);
        Atomics.notify(posted, 0);
      },
      // A port does not say what was read from it. A thread is no wall, so there is none to hold here.
      backlogBytes: 0,
      kill: () => void worker.terminate(),
    };
  };
}

/** Below 1 MiB, Node 22 and 24 crash at once instead of throwing. */
function stackSizeMb(stackBytes: number): number {
  return Math.max(1, stackBytes / BYTES_PER_MIB);
}
