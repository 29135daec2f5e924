import { ScriptcellError } from "../errors.ts";
import type { Isolation } from "../result.ts";
import { cellFrameReader } from "./cell-messages.ts";
import { encodeHostMessage, type Frame } from "./framing.ts";
import {
  type CellMessage,
  type HostMessage,
  MAX_CHUNK_BYTES,
  type MemorySize,
  type RunRequest,
  type WireMount,
} from "./protocol.ts";

/** What a transport reports. `onClose` comes once, after the last bytes. */
export interface TransportEvents {
  onBytes(chunk: Buffer): void;
  onClose(reason: string): void;
}

/** How bytes get to a cell and back, and how the cell is ended. Implemented by process cells and worker cells. */
export interface CellTransport {
  send(frame: Buffer): void;
  /** Bytes that were sent and that the cell has not taken yet, where that can be known. */
  readonly backlogBytes: number;
  /** Ends the cell at once, whatever it is doing. What it had sent before is still delivered, then `onClose`. */
  kill(): void;
}

/** Starts the process or thread of a cell. Must not throw: a failure to start is an `onClose`. */
export type StartTransport = (events: TransportEvents) => CellTransport;

/** A module that passed the gate, with its caps in place. `key` is unique to these bytes within this process. */
export interface PreparedModule {
  readonly key: string;
  readonly bytes: Uint8Array;
  /** The memory that it imports. */
  readonly memory: MemorySize;
}

/** A file that a run finds in one of its scratch mounts. */
export interface AttachedFile {
  /** Number of the mount in the request, and the path below it. */
  mount: number;
  path: string;
  bytes: Uint8Array;
}

/** The bytes that go with a run. */
export interface RunAttachments {
  stdin: Uint8Array;
  files: readonly AttachedFile[];
}

/** Who is told what a cell says during a run. */
export interface CellListener {
  onMessage(frame: Frame<CellMessage>): void;
  /** The cell ended, or broke the protocol and was ended. */
  onGone(reason: string): void;
}

/** Stdin that a cell may have asked for and not taken. An honest one reads each answer before it asks again. */
const MAX_STDIN_BACKLOG_BYTES = 4 * MAX_CHUNK_BYTES;
/** Modules that one cell keeps compiled, at most; the least recently used goes first. */
const MAX_CELL_MODULES = 32;

/** One place where guests run, one after the other. Has a lifetime: it ends with `kill` or by its own fault, and never serves again. */
export class Cell {
  readonly isolation: Isolation;
  /** Resolves when the cell can run guests. @throws ScriptcellError CELL_FAILED */
  readonly ready: Promise<void>;
  /** Resolves when the process or thread is gone. Never rejects. */
  readonly gone: Promise<void>;
  /** Runs that were started. */
  runs = 0;
  alive = true;
  readonly #transport: CellTransport;
  readonly #reader = cellFrameReader();
  readonly #modules = new Set<string>();
  #listener: CellListener | undefined;
  #broken = false;
  #resolveGone!: () => void;

  constructor(start: StartTransport, isolation: Isolation, mounts: readonly WireMount[]) {
    this.isolation = isolation;
    this.gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
    this.ready = new Promise((resolve, reject) => {
      const fail = (reason: string): void =>
        reject(
          new ScriptcellError(
            "CELL_FAILED",
            `a cell did not start: ${reason}; \`scriptcell doctor\` says what is missing`,
          ),
        );
      this.#listener = {
        onMessage: ({ message }) => {
          this.#listener = undefined;
          if (message.kind === "ready" && message.failed === null) return resolve();
          this.kill();
          fail(
            message.kind === "ready"
              ? `a mount could not be opened: ${message.failed}`
              : "unexpected message",
          );
        },
        onGone: fail,
      };
    });
    // Whoever waits for the cell handles the failure; a spare that fails before anybody waits must not be an unhandled rejection.
    this.ready.catch(() => {});
    this.#transport = start({
      onBytes: (chunk) => this.#receive(chunk),
      onClose: (reason) => this.#close(reason),
    });
    this.#send({ kind: "open", engine: isolation.engine, mounts });
  }

  /** Starts a run. One at a time; the listener hears of it until `done` or until the cell is gone. */
  run(
    module: PreparedModule,
    request: Omit<RunRequest, "module">,
    { stdin, files }: RunAttachments,
    listener: CellListener,
  ): void {
    this.#listener = listener;
    this.runs += 1;
    if (!this.#modules.delete(module.key)) this.#sendModule(module);
    // Deleted and added again: a Set keeps insertion order, so the first key is the least recently used.
    this.#modules.add(module.key);
    for (const { mount, path, bytes } of files) this.#send({ kind: "file", mount, path }, bytes);
    this.#send({ kind: "run", module: module.key, ...request }, stdin);
  }

  /** Answers a `pull`. */
  sendStdin(chunk: Uint8Array, end: boolean): void {
    if (this.#transport.backlogBytes > MAX_STDIN_BACKLOG_BYTES) {
      this.#break("it asks for stdin and does not read it");
      return;
    }
    this.#send({ kind: "stdin", end }, chunk);
  }

  /** Ends the cell at once. */
  kill(): void {
    if (!this.alive) return;
    this.alive = false;
    this.#transport.kill();
  }

  #sendModule(module: PreparedModule): void {
    const [oldest] = this.#modules;
    if (this.#modules.size >= MAX_CELL_MODULES && oldest !== undefined) {
      this.#modules.delete(oldest);
      this.#send({ kind: "forget", key: oldest });
    }
    const { key, memory, bytes } = module;
    this.#send({ kind: "module", key, memory }, bytes);
  }

  #send(message: HostMessage, payload?: Uint8Array): void {
    if (this.alive) this.#transport.send(encodeHostMessage(message, payload));
  }

  #receive(chunk: Buffer): void {
    if (this.#broken) return;
    this.#reader.push(chunk);
    try {
      for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) {
        const listener = this.#listener;
        if (listener === undefined) throw new Error(`${frame.message.kind} outside a run`);
        this.#hand(frame, listener);
      }
      if (this.#listener === undefined && this.#reader.buffered > 0) throw new Error("bytes outside a run");
    } catch (error) {
      this.#break(error instanceof Error ? error.message : String(error));
    }
  }

  #hand(frame: Frame<CellMessage>, listener: CellListener): void {
    // Before the listener hears of it: it may start the next run at once.
    if (frame.message.kind === "done") this.#listener = undefined;
    try {
      listener.onMessage(frame);
    } catch (error) {
      // A last word that is refused has not ended the run: its listener is told that the cell is gone.
      this.#listener ??= listener;
      throw error;
    }
  }

  /** The cell can no longer be trusted: it is ended, and nothing that it still says is heard. */
  #break(why: string): void {
    this.#broken = true;
    this.kill();
    this.#tellGone(`the cell broke the protocol (${why})`);
  }

  #close(reason: string): void {
    this.alive = false;
    this.#tellGone(reason);
    this.#resolveGone();
  }

  #tellGone(reason: string): void {
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.onGone(reason);
  }
}
