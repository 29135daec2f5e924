import { availableParallelism } from "node:os";
import { ScriptcellError } from "../errors.ts";

/** Lets compiles begin one after the other, as far as the machine can bear them. */
export interface Admission {
  /**
   * Does the work once there is room for it, in the order of asking.
   *
   * @param bytes Memory that it may come to use.
   * @param signal Leaves the queue when it is aborted. Work that has begun sees to it by itself.
   * @throws ScriptcellError `OVERLOADED`; the signal's reason; what the work throws
   */
  run<T>(bytes: number, work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** What there is to give away. */
export interface Capacity {
  /** Compiles at once, at most. */
  atOnce: number;
  /** Compiles that wait, at most. */
  waiting: number;
  /** Bytes of memory that are free at this moment. */
  freeBytes(): number;
}

interface Waiter {
  bytes: number;
  enter(): void;
}

/**
 * rustc takes a core and up to gigabytes, and the script decides how many. So one more begins only where a core is left, and
 * where the machine could bear it even if it and all that run already took everything they are allowed. One always may: whether
 * that fits is for `compileLimits` to say.
 */
export function createAdmission({ atOnce, waiting, freeBytes }: Capacity): Admission {
  const queue: Waiter[] = [];
  let running = 0;
  let granted = 0;

  const fits = (bytes: number): boolean =>
    running === 0 || (running < atOnce && granted + bytes <= freeBytes());

  function begin(bytes: number): void {
    running += 1;
    granted += bytes;
  }

  function end(bytes: number): void {
    running -= 1;
    granted -= bytes;
    admitWaiting();
  }

  function admitWaiting(): void {
    for (let next = queue[0]; next !== undefined && fits(next.bytes); next = queue[0]) {
      queue.shift();
      begin(next.bytes);
      next.enter();
    }
  }

  function wait(bytes: number, signal: AbortSignal): Promise<void> {
    if (queue.length >= waiting) {
      throw new ScriptcellError(
        "OVERLOADED",
        `${waiting} scripts wait to be compiled already: try again later, or send fewer at once`,
      );
    }
    return new Promise((resolve, reject) => {
      const waiter = { bytes, enter };
      const leave = (): void => {
        queue.splice(queue.indexOf(waiter), 1);
        reject(signal.reason);
        // It may have been the one that the others could not pass.
        admitWaiting();
      };
      function enter(): void {
        signal.removeEventListener("abort", leave);
        resolve();
      }
      signal.addEventListener("abort", leave, { once: true });
      queue.push(waiter);
    });
  }

  return {
    async run(bytes, work, signal) {
      signal.throwIfAborted();
      // Nobody passes those who wait.
      if (queue.length === 0 && fits(bytes)) begin(bytes);
      else await wait(bytes, signal);
      try {
        return await work();
      } finally {
        end(bytes);
      }
    },
  };
}

/** As many as wait for cells, by default. */
const MAX_WAITING = 1_000;

/** All compiles of this process, whichever executor asks for them: cores and memory are the machine's. */
export const admission: Admission = createAdmission({
  atOnce: availableParallelism(),
  waiting: MAX_WAITING,
  freeBytes: () => process.availableMemory(),
});
