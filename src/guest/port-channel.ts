import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { encodeCellMessage, hostFrameReader } from "../run/framing.ts";
import type { Channel } from "./channel.ts";

/**
 * The channel of a worker cell: frames as messages on a port. `posted` counts what the host has posted, so that
 * an empty port can be waited on without an event loop.
 */
export function portChannel(port: MessagePort, posted: Int32Array): Channel {
  const reader = hostFrameReader();
  return {
    receive() {
      for (;;) {
        const frame = reader.next();
        if (frame !== undefined) return frame;
        const seen = Atomics.load(posted, 0);
        const received = receiveMessageOnPort(port) as { message: Uint8Array } | undefined;
        if (received === undefined) Atomics.wait(posted, 0, seen);
        else
          reader.push(
            Buffer.from(received.message.buffer, received.message.byteOffset, received.message.length),
          );
      }
    },
    send(message, payload) {
      port.postMessage(new Uint8Array(encodeCellMessage(message, payload)));
    },
  };
}
