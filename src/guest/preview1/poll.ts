import { Errno, Failure } from "../filesystem/errno.ts";
import { call, type HostCalls } from "./call.ts";
import { ClockId } from "./clock.ts";
import type { Descriptor } from "./descriptors.ts";
import type { Host } from "./host.ts";
import { Right } from "./rights.ts";

const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
/** More than any program waits for; a call with more is refused, so that no one has the host read millions. */
const MAX_SUBSCRIPTIONS = 4096;

const EventType = { CLOCK: 0, FD_READ: 1, FD_WRITE: 2 } as const;
const ABSOLUTE = 1;
const HANGUP = 1;

interface Event {
  userData: bigint;
  type: number;
  bytes: bigint;
  flags: number;
}

interface Alarm {
  event: Event;
  /** Nanoseconds from the call on. */
  after: bigint;
}

// A wait on memory that nobody else has ends by its timeout alone, and, unlike a busy loop, lets a thread be terminated.
const sleepCell = new Int32Array(new SharedArrayBuffer(4));

/** Waiting for clocks and descriptors. */
export function pollCalls(host: Host): HostCalls {
  const { memory, descriptors, clock } = host;

  return {
    poll_oneoff: call("iiii", (subscriptions, events, count, result) => {
      if (count === 0) throw new Failure(Errno.INVAL);
      if (count > MAX_SUBSCRIPTIONS) throw new Failure(Errno.NOMEM);
      const called = process.hrtime.bigint();
      memory.check(subscriptions, count * SUBSCRIPTION_BYTES);
      memory.check(events, count * EVENT_BYTES);
      memory.check(result, 4);

      const ready: Event[] = [];
      const alarms: Alarm[] = [];
      for (let index = 0; index < count; index++) {
        const address = subscriptions + index * SUBSCRIPTION_BYTES;
        const type = memory.getU8(address + 8);
        const userData = memory.getU64(address);
        if (type === EventType.CLOCK) {
          alarms.push({ event: { userData, type, bytes: 0n, flags: 0 }, after: delayOf(address) });
        } else if (type === EventType.FD_READ || type === EventType.FD_WRITE) {
          ready.push({ userData, type, ...readiness(memory.getU32(address + 16), type) });
        } else {
          throw new Failure(Errno.INVAL);
        }
      }

      const earliest = alarms.reduce<bigint | undefined>(
        (least, { after }) => (least === undefined || after < least ? after : least),
        undefined,
      );
      if (ready.length === 0 && earliest !== undefined) sleepUntil(called + earliest);
      const passed = process.hrtime.bigint() - called;
      for (const { event, after } of alarms) if (after <= passed) ready.push(event);

      for (const [index, event] of ready.entries()) writeEvent(events + index * EVENT_BYTES, event);
      memory.setU32(result, ready.length);
    }),
  };

  /** Nanoseconds that a clock subscription waits. */
  function delayOf(address: number): bigint {
    const id = memory.getU32(address + 16);
    const timeout = memory.getU64(address + 24);
    const flags = memory.getU16(address + 40);
    if (id > ClockId.MONOTONIC || flags > ABSOLUTE) throw new Failure(Errno.INVAL);
    // To wait for a while tells nobody the time; to wait for a time needs the clock.
    if (flags !== ABSOLUTE) return timeout;
    const now = clock.now(id);
    return timeout > now ? timeout - now : 0n;
  }

  /** Files and streams never keep a guest waiting here: files are always ready, and reading stdin waits by itself. */
  function readiness(fd: number, type: number): { bytes: bigint; flags: number } {
    requireDirection(descriptors.get(fd), type);
    const descriptor = descriptors.capable(fd, Right.POLL_FD_READWRITE);
    if (type === EventType.FD_WRITE || descriptor.kind !== "file") return { bytes: 1n, flags: 0 };
    const left = descriptor.file.size() - BigInt(descriptor.position);
    return left > 0n ? { bytes: left, flags: 0 } : { bytes: 0n, flags: HANGUP };
  }

  function writeEvent(address: number, { userData, type, bytes, flags }: Event): void {
    memory.fill(address, EVENT_BYTES, 0);
    memory.setU64(address, userData);
    memory.setU16(address + 8, Errno.SUCCESS);
    memory.setU8(address + 10, type);
    memory.setU64(address + 16, bytes);
    memory.setU16(address + 24, flags);
  }
}

function requireDirection({ kind }: Descriptor, type: number): void {
  const possible = kind === "file" || kind === (type === EventType.FD_READ ? "input" : "output");
  if (!possible) throw new Failure(Errno.BADF);
}

function sleepUntil(end: bigint): void {
  for (;;) {
    const left = end - process.hrtime.bigint();
    if (left <= 0n) return;
    Atomics.wait(sleepCell, 0, 0, Number(left) / 1e6);
  }
}
