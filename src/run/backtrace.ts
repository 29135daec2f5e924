import type { StackFrame } from "../result.ts";
import type { WireStackFrame } from "./protocol.ts";

/** What would break a line, move the cursor, turn the direction of text around or show as nothing. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A frame as callers see it. Its name is the guest's: whatever that is, it is one line of valid text. */
export function stackFrame({ function: name, index }: WireStackFrame): StackFrame {
  return { function: name.toWellFormed().replace(UNPRINTABLE, "\ufffd"), index };
}
