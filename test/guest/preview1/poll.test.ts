import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { GuestClock } from "../../../src/guest/preview1/preview1.ts";
import { Right } from "../../../src/guest/preview1/rights.ts";
import { Caller, withMount } from "../caller.ts";
import { runModule, rustModule, scratch } from "../support.ts";

const SUBSCRIPTIONS = 8192;
const EVENTS = 262_144;
const COUNT = 64;
const ABSOLUTE = 1;

type Subscription =
  | { clock: number; timeout: bigint; flags?: number }
  | { read: number }
  | { write: number }
  | { tag: number };

function poll(guest: Caller, ...subscriptions: Subscription[]): unknown {
  const view = guest.view;
  for (const [index, subscription] of subscriptions.entries()) {
    const at = SUBSCRIPTIONS + index * 48;
    new Uint8Array(guest.memory.buffer).fill(0, at, at + 48);
    view.setBigUint64(at, BigInt(index) + 100n, true);
    if ("clock" in subscription) {
      view.setUint32(at + 16, subscription.clock, true);
      view.setBigUint64(at + 24, subscription.timeout, true);
      view.setUint16(at + 40, subscription.flags ?? 0, true);
    } else if ("tag" in subscription) {
      view.setUint8(at + 8, subscription.tag);
    } else {
      view.setUint8(at + 8, "read" in subscription ? 1 : 2);
      view.setUint32(at + 16, "read" in subscription ? subscription.read : subscription.write, true);
    }
  }
  const errno = guest.call("poll_oneoff", SUBSCRIPTIONS, EVENTS, subscriptions.length, COUNT);
  if (errno !== "SUCCESS") return errno;
  return Array.from({ length: view.getUint32(COUNT, true) }, (_, index) => {
    const at = EVENTS + index * 32;
    return {
      of: Number(view.getBigUint64(at, true)) - 100,
      error: view.getUint16(at + 8, true),
      type: view.getUint8(at + 10),
      bytes: Number(view.getBigUint64(at + 16, true)),
      flags: view.getUint16(at + 24, true),
    };
  });
}

const fired = (of: number) => ({ of, error: 0, type: 0, bytes: 0, flags: 0 });
const MS = 1_000_000n;

describe("clocks", () => {
  const grants: GuestClock[] = [
    { kind: "denied" },
    { kind: "monotonic" },
    { kind: "real" },
    { kind: "frozen", epochNs: 0n },
  ];

  test.each(grants)("a guest may sleep for a while whatever clock it has: $kind", (clock) => {
    const guest = new Caller({ grants: { clock } });
    for (const id of [0, 1]) {
      const start = process.hrtime.bigint();
      expect(poll(guest, { clock: id, timeout: 5n * MS })).toEqual([fired(0)]);
      expect(process.hrtime.bigint() - start).toBeGreaterThanOrEqual(5n * MS);
    }
    expect(guest.denials).toEqual([]);
  });

  test("to sleep until a time needs the clock that says it", () => {
    const guest = new Caller({ grants: { clock: { kind: "monotonic" } } });
    expect(poll(guest, { clock: 1, timeout: 0n, flags: ABSOLUTE })).toEqual([fired(0)]);
    expect(poll(guest, { clock: 0, timeout: 0n, flags: ABSOLUTE })).toBe("NOTCAPABLE");
    expect(guest.denials).toMatchObject([
      { call: "poll_oneoff", target: "realtime", grant: 'clock: "real"' },
    ]);
  });

  test("a sleep until a time ends when it has come", () => {
    const guest = new Caller({ grants: { clock: { kind: "real" } } });
    const end = BigInt(Date.now() + 10) * MS;
    expect(poll(guest, { clock: 0, timeout: end, flags: ABSOLUTE })).toEqual([fired(0)]);
    expect(BigInt(Date.now() + 2) * MS).toBeGreaterThanOrEqual(end);
  });

  test("of several the earliest ends the wait", () => {
    const guest = new Caller();
    expect(
      poll(
        guest,
        { clock: 1, timeout: 3_600_000n * MS },
        { clock: 1, timeout: 2n * MS },
        { clock: 0, timeout: 1n * MS },
      ),
    ).toContainEqual(fired(2));
    expect(poll(guest, { clock: 1, timeout: 0n }, { clock: 0, timeout: 0n })).toEqual([fired(0), fired(1)]);
  });

  test("that do not exist, and flags and types that do not, are EINVAL", () => {
    const guest = new Caller();
    expect(poll(guest, { clock: 2, timeout: 0n })).toBe("INVAL");
    expect(poll(guest, { clock: 9, timeout: 0n })).toBe("INVAL");
    expect(poll(guest, { clock: 1, timeout: 0n, flags: 2 })).toBe("INVAL");
    expect(poll(guest, { tag: 3 })).toBe("INVAL");
  });

  test("a Rust program sleeps without being granted a clock", async () => {
    const module = await rustModule(
      `fn main() { std::thread::sleep(std::time::Duration::from_millis(3)); println!("slept"); }`,
    );
    expect(runModule(module).stdout()).toBe("slept\n");
  });
});

