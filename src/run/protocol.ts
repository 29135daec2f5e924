/**
 * Every message between the host and a cell, and how it is framed. Both sides import this file and nothing else of each other.
 *
 * A frame is `kind (1 byte) | JSON length (u32, little endian) | payload length (u32) | JSON (UTF-8) | payload (bytes)`.
 * The host trusts no byte that a cell sends: lengths are checked before anything is kept, and every message is validated here.
 */

/** Mount as the cell sees it. */
export interface WireMount {
  source: string;
  guest: string;
  access: "read" | "read-write";
  maxBytes: number | null;
}

/** Whose preview 1 host serves a cell's guests: scriptcell's own, or Node's. */
export type WireEngine = "preview1" | "node-wasi";

/** Clock of one run; frozen time is nanoseconds since 1970 as decimal digits. */
export type WireClock = { kind: "denied" | "monotonic" | "real" } | { kind: "frozen"; epochNs: string };

/** A directory that lives in the cell's memory for one run. */
export interface WireScratchMount {
  guest: string;
  /** `read`: it holds what the host put there. */
  access: "read" | "read-write";
  /** Bytes that it may hold; null: only the bytes of all of them count. */
  bytes: number | null;
}

/** What one run has in memory. Its mounts are apart from those of the cell: any cell can have them. */
export interface WireScratch {
  mounts: readonly WireScratchMount[];
  /** Bytes that all of them may hold. */
  bytes: number;
  /** Patterns of the files that are sent back at the end. */
  artifacts: readonly string[];
}

/** One run. */
export interface RunRequest {
  /** The module, sent before with `module`. */
  module: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  clock: WireClock;
  random: { kind: "secure" } | { kind: "seeded"; seed: string };
  /** `attached`: the payload is all of stdin. `pulled`: the cell asks for it with `pull`. */
  stdin: "attached" | "pulled";
  fuel: number;
  outputBytes: number;
  diskBytes: number;
  openFiles: number;
  /** Undefined: nothing in memory. */
  scratch?: WireScratch | undefined;
}

/** The memory of a module, in pages of 64 KiB. */
export interface MemorySize {
  minimum: number;
  maximum: number;
}

/** What the host says. */
export type HostMessage =
  /** Once, first: opens the mounts. */
  | { kind: "open"; engine: WireEngine; mounts: readonly WireMount[] }
  /** Payload: a capped, metered module, kept under `key` until `forget`. */
  | { kind: "module"; key: string; memory: MemorySize }
  | { kind: "forget"; key: string }
  | ({ kind: "run" } & RunRequest)
  /** The answer to `pull`. Payload: the next bytes; `end` with the last of them. */
  | { kind: "stdin"; end: boolean }
  /** Before `run`: a file of that run. Payload: its bytes. `path` is below the run's scratch mount of that number. */
  | { kind: "file"; mount: number; path: string };

/** How the guest's `_start` ended. */
export type GuestEnd =
  | { how: "exit"; exitCode: number }
  | { how: "trap"; code: string; message: string }
  | { how: "stack-overflow" }
  | { how: "output-limit"; stream: "stdout" | "stderr" }
  /** The module did not compile or link: the gate let something through that the engine refuses. */
  | { how: "load-failed"; message: string };

/** What a cell says. */
export type CellMessage =
  /** Once, after `open`. `failed`: a mount could not be opened. */
  | { kind: "ready"; failed: string | null }
  /** Payload: output, in order. */
  | { kind: "stdout" }
  | { kind: "stderr" }
  /** Asks for stdin; the cell waits for `stdin`. */
  | { kind: "pull"; maxBytes: number }
  /** A refusal, sent when it first happens. */
  | { kind: "denial"; call: string; target: string; reason: string; grant: string | null }
  /** A file that the guest left, before `done`. Payload: its path as UTF-8. Its bytes follow in as many frames as they need. */
  | { kind: "artifact"; bytes: number }
  | { kind: "artifact-bytes" }
  /** The run is over. `denialCounts[i]` belongs to the i-th `denial` of the run. */
  | {
      kind: "done";
      end: GuestEnd;
      /** Below zero where the guest ran out of it. */
      fuelLeft: number;
      peakMemoryBytes: number;
      refusedGrowths: number;
      denialCounts: readonly number[];
    };

