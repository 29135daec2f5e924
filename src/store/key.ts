import { hash } from "node:crypto";
import { STORE_FORMAT_VERSION } from "./layout.ts";

/** Everything that decides what rustc makes of a script. */
export interface StoreKeyInputs {
  source: string;
  /** `2024`. */
  edition: string;
  /** Every other argument, in order; without paths that differ between compiles of the same script. */
  flags: readonly string[];
  /** `wasm32-wasip1`. */
  target: string;
  /** Output of `rustc -vV`, whole: version, commit, host and LLVM. */
  rustc: string;
}

/** The key of a compile: SHA-256 in 64 lower-case hex digits. */
export function storeKey(inputs: StoreKeyInputs): string {
  // JSON keeps the parts apart whatever is in them, and escapes lone surrogates, which UTF-8 would merge into U+FFFD.
  const encoded = JSON.stringify([
    "scriptcell module",
    STORE_FORMAT_VERSION,
    inputs.target,
    inputs.edition,
    inputs.rustc,
    inputs.flags,
    inputs.source,
  ]);
  return hash("sha256", encoded, "hex");
}