describe("descriptors", () => {
  const withFile = (): { guest: Caller; fd: number } => {
    const root = scratch();
    writeFileSync(join(root, "f"), "abc");
    const guest = withMount(root);
    return { guest, fd: guest.opened("f", { rights: Right.FD_READ | Right.FD_WRITE }) };
  };

  test("files are always ready, and say how much there is to read", () => {
    const { guest, fd } = withFile();
    guest.read(fd, 1);
    expect(poll(guest, { read: fd }, { write: fd }, { clock: 1, timeout: 3_600_000n * MS })).toEqual([
      { of: 0, error: 0, type: 1, bytes: 2, flags: 0 },
      { of: 1, error: 0, type: 2, bytes: 1, flags: 0 },
    ]);
    guest.read(fd, 2);
    expect(poll(guest, { read: fd })).toEqual([{ of: 0, error: 0, type: 1, bytes: 0, flags: 1 }]);
  });

  test("streams are ready in their direction", () => {
    const guest = new Caller();
    expect(poll(guest, { read: 0 }, { write: 1 }, { write: 2 })).toMatchObject([
      { of: 0, type: 1 },
      { of: 1, type: 2 },
      { of: 2, type: 2 },
    ]);
    expect(poll(guest, { write: 0 })).toBe("BADF");
    expect(poll(guest, { read: 1 })).toBe("BADF");
  });

  test("that are directories or are not open are EBADF, in any place", () => {
    const { guest, fd } = withFile();
    expect(poll(guest, { read: 3 })).toBe("BADF");
    expect(poll(guest, { read: 77 }, { read: fd })).toBe("BADF");
    expect(poll(guest, { read: fd }, { write: 0xffff_ffff })).toBe("BADF");
  });
});

describe("many subscriptions", () => {
  test("none is EINVAL and a million is ENOMEM", () => {
    const guest = new Caller();
    expect(guest.call("poll_oneoff", SUBSCRIPTIONS, EVENTS, 0, COUNT)).toBe("INVAL");
    expect(guest.call("poll_oneoff", 0, 0, 1_000_000, COUNT)).toBe("NOMEM");
    expect(guest.call("poll_oneoff", 0, 0, 0xffff_ffff, COUNT)).toBe("NOMEM");
  });

  test("as many as a call takes are all answered", () => {
    const guest = new Caller();
    const answer = poll(guest, ...Array.from({ length: 4096 }, () => ({ clock: 1, timeout: 0n })));
    expect(answer).toHaveLength(4096);
    expect(guest.call("poll_oneoff", SUBSCRIPTIONS, EVENTS, 4097, COUNT)).toBe("NOMEM");
  });

  test("subscriptions, events and their number outside memory are EFAULT", () => {
    const guest = new Caller();
    const end = guest.memory.buffer.byteLength;
    expect(guest.call("poll_oneoff", end - 47, EVENTS, 1, COUNT)).toBe("FAULT");
    expect(guest.call("poll_oneoff", SUBSCRIPTIONS, end - 31, 1, COUNT)).toBe("FAULT");
    expect(guest.call("poll_oneoff", SUBSCRIPTIONS, EVENTS, 1, end - 3)).toBe("FAULT");
  });
});
