import { readFileSync } from "node:fs";
import { createRandom } from "../../src/guest/preview1/random.ts";
import { KiB, MiB } from "../../src/index.ts";

/** A program of the fixtures, and how it ends. */
export interface Program {
  name: string;
  /** As the result says it, and as Wasmtime does. */
  end: { status: string; oracle: string };
  stdin?: string;
}

const RETURNED = { status: "ok", oracle: "returned" };
const PANICKED = { status: "panicked", oracle: "unreachable" };

/** Every program whose fuel is exact, in whatever way it ends. */
export const PROGRAMS: readonly Program[] = [
  { name: "loops", end: RETURNED },
  { name: "recursion", end: RETURNED },
  { name: "mutual-recursion", end: RETURNED },
  { name: "closures", end: RETURNED },
  { name: "dyn-calls", end: RETURNED },
  { name: "function-pointers", end: RETURNED },
  { name: "interpreter", end: RETURNED },
  { name: "shared-ownership", end: RETURNED },
  { name: "strings", end: RETURNED },
  { name: "formatting", end: RETURNED },
  { name: "hash-maps", end: RETURNED },
  { name: "btree-maps", end: RETURNED },
  { name: "sorting", end: RETURNED },
  { name: "floating-point", end: RETURNED },
  { name: "simd", end: RETURNED },
  { name: "bulk-copies", end: RETURNED },
  { name: "wide-integers", end: RETURNED },
  { name: "stdin-words", end: RETURNED, stdin: text(40 * KiB) },
  { name: "panic-in-main", end: PANICKED },
  { name: "panic-in-recursion", end: PANICKED },
  { name: "panic-with-message", end: PANICKED },
  { name: "arithmetic-panics", end: PANICKED },
  // Its own hook has taken the place of the message that would tell of a panic.
  { name: "panic-in-closure", end: { status: "trapped", oracle: "unreachable" } },
  { name: "unreachable", end: { status: "trapped", oracle: "unreachable" } },
  { name: "exit-deep", end: { status: "failed", oracle: "exit 55" } },
  { name: "allocation-failure", end: { status: "limit-exceeded", oracle: "unreachable" } },
];

/** Of all runs, here and there. */
export const MEMORY_BYTES = 16 * MiB;
export const SEED = "fuel";

/** The bytes that a run with this seed gets from `random_get`. */
export function randomBytes(): Uint8Array {
  const bytes = new Uint8Array(4 * KiB);
  createRandom({ kind: "seeded", seed: SEED })(bytes);
  return bytes;
}

export function source(name: string): string {
  return readFileSync(new URL(`../../fixtures/fuel/${name}.rs`, import.meta.url), "utf8");
}

function text(bytes: number): string {
  const line = "Every line of it is the same, and that is enough: zwölf Zeichen, 12 words.\n";
  return line.repeat(Math.ceil(bytes / line.length));
}
