import { encodeCellMessage, hostFrameReader } from "../run/framing.ts";
import { MAX_CHUNK_BYTES } from "../run/protocol.ts";
import { fs } from "./builtins.ts";
import type { Channel } from "./channel.ts";

/** Room that a read should find; a run's request most often fits. */
const MIN_ROOM_BYTES = 4 * 1024;

/** The channel of a process cell: frames on stdin and stdout. */
export function pipeChannel(): Channel {
  const reader = hostFrameReader();
  let buffer = Buffer.allocUnsafe(MAX_CHUNK_BYTES);
  let used = 0;
  return {
    receive() {
      for (;;) {
        const frame = reader.next();
        if (frame !== undefined) return frame;
        // Frames alias what was read, so no byte is written twice; a buffer for each read would be garbage to collect.
        if (buffer.length - used < MIN_ROOM_BYTES) {
          buffer = Buffer.allocUnsafe(MAX_CHUNK_BYTES);
          used = 0;
        }
        const length = fs.readSync(0, buffer, used, buffer.length - used, null);
        if (length === 0) return undefined;
        reader.push(buffer.subarray(used, used + length));
        used += length;
      }
    },
    send(message, payload) {
      const frame = encodeCellMessage(message, payload);
      for (let sent = 0; sent < frame.length; ) sent += fs.writeSync(1, frame, sent);
    },
  };
}
