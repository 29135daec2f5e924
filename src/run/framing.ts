import type { CellMessage, HostMessage } from "./protocol.ts";

/**
 * How messages become bytes. A frame is
 * `kind (1 byte) | JSON length (u32, little endian) | payload length (u32) | JSON (UTF-8) | payload (bytes)`.
 */
const HOST_KINDS = ["open", "module", "forget", "run", "stdin", "file"] as const;
/** The first byte of a cell's frame counts in this list. */
export const CELL_KINDS = [
  "ready",
  "stdout",
  "stderr",
  "pull",
  "denial",
  "done",
  "artifact",
  "artifact-bytes",
  "stack-frame",
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

/** Reads what the host says; the host is trusted, so the shape is not checked again. */
export function hostFrameReader(): FrameReader<HostMessage> {
  return new FrameReader(
    HOST_KINDS,
    0xffff_ffff,
    0xffff_ffff,
    (kind, fields) => ({ kind, ...(fields as object) }) as HostMessage,
  );
}