/** Bytes of output or stdin in one frame, at most. */
export const MAX_CHUNK_BYTES = 64 * 1024;
/** Distinct denials in one run, at most; later ones are dropped. */
export const MAX_DENIALS = 64;
/** Characters of each text in a denial, at most. */
export const MAX_DENIAL_TEXT = 256;

/** Stdin up to this size travels with the run; beyond it is pulled. */
export const MAX_ATTACHED_STDIN_BYTES = 256 * 1024;

/** What a file, directory or link in memory is charged besides its contents, and what each of its names is besides its length. */
export const SCRATCH_NODE_BYTES = 512;
export const SCRATCH_NAME_BYTES = 128;
/** Files, directories, links, further names and pieces of contents (64 KiB each) in the memory of one run, at most. */
export const MAX_SCRATCH_OBJECTS = 250_000;
/** Artifacts of one run, and bytes of the path of each, at most. */
export const MAX_ARTIFACTS = 10_000;
export const MAX_ARTIFACT_PATH_BYTES = 4096;

const HOST_KINDS = ["open", "module", "forget", "run", "stdin", "file"] as const;
const CELL_KINDS = [
  "ready",
  "stdout",
  "stderr",
  "pull",
  "denial",
  "done",
  "artifact",
  "artifact-bytes",
] as const;
const HEADER_BYTES = 9;
const NO_PAYLOAD = new Uint8Array(0);

/** One message and its payload. */
export interface Frame<Message> {
  message: Message;
  payload: Uint8Array;
}

/** The peer sent bytes that are no message. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

function encode(kinds: readonly string[], message: { kind: string }, payload: Uint8Array): Buffer {
  const { kind, ...fields } = message;
  const json = Object.keys(fields).length === 0 ? "" : JSON.stringify(fields);
  const jsonBytes = Buffer.byteLength(json);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + jsonBytes + payload.length);
  frame[0] = kinds.indexOf(kind);
  frame.writeUInt32LE(jsonBytes, 1);
  frame.writeUInt32LE(payload.length, 5);
  frame.write(json, HEADER_BYTES, "utf8");
  frame.set(payload, HEADER_BYTES + jsonBytes);
  return frame;
}

/** Encodes what the host says. */
export function encodeHostMessage(message: HostMessage, payload: Uint8Array = NO_PAYLOAD): Buffer {
  return encode(HOST_KINDS, message, payload);
}

/** Encodes what a cell says. */
export function encodeCellMessage(message: CellMessage, payload: Uint8Array = NO_PAYLOAD): Buffer {
  return encode(CELL_KINDS, message, payload);
}

/** Turns a byte stream into frames. A frame beyond the bounds is an error before a byte of it is kept. */
export class FrameReader<Message> {
  readonly #kinds: readonly string[];
  readonly #maxJsonBytes: number;
  readonly #maxPayloadBytes: number;
  readonly #validate: (kind: string, fields: unknown) => Message;
  #chunks: Buffer[] = [];
  #buffered = 0;

  constructor(
    kinds: readonly string[],
    maxJsonBytes: number,
    maxPayloadBytes: number,
    validate: (kind: string, fields: unknown) => Message,
  ) {
    this.#kinds = kinds;
    this.#maxJsonBytes = maxJsonBytes;
    this.#maxPayloadBytes = maxPayloadBytes;
    this.#validate = validate;
  }

  /** Bytes that came and belong to no whole frame yet. */
  get buffered(): number {
    return this.#buffered;
  }

