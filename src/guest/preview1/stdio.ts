import type { Buffer } from "./buffers.ts";
import type { Host } from "./host.ts";
import { OutputLimit } from "./preview1.ts";

/** Bytes of stdin that are asked for at a time. */
const MAX_INPUT = 1 << 16;

/** Reads stdin to the first buffer: waiting for more than there is would be wrong, so one is enough. */
export function readInput({ memory, io }: Host, buffer: Buffer | undefined): number {
  if (buffer === undefined) return 0;
  const wanted = Math.min(buffer.length, MAX_INPUT);
  const bytes = io.readStdin(wanted);
  if (bytes.length > wanted) throw new Error("stdin gave more bytes than it was asked for");
  memory.set(buffer.address, bytes);
  return bytes.length;
}

/** The output streams of a run. */
export interface Output {
  /** Passes bytes on; returns how many. Throws `OutputLimit` at the first byte that is too many. */
  write(stream: "stdout" | "stderr", buffers: readonly Buffer[]): number;
}

export function createOutput({ memory, io, grants }: Host): Output {
  const left = { stdout: grants.outputBytes, stderr: grants.outputBytes };
  return {
    write(stream, buffers) {
      let done = 0;
      for (const { address, length } of buffers) {
        const fits = Math.min(length, left[stream]);
        if (fits > 0) io.writeOutput(stream, memory.slice(address, fits));
        left[stream] -= fits;
        done += fits;
        if (fits < length) throw new OutputLimit(stream);
      }
      return done;
    },
  };
}
