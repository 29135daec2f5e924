/**
 * How far V8 goes when it puts functions into their callers, in nodes of its graph and bytes of wasm. Code that counts its fuel is larger than
 * code that does not, and with V8's own bounds (5,000; 3; 500; 50) small functions are then called instead: in unoptimised Rust, which is made
 * of them, that cost up to five times what the whole loop did. With these, fuel costs such programs an eighth instead of half.
 */
const INLINING = [
  "--wasm-inlining-budget=20000",
  "--wasm-inlining-factor=6",
  "--wasm-inlining-max-size=1500",
  "--wasm-inlining-min-budget=200",
] as const;

/** The last Node that was tried with them. */
const LAST_KNOWN_MAJOR = 26;

/** V8's settings for metered code, for a Node of this version. A later one may not know them, and would not start: it gets none. */
export function inliningFlags(nodeVersion: string): readonly string[] {
  return Number.parseInt(nodeVersion, 10) <= LAST_KNOWN_MAJOR ? INLINING : [];
}
