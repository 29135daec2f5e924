import type { Frame } from "../run/framing.ts";
import type { CellMessage, HostMessage } from "../run/protocol.ts";

/** A cell's line to the host. Everything blocks: a cell is single-threaded and does one thing at a time. */
export interface Channel {
  /** The next message; undefined once the host is gone. */
  receive(): Frame<HostMessage> | undefined;
  /** Returns when the message is on its way; the payload may be changed afterwards. */
  send(message: CellMessage, payload?: Uint8Array): void;
}
