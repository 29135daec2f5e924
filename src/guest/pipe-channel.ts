import { encodeCellMessage, hostFrameReader, MAX_CHUNK_BYTES } from "../run/protocol.ts";
import { fs } from "./builtins.ts";
import type { Channel } from "./channel.ts";

/** The channel of a process cell: frames on stdin and stdout. */
export function pipeChannel(): Channel {
  const reader = hostFrameReader();
  return {
    receive() {
      for (;;) {
        const frame = reader.next();
        if (frame !== undefined) return frame;
        // A fresh buffer each time: frames alias what was pushed.
        const buffer = Buffer.allocUnsafe(MAX_CHUNK_BYTES);
        const length = fs.readSync(0, buffer);
        if (length === 0) return undefined;
        reader.push(buffer.subarray(0, length));
      }
    },
    send(message, payload) {
      const frame = encodeCellMessage(message, payload);
      for (let sent = 0; sent < frame.length; ) sent += fs.writeSync(1, frame, sent);
    },
  };
}
