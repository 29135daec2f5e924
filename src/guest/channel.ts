import { readSync, writeSync } from "node:fs";
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import {
  type CellMessage,
  encodeCellMessage,
  type Frame,
  type HostMessage,
  hostFrameReader,
  MAX_CHUNK_BYTES,
} from "../run/protocol.ts";

/** A cell's line to the host. Everything blocks: a cell is single-threaded and does one thing at a time. */
export interface Channel {
  /** The next message; undefined once the host is gone. */
  receive(): Frame<HostMessage> | undefined;
  /** Returns when the message is on its way; the payload may be changed afterwards. */
  send(message: CellMessage, payload?: Uint8Array): void;
}

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
        const length = readSync(0, buffer);
        if (length === 0) return undefined;
        reader.push(buffer.subarray(0, length));
      }
    },
    send(message, payload) {
      const frame = encodeCellMessage(message, payload);
      for (let sent = 0; sent < frame.length; ) sent += writeSync(1, frame, sent);
    },
  };
}

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
