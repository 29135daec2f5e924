import type { Outcome } from "../result.ts";
import { printNote } from "./print.ts";

/** Lines of a backtrace, at most. */
const MAX_LINES = 10;

/** Below how a run ended, the functions that were running, as Rust prints them; a recursion is one line. */
export function printBacktrace(outcome: Outcome): void {
  if (!("backtrace" in outcome)) return;
  const calls: { name: string; times: number }[] = [];
  for (const { function: name } of outcome.backtrace) {
    const last = calls.at(-1);
    if (last?.name === name) last.times += 1;
    else calls.push({ name, times: 1 });
  }
  for (const { name, times } of calls.slice(0, MAX_LINES)) {
    printNote(times === 1 ? `  at ${name}` : `  at ${name} (${times} times)`);
  }
  const untold = calls.slice(MAX_LINES).reduce((sum, { times }) => sum + times, 0);
  if (untold > 0) printNote(`  and ${untold} more (--json lists them)`);
}
