/** What tests and their child processes agree on: which module belongs to which key. */
import { hash } from "node:crypto";

export function sampleKey(n: number): string {
  return hash("sha256", `sample ${n}`, "hex");
}

/** The one module that may ever be found under `key`, if it was stored with this size. */
export function moduleBytes(key: string, size: number): Uint8Array {
  return Uint8Array.from(Buffer.alloc(size, hash("sha256", key, "buffer")));
}
