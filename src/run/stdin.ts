import { ScriptcellError } from "../errors.ts";
import { MAX_ATTACHED_STDIN_BYTES, MAX_CHUNK_BYTES } from "./protocol.ts";

/** What a guest may be given on stdin: text, bytes, or a stream of either. */
export type StdinSource =
  | string
  | Uint8Array
  | AsyncIterable<string | Uint8Array>
  | ReadableStream<string | Uint8Array>;

/** Stdin of one run: what travels with it, and where the rest comes from. */
export interface Stdin {
  mode: "attached" | "pulled";
  attached: Uint8Array;
  /** The next at most `maxBytes` bytes and whether they are the last. */
  pull(maxBytes: number): { chunk: Uint8Array; end: boolean } | Promise<{ chunk: Uint8Array; end: boolean }>;
  /** Tells the source that no more is wanted. */
  cancel(): void;
}

const NOTHING = new Uint8Array(0);

/** Small stdin travels with the run; large stdin and streams are pulled as the guest reads, so that nothing piles up. */
export function openStdin(source: StdinSource | undefined): Stdin {
  if (source === undefined) return attach(NOTHING);
  if (typeof source === "string") return fromBytes(Buffer.from(source, "utf8"));
  if (source instanceof Uint8Array) return fromBytes(source);
  return fromStream(source);
}

function attach(attached: Uint8Array): Stdin {
  return { mode: "attached", attached, pull: () => ({ chunk: NOTHING, end: true }), cancel() {} };
}

function fromBytes(bytes: Uint8Array): Stdin {
  if (bytes.length <= MAX_ATTACHED_STDIN_BYTES) return attach(bytes);
  let offset = 0;
  return {
    mode: "pulled",
    attached: NOTHING,
    pull(maxBytes) {
      const chunk = bytes.subarray(offset, offset + Math.min(maxBytes, MAX_CHUNK_BYTES));
      offset += chunk.length;
      return { chunk, end: offset === bytes.length };
    },
    cancel() {},
  };
}

function fromStream(source: AsyncIterable<string | Uint8Array> | ReadableStream<string | Uint8Array>): Stdin {
  // Taken at the first need: a run that is turned away leaves the stream to the caller's next try.
  let iterator: AsyncIterator<string | Uint8Array> | undefined;
  const opened = (): AsyncIterator<string | Uint8Array> => {
    iterator ??= (source as AsyncIterable<string | Uint8Array>)[Symbol.asyncIterator]();
    return iterator;
  };
  let rest: Uint8Array = NOTHING;
  let end = false;
  return {
    mode: "pulled",
    attached: NOTHING,
    async pull(maxBytes) {
      while (rest.length === 0 && !end) {
        const next = await opened().next();
        if (next.done === true) end = true;
        else rest = bytesOf(next.value);
      }
      const chunk = rest.subarray(0, Math.min(maxBytes, MAX_CHUNK_BYTES));
      rest = rest.subarray(chunk.length);
      return { chunk, end };
    },
    cancel() {
      // The source's own clean-up; its failure is nobody's result any more.
      if (!end) (async () => opened().return?.())().catch(() => {});
    },
  };
}

function bytesOf(chunk: unknown): Uint8Array {
  if (typeof chunk === "string") return Buffer.from(chunk, "utf8");
  if (chunk instanceof Uint8Array) return chunk;
  throw new ScriptcellError(
    "INVALID_OPTIONS",
    "the stdin stream gave a chunk that is neither a string nor a Uint8Array",
  );
}
