import { Errno, Failure } from "../filesystem/errno.ts";
import type { GuestClock } from "./preview1.ts";
import { Refusal } from "./refusal.ts";

export const ClockId = { REALTIME: 0, MONOTONIC: 1, PROCESS_CPUTIME: 2, THREAD_CPUTIME: 3 } as const;

/** Steps of both clocks in nanoseconds. */
const RESOLUTION = 1n;

/** The guest's clocks, in nanoseconds. */
export interface Clock {
  resolution(id: number): bigint;
  /** The time; a refusal where it was not granted. */
  now(id: number): bigint;
}

export function createClock(grant: GuestClock): Clock {
  const started = process.hrtime.bigint();
  // The date is read once and moves with the stopwatch, so that it has its resolution and never jumps within a run.
  const startedAt = grant.kind === "real" ? BigInt(Date.now()) * 1_000_000n : 0n;
  const sinceStart = (): bigint => process.hrtime.bigint() - started;
  return {
    resolution(id) {
      requireClock(id);
      return RESOLUTION;
    },
    now(id) {
      requireClock(id);
      if (grant.kind === "frozen") return id === ClockId.REALTIME ? grant.epochNs : 0n;
      if (grant.kind === "real" && id === ClockId.REALTIME) return startedAt + sinceStart();
      if (grant.kind !== "denied" && id === ClockId.MONOTONIC) return sinceStart();
      throw id === ClockId.REALTIME
        ? new Refusal(Errno.NOTCAPABLE, "realtime", "the date is not granted", 'clock: "real"')
        : new Refusal(Errno.NOTCAPABLE, "monotonic", "the stopwatch is not granted", 'clock: "monotonic"');
    },
  };
}

function requireClock(id: number): void {
  if (id > ClockId.THREAD_CPUTIME) throw new Failure(Errno.INVAL);
  // Clocks of processor time do not exist here; Wasmtime answers the same.
  if (id > ClockId.MONOTONIC) throw new Failure(Errno.BADF);
}
