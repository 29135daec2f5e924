import { constants } from "node:os";
import { setTimeout } from "node:timers/promises";
import { EXIT } from "./exit-codes.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Milliseconds that a reader has, after an interruption, for what was still to be printed. */
const LAST_WORD_MS = 1_000;

/** Why a command stops before its end: the reason of the signal that its work is given. */
export class Interruption extends Error {
  override readonly name = "Interruption";
  readonly exitCode: number;

  constructor(why: string, exitCode: number) {
    super(why);
    this.exitCode = exitCode;
  }
}

/**
 * Makes Ctrl-C and a reader that goes away (`| head -1`) abort the signal, so that the command can end its run and
 * clean up. A second Ctrl-C does not wait for that.
 */
export function watchInterruptions(): AbortSignal {
  const controller = new AbortController();
  for (const signal of SIGNALS) {
    const exitCode = 128 + constants.signals[signal];
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(exitCode);
      controller.abort(new Interruption(`interrupted by ${signal}`, exitCode));
    });
  }
  process.stdout.on("error", (error) => {
    controller.abort(
      new Interruption(`stdout: ${error.message}`, isBrokenPipe(error) ? EXIT.brokenPipe : EXIT.cannotCreate),
    );
  });
  // Nobody reads what scriptcell has to say: no reason to end the script.
  process.stderr.on("error", () => {});
  return controller.signal;
}

/** For work that knows no signals and leaves nothing behind. @throws the signal's reason */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** Waits until what was printed has left the process. @throws Interruption where that is interrupted */
export async function flushOutput(signal: AbortSignal): Promise<void> {
  const flushed = Promise.all([flush(process.stdout), flush(process.stderr)]);
  if (!signal.aborted) await unlessAborted(signal, flushed);
  // Interrupted before, there is a last word to say, but not to a reader that takes nothing.
  else await Promise.race([flushed, setTimeout(LAST_WORD_MS)]);
}

function flush(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.errored !== null) return resolve();
    // An error is the matter of the stream's own listener.
    stream.write("", () => resolve());
  });
}

function isBrokenPipe(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === "EPIPE";
}
