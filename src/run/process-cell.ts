import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import type { Socket } from "node:net";
import type { CellTransport, StartTransport } from "./cell.ts";

/** The command line of a process cell, jailed or not. */
export interface CellCommand {
  file: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
}

/** Bytes of a dying cell's last words that are kept, for the error message. */
const MAX_LAST_WORDS = 1024;

/** In the place of a cell that could not be started. */
const NO_CELL: CellTransport = { send() {}, kill() {}, backlogBytes: 0 };

/**
 * A cell in a process of its own, in a session of its own (a terminal's Ctrl-C is the host's to handle).
 * Neither the process nor its pipes keep Node alive: a run's deadline timer does, while there is a run.
 */
export function startProcess(command: CellCommand): StartTransport {
  return (events) => {
    let child: ChildProcessWithoutNullStreams;
    try {
      child = spawn(command.file, command.args, {
        stdio: ["pipe", "pipe", "pipe"],
        env: command.env,
        cwd: "/",
        detached: true,
      });
    } catch (error) {
      // Some failures are thrown, such as too long a command line.
      queueMicrotask(() => events.onClose(error instanceof Error ? error.message : String(error)));
      return NO_CELL;
    }
    let lastWords = "";
    let closed = false;
    const close = (reason: string): void => {
      if (closed) return;
      closed = true;
      events.onClose(reason);
    };
    child.on("error", (error) => close(error.message));
    child.on("close", (code, signal) => {
      const how = signal === null ? `exit code ${code}` : signal;
      close(lastWords === "" ? how : `${how}: ${lastWords.trim()}`);
    });
    // Where this process may open no more files there are no pipes at all; `error` says so.
    if ((child.stdout as Socket | undefined) === undefined) return NO_CELL;
    child.stdout.on("data", events.onBytes);
    child.stderr.on("data", (chunk: Buffer) => {
      lastWords = (lastWords + chunk.toString("utf8")).slice(-MAX_LAST_WORDS);
    });
    // A cell that died closes its end; `close` says so.
    child.stdin.on("error", () => {});
    child.unref();
    for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as Socket).unref();
    return {
      send: (frame) => child.stdin.write(frame),
      get backlogBytes() {
        return child.stdin.writableLength;
      },
      kill() {
        if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
          killGroup(child.pid);
      },
    };
  };
}

/** `detached` made the cell the leader of a group: whatever it may have started goes with it. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Already gone.
  }
}
