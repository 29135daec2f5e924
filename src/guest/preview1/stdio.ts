import type { Buffers } from "./buffers.ts";
import type { Host } from "./host.ts";
import { OutputLimit } from "./preview1.ts";

/** Bytes of stdin that are asked for at a time. */
const MAX_INPUT = 1 << 16;

/** Reads stdin to the first buffer: waiting for more than there is would be wrong, so one is enough. */
export function readInput({ memory, io }: Host, buffers: Buffers): number {
  if (buffers.count === 0) return 0;
  const wanted = Math.min(buffers.length(0), MAX_INPUT);
  const bytes = io.readStdin(wanted);
  if (bytes.length > wanted) throw new Error("stdin gave more bytes than it was asked for");
  memory.set(buffers.address(0), bytes);
  return bytes.length;
}

/** The output streams of a run. */
export interface Output {
  /** Passes bytes on; returns how many. Throws `OutputLimit` at the first byte that is too many. */
  write(stream: "stdout" | "stderr", buffers: Buffers): number;
}

export function createOutput({ memory, io, grants }: Host): Output {
  const left = { stdout: grants.outputBytes, stderr: grants.outputBytes };
  return {
    write(stream, buffers) {
      let done = 0;
      for (let index = 0; index < buffers.count; index++) {
        const length = buffers.length(index);
        const fits = Math.min(length, left[stream]);
        if (fits > 0) io.writeOutput(stream, memory.slice(buffers.address(index), fits));
        left[stream] -= fits;
        done += fits;
        if (fits < length) throw new OutputLimit(stream);
      }
      return done;
    },
  };
}