  /** Adds bytes; they must not change afterwards. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
  }

  /** The next whole frame, or undefined until more bytes come. @throws ProtocolError */
  next(): Frame<Message> | undefined {
    if (this.#buffered < HEADER_BYTES) return undefined;
    const head = this.#contiguous(HEADER_BYTES);
    const kind = this.#kinds[head.readUInt8(0)];
    const jsonBytes = head.readUInt32LE(1);
    const payloadBytes = head.readUInt32LE(5);
    if (kind === undefined) throw new ProtocolError("unknown message");
    if (jsonBytes > this.#maxJsonBytes || payloadBytes > this.#maxPayloadBytes) {
      throw new ProtocolError(`${kind}: message too large`);
    }
    const size = HEADER_BYTES + jsonBytes + payloadBytes;
    if (this.#buffered < size) return undefined;
    const frame = this.#contiguous(size);
    const json = frame.subarray(HEADER_BYTES, HEADER_BYTES + jsonBytes);
    const payload = frame.subarray(HEADER_BYTES + jsonBytes, size);
    this.#drop(size);
    return { message: this.#validate(kind, jsonBytes === 0 ? {} : parseJson(kind, json)), payload };
  }

  /** The first `size` buffered bytes as one buffer. */
  #contiguous(size: number): Buffer {
    let first = this.#chunks[0] ?? Buffer.alloc(0);
    if (first.length < size) {
      first = Buffer.concat(this.#chunks, this.#buffered);
      this.#chunks = [first];
    }
    return first;
  }

  #drop(size: number): void {
    const first = this.#chunks[0] ?? Buffer.alloc(0);
    this.#buffered -= size;
    if (first.length === size) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(size);
  }
}

function parseJson(kind: string, json: Buffer): unknown {
  try {
    return JSON.parse(json.toString("utf8"));
  } catch (cause) {
    throw new ProtocolError(`${kind}: not JSON`, { cause });
  }
}

/** Reads what a cell says; the cell is hostile. */
export function cellFrameReader(): FrameReader<CellMessage> {
  return new FrameReader(CELL_KINDS, 16 * 1024, MAX_CHUNK_BYTES, parseCellMessage);
}

/** Reads what the host says; the host is trusted, so the shape is not checked again. */
export function hostFrameReader(): FrameReader<HostMessage> {
  return new FrameReader(
    HOST_KINDS,
    0xffff_ffff,
    0xffff_ffff,
    (kind, fields) => ({ kind, ...(fields as object) }) as HostMessage,
  );
}

function parseCellMessage(kind: string, value: unknown): CellMessage {
  if (kind === "stdout" || kind === "stderr" || kind === "artifact-bytes") return { kind };
  if (typeof value !== "object" || value === null) throw new ProtocolError(`${kind}: not an object`);
  const fields = value as Record<string, unknown>;
  const text = (name: string, max = MAX_DENIAL_TEXT): string => {
    const field = fields[name];
    if (typeof field !== "string" || field.length > max) throw new ProtocolError(`${kind}.${name}`);
    return field;
  };
  const integer = (field: unknown): number => {
    if (typeof field !== "number" || !Number.isSafeInteger(field)) throw new ProtocolError(kind);
    return field;
  };
  const count = (field: unknown): number => {
    if (integer(field) < 0) throw new ProtocolError(kind);
    return integer(field);
  };
  switch (kind) {
    case "ready":
      return { kind, failed: fields.failed === null ? null : text("failed", 1024) };
    case "pull":
      return { kind, maxBytes: count(fields.maxBytes) };
    case "artifact":
      return { kind, bytes: count(fields.bytes) };
    case "denial":
      return {
        kind,
        call: text("call"),
        target: text("target"),
        reason: text("reason"),
        grant: fields.grant === null ? null : text("grant"),
      };
    case "done": {
      const counts = fields.denialCounts;
      if (!Array.isArray(counts) || counts.length > MAX_DENIALS) throw new ProtocolError("done.denialCounts");
      return {
        kind,
        end: parseGuestEnd(fields.end),
        fuelLeft: integer(fields.fuelLeft),
        peakMemoryBytes: count(fields.peakMemoryBytes),
        refusedGrowths: count(fields.refusedGrowths),
        denialCounts: counts.map(count),
      };
    }
    default:
      throw new ProtocolError(kind);
  }
}

function parseGuestEnd(value: unknown): GuestEnd {
  const end = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const message = (): string => {
    if (typeof end.message !== "string") throw new ProtocolError("done.end.message");
    return end.message.slice(0, 1024);
  };
  switch (end.how) {
    case "exit":
      if (typeof end.exitCode !== "number" || !Number.isInteger(end.exitCode)) break;
      return { how: "exit", exitCode: end.exitCode >>> 0 };
    case "trap":
      if (typeof end.code !== "string") break;
      return { how: "trap", code: end.code.slice(0, 64), message: message() };
    case "stack-overflow":
      return { how: "stack-overflow" };
    case "output-limit":
      if (end.stream !== "stdout" && end.stream !== "stderr") break;
      return { how: "output-limit", stream: end.stream };
    case "load-failed":
      return { how: "load-failed", message: message() };
  }
  throw new ProtocolError("done.end");
}
