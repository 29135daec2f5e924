#!/usr/bin/env node
import { CommanderError } from "commander";
import { EXIT } from "./exit-codes.ts";
import { reportFailure } from "./failure.ts";
import { flushOutput, watchInterruptions } from "./interruption.ts";
import { createProgram } from "./program.ts";

const signal = watchInterruptions();
// Without this, Node would exit with 1, which is a code that scripts use.
process.on("uncaughtException", (error) => process.exit(reportFailure(error, false)));
try {
  await createProgram(signal).parseAsync();
} catch (error) {
  // commander has printed its own errors, and help and version, which it throws as well.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  else process.exitCode = reportFailure(error, false);
}
try {
  await flushOutput(signal);
} catch (error) {
  process.exitCode = reportFailure(error, false);
}
// Not left to Node: a stdin that never ends, which the script did not read to its end, would keep it alive.
process.exit();
