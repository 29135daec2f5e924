import { Cell, type CellTransport, type StartTransport, type TransportEvents } from "../../src/run/cell.ts";
import { encodeCellMessage, type Frame, hostFrameReader } from "../../src/run/framing.ts";
import type { CellMessage, HostMessage } from "../../src/run/protocol.ts";

/** How a fake cell behaves where a test does not play its part by hand. */
export interface FakeBehaviour {
  /** Answers `open` with `ready`. Default true. */
  ready?: boolean;
  /** Closes when it is killed, a turn later. Default true. */
  dies?: boolean;
  /** Answers each `run`; default: not at all. */
  onRun?: (cell: FakeTransport) => void;
}

/** The other end of a cell, played by a test. */
export class FakeTransport implements CellTransport {
  /** What the host sent, decoded. */
  readonly received: Frame<HostMessage>[] = [];
  kills = 0;
  closed = false;
  backlogBytes = 0;
  readonly #events: TransportEvents;
  readonly #behaviour: FakeBehaviour;
  readonly #reader = hostFrameReader();

  constructor(events: TransportEvents, behaviour: FakeBehaviour = {}) {
    this.#events = events;
    this.#behaviour = behaviour;
  }

  send(bytes: Buffer): void {
    this.#reader.push(Buffer.from(bytes));
    for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) {
      this.received.push(frame);
      if (frame.message.kind === "open" && this.#behaviour.ready !== false) {
        queueMicrotask(() => this.say({ kind: "ready", failed: null }));
      }
      if (frame.message.kind === "run") queueMicrotask(() => this.#behaviour.onRun?.(this));
    }
  }

  kill(): void {
    this.kills += 1;
    if (this.#behaviour.dies !== false) setImmediate(() => this.close("SIGKILL"));
  }

  /** Kinds of what the host sent, in order. */
  get kinds(): string[] {
    return this.received.map((frame) => frame.message.kind);
  }

  say(message: CellMessage, payload?: string | Uint8Array): void {
    this.sayBytes(encodeCellMessage(message, payload === undefined ? undefined : Buffer.from(payload)));
  }

  sayBytes(bytes: Buffer): void {
    if (!this.closed) this.#events.onBytes(bytes);
  }

  /** The guest's end, as an honest cell tells it. */
  done(
    end: (CellMessage & { kind: "done" })["end"] = { how: "exit", exitCode: 0 },
    denialCounts: number[] = [],
  ): void {
    this.say({
      kind: "done",
      end,
      fuelLeft: 900,
      peakMemoryBytes: 65_536,
      refusedGrowths: 0,
      denialCounts,
    });
  }

  close(reason: string): void {
    if (this.closed) return;
    this.closed = true;
    this.#events.onClose(reason);
  }
}

/** A cell whose other end is in the test's hands. */
export function fakeCell(behaviour?: FakeBehaviour): { cell: Cell; far: FakeTransport } {
  let far: FakeTransport | undefined;
  const start: StartTransport = (events) => {
    far = new FakeTransport(events, behaviour);
    return far;
  };
  const cell = new Cell(start, { cell: "process", jail: "none", engine: "preview1" }, []);
  if (far === undefined) throw new Error("the cell did not start its transport");
  return { cell, far };
}
