import { demangleLegacy } from "./legacy.ts";
import { demangleV0 } from "./v0.ts";

/** Numbers that LLVM hangs on the names of functions it has moved between units. */
const LLVM_SUFFIX = /\.llvm\.[0-9A-F@]+$/;

/**
 * What a function is called in Rust, without hashes: `script::Shape::area`. A name that is not one of Rust's mangled ones comes
 * back as it was. Never longer than asked for: what is left out of a longer one shows as `…` at its end. Never throws, and takes
 * time in proportion to the length of the name, whatever it says.
 */
export function demangle(name: string, maxCharacters: number): string {
  const symbol = name.replace(LLVM_SUFFIX, "");
  return clipped(demangleV0(symbol, maxCharacters) ?? demangleLegacy(symbol) ?? name, maxCharacters);
}

function clipped(text: string, maxCharacters: number): string {
  if (text.length <= maxCharacters) return text;
  // Half of a character that takes two units is none.
  return `${text.slice(0, maxCharacters - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
