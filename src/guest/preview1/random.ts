import type { GuestRandom } from "./preview1.ts";

/** Loaded by the first guest that asks for random bytes: most never do. */
const crypto = () => process.getBuiltinModule("node:crypto");

/** Bytes made at a time, whatever the guest asks for: a thread can be terminated in between. */
const CHUNK = 1 << 18;

/** Fills guest memory with random bytes. */
export type RandomSource = (bytes: Uint8Array) => void;

export function createRandom(grant: GuestRandom): RandomSource {
  return grant.kind === "secure" ? fillInChunks(secureChunk) : seededSource(grant.seed);
}

/**
 * The key stream of AES-256 in counter mode from a zero counter, under the SHA-256 of the seed: every platform makes the same
 * bytes, and they depend only on how many were taken before.
 */
function seededSource(seed: string): RandomSource {
  let fill: RandomSource | undefined;
  return (bytes) => {
    fill ??= seededFill(seed);
    fill(bytes);
  };
}

function seededFill(seed: string): RandomSource {
  const { createCipheriv, createHash } = crypto();
  const key = createHash("sha256").update(seed, "utf8").digest();
  const stream = createCipheriv("aes-256-ctr", key, new Uint8Array(16));
  const zeros = new Uint8Array(CHUNK);
  return fillInChunks((chunk) => chunk.set(stream.update(zeros.subarray(0, chunk.length))));
}

function secureChunk(chunk: Uint8Array): void {
  crypto().randomFillSync(chunk);
}

function fillInChunks(fillChunk: (chunk: Uint8Array) => void): RandomSource {
  return (bytes) => {
    for (let start = 0; start < bytes.length; start += CHUNK) {
      fillChunk(bytes.subarray(start, start + CHUNK));
    }
  };
}
