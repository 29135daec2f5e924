/**
 * V8 gives a trap no code, only one of these fixed texts (`src/common/message-template.h`, kTrap…).
 * What is not listed is reported as `other`, with V8's text.
 */
const TRAP_CODES: ReadonlyMap<string, string> = new Map([
  ["unreachable", "unreachable"],
  ["memory access out of bounds", "out-of-bounds-memory"],
  ["data segment out of bounds", "out-of-bounds-memory"],
  ["table index is out of bounds", "out-of-bounds-table"],
  ["table access out of bounds", "out-of-bounds-table"],
  ["element segment out of bounds", "out-of-bounds-table"],
  ["null function or function signature mismatch", "indirect-call-type-mismatch"],
  ["divide by zero", "integer-divide-by-zero"],
  ["remainder by zero", "integer-divide-by-zero"],
  ["divide result unrepresentable", "integer-overflow"],
  ["float unrepresentable in integer range", "invalid-conversion"],
]);

/** The code of a trap, by the text V8 gave it. */
export function trapCode(message: string): string {
  // Segments that do not fit trap before the first instruction, with the call's name in front and the place behind.
  const text = message.replace(/^WebAssembly\.Instance\(\): /, "");
  if (/^data segment \d+ is out of bounds/.test(text)) return "out-of-bounds-memory";
  return TRAP_CODES.get(text) ?? "other";
}
