import { CELL_KINDS, FrameReader, ProtocolError } from "./framing.ts";
import {
  type CellMessage,
  type GuestEnd,
  MAX_CHUNK_BYTES,
  MAX_DENIAL_TEXT,
  MAX_DENIALS,
  MAX_FUNCTION_NAME,
} from "./protocol.ts";

/** Bytes of the JSON of one message. */
const MAX_JSON_BYTES = 16 * 1024;
/** WebAssembly counts in 32 bits. */
const MAX_FUNCTION_INDEX = 0xffff_ffff;

/** Reads what a cell says; the cell is hostile. */
export function cellFrameReader(): FrameReader<CellMessage> {
  return new FrameReader(CELL_KINDS, MAX_JSON_BYTES, MAX_CHUNK_BYTES, parseCellMessage);
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
  const functionIndex = (field: unknown): number => {
    if (count(field) > MAX_FUNCTION_INDEX) throw new ProtocolError(kind);
    return count(field);
  };
  switch (kind) {
    case "ready":
      return { kind, failed: fields.failed === null ? null : text("failed", 1024) };
    case "pull":
      return { kind, maxBytes: count(fields.maxBytes) };
    case "artifact":
      return { kind, bytes: count(fields.bytes) };
    case "stack-frame":
      return {
        kind,
        function: text("function", MAX_FUNCTION_NAME),
        index: fields.index === null ? null : functionIndex(fields.index),
      };
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
