import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Right } from "../../../src/guest/preview1/rights.ts";
import { Caller, CUR, FD, withMount } from "../caller.ts";
import { scratch } from "../support.ts";
import { SIGNATURES } from "./signatures.ts";

const MiB = 1 << 20;
/** Bytes of one path, of one buffer, and of the buffers of a vector with what describes them. */
const SIZES: Readonly<Record<string, number>> = { p: 100, b: 700, v: 3 * 8 + 40 + 60 };
const REFUSED = "limits.hostCallBytes";

/** What a call names, by its signature. Sockets take nothing: there are none. */
function namedBy(name: string, signature: string): number {
  if (name.startsWith("sock_")) return 0;
  return [...signature].reduce((sum, kind) => sum + (SIZES[kind] ?? 0), 0);
}

/** A call with a path, a buffer or a vector wherever its signature has one. */
function callOf(guest: Caller, signature: string): (number | bigint)[] {
  const make: Record<string, () => (number | bigint)[]> = {
    f: () => [3],
    p: () => guest.put("p".repeat(SIZES.p ?? 0)),
    b: () => guest.put(new Uint8Array(SIZES.b ?? 0)),
    v: () => guest.vector(guest.put(new Uint8Array(40)), [0, 0], guest.put(new Uint8Array(60))),
    r: () => [64],
    w: () => [0],
    L: () => [0n],
  };
  return [...signature].flatMap((kind) => make[kind]?.() ?? []);
}

const answer = (name: string, hostCallBytes: number) => {
  const guest = withMount(scratch(), { grants: { hostCallBytes } });
  return {
    answer: guest.call(name, ...callOf(guest, SIGNATURES[name] ?? "")),
    denials: guest.denials,
  };
};

/** What each function names, and those that name nothing. */
const NAMED = Object.entries(SIGNATURES).map(
  ([name, signature]) => [name, namedBy(name, signature)] as const,
);
const NAMING = NAMED.filter(([, bytes]) => bytes > 0);
const NAMELESS = NAMED.filter(([, bytes]) => bytes === 0).map(([name]) => name);

describe("the bytes that one call may take of the guest's memory", () => {
  test.each(NAMING)("are enough for %s where they are as many as it names, %i, or more", (name, bytes) => {
    for (const limit of [bytes, bytes + 1]) {
      const { answer: given, denials } = answer(name, limit);
      expect(given).not.toBe("NOMEM");
      expect(denials.map(({ grant }) => grant)).not.toContain(REFUSED);
    }
  });

  test.each(NAMING)(
    "are too few for %s, which is NOMEM and told, where it names one more, %i",
    (name, bytes) => {
      const { answer: given, denials } = answer(name, bytes - 1);
      expect(given).toBe("NOMEM");
      const target = name === "random_get" ? "random bytes" : "descriptor 3";
      expect(denials).toEqual([
        {
          call: name,
          target: name.startsWith("path_") ? "p".repeat(100) : target,
          reason: `one call would take more than ${bytes - 1} bytes of the guest's memory`,
          grant: REFUSED,
        },
      ]);
    },
  );

  test("are nothing to the functions that name none of it", () => {
    expect(NAMELESS.length).toBeGreaterThan(20);
    for (const name of NAMELESS) expect([name, answer(name, 0).answer]).not.toEqual([name, "NOMEM"]);
  });
});

describe("a poll", () => {
  /** Waits no time for so many clocks. */
  const poll = (guest: Caller, clocks: number): string => {
    const [subscriptions] = guest.put(new Uint8Array(clocks * 48));
    for (let index = 0; index < clocks; index++)
      guest.view.setUint32(subscriptions + index * 48 + 16, 1, true);
    const [events] = guest.put(new Uint8Array(clocks * 32));
    return guest.call("poll_oneoff", subscriptions, events, clocks, 64);
  };

  test("takes 80 bytes for each of its subscriptions, and is NOMEM and told beyond what it may", () => {
    const guest = new Caller({ grants: { hostCallBytes: 800 } });
    expect([poll(guest, 9), poll(guest, 10)]).toEqual(["SUCCESS", "SUCCESS"]);
    expect(guest.denials).toEqual([]);
    expect([poll(guest, 11), poll(guest, 4_000)]).toEqual(["NOMEM", "NOMEM"]);
    expect(guest.denials).toMatchObject([
      { call: "poll_oneoff", target: "subscriptions", grant: REFUSED },
      { call: "poll_oneoff", target: "subscriptions", grant: REFUSED },
    ]);
  });

  test("of more than anything waits for is NOMEM whatever it may take, and no option is named that would help", () => {
    const guest = new Caller({ grants: { hostCallBytes: 2 ** 32 } });
    expect([poll(guest, 4_096), poll(guest, 4_097)]).toEqual(["SUCCESS", "NOMEM"]);
    expect(guest.call("poll_oneoff", 0, 0, 0xffff_ffff, 64)).toBe("NOMEM");
    expect(guest.denials).toEqual([]);
  });
});

describe("a call that names too much", () => {
  const TEXT = "0123456789";
  const furnished = (hostCallBytes: number): { root: string; guest: Caller } => {
    const root = scratch();
    writeFileSync(join(root, "file"), TEXT);
    return { root, guest: withMount(root, { stdin: TEXT, grants: { hostCallBytes } }) };
  };
  const opened = (guest: Caller, fd = 0): number =>
    guest.opened("file", { rights: Right.FD_READ | Right.FD_WRITE, fd });

  test("reads nothing and writes nothing, and no position is moved", () => {
    const { root, guest } = furnished(16);
    for (const flags of [0, FD.APPEND]) {
      const fd = opened(guest, flags);
      expect(guest.read(fd, 4)).toBe("0123");
      expect([guest.read(fd, 9), guest.pread(fd, 9, 0n)]).toEqual(["NOMEM", "NOMEM"]);
      expect([guest.write(fd, "123456789"), guest.pwrite(fd, "123456789", 0n)]).toEqual(["NOMEM", "NOMEM"]);
      // The last of several buffers is the one too many.
      expect(guest.write(fd, "x", "")).toBe("NOMEM");
      expect(guest.seek(fd, 0n, CUR)).toBe(4n);
    }
    expect(readFileSync(join(root, "file"), "utf8")).toBe(TEXT);
  });

  test("prints nothing and takes nothing of stdin, and the next one that names less does", () => {
    const { guest } = furnished(16);
    expect([guest.write(1, "123456789"), guest.read(0, 9)]).toEqual(["NOMEM", "NOMEM"]);
    expect([guest.write(1, "12345678"), guest.read(0, 8)]).toEqual([8, "01234567"]);
    expect(guest.witness.stdout()).toBe("12345678");
    expect(guest.denials).toMatchObject([
      { call: "fd_write", target: "descriptor 1" },
      { call: "fd_read", target: "descriptor 0" },
    ]);
  });

  test("makes, changes and removes no file, and fills no buffer", () => {
    const { root, guest } = furnished(7);
    expect(guest.open("new-file", { flags: 1 })).toBe("NOMEM");
    expect(guest.mkdir("new-dir/")).toBe("NOMEM");
    expect([guest.rename("file", "moved"), guest.link("file", "other")]).toEqual(["NOMEM", "NOMEM"]);
    expect(guest.symlink("file", "link")).toBe("NOMEM");
    expect(guest.unlink("./././file")).toBe("NOMEM");
    expect(readdirSync(root)).toEqual(["file"]);
    const [buffer, length] = guest.put(new Uint8Array(8).fill(0xee));
    expect(guest.call("random_get", buffer, length)).toBe("NOMEM");
    expect(guest.call("fd_readdir", 3, buffer, length, 0n, 64)).toBe("NOMEM");
    expect(guest.bytes(buffer, length)).toEqual(new Uint8Array(8).fill(0xee));
  });

  test("of memory that there is not fails by that and is not told", () => {
    const guest = withMount(scratch(), { grants: { hostCallBytes: 10 } });
    const end = guest.memory.buffer.byteLength;
    expect(guest.call("random_get", end - 20, 21)).toBe("FAULT");
    expect(guest.call("path_create_directory", 3, 0, 0xffff_ffff)).toBe("FAULT");
    expect(guest.call("fd_write", 1, 0, 0x8000_0000, 64)).toBe("FAULT");
    const roomy = new Caller({ grants: { hostCallBytes: 100 } });
    expect(roomy.call("fd_write", 1, ...roomy.vector([0, 9], [8, 0xffff_ffff], [0, 999]), 64)).toBe("FAULT");
    expect(roomy.call("fd_write", 1, ...roomy.vector([0, 99], [8, 0xffff_ffff]), 64)).toBe("NOMEM");
    expect(roomy.denials).toHaveLength(1);
    expect(guest.denials).toEqual([]);
  });

  test("is told by the beginning of its path alone, and paths that are too long for a disk stay that", () => {
    const guest = withMount(scratch(), { grants: { hostCallBytes: 5_000 } });
    expect([guest.mkdir("d".repeat(5_000)), guest.mkdir("d".repeat(5_001))]).toEqual([
      "NAMETOOLONG",
      "NOMEM",
    ]);
    expect(guest.denials).toMatchObject([{ target: "d".repeat(256) }]);
  });
});

describe("of what a read or write asks for", () => {
  /** All of the memory, again and again: more than there is. */
  const all = (guest: Caller, times: number) =>
    guest.vector(
      ...Array.from({ length: times }, (): [number, number] => [0, guest.memory.buffer.byteLength]),
    );

  test("as much counts as one call moves, so that the largest buffer is a short read where that may be taken", () => {
    const root = scratch();
    writeFileSync(join(root, "file"), "content");
    for (const [limit, expected] of [
      [16 * MiB + 8 * 32, "SUCCESS"],
      [16 * MiB + 8 * 32 - 1, "NOMEM"],
    ] as const) {
      const guest = withMount(root, { grants: { hostCallBytes: limit } });
      const fd = guest.opened("file");
      // Half a gigabyte.
      expect(guest.call("fd_read", fd, ...all(guest, 32), 64)).toBe(expected);
    }
  });

  test("nothing counts of a vector without buffers but itself, however long it is", () => {
    const [count, bytes] = [MiB, 8 * MiB];
    const under = new Caller({ grants: { hostCallBytes: bytes } });
    expect(under.call("fd_write", 1, 0, count, bytes + 64)).toBe("SUCCESS");
    const over = new Caller({ grants: { hostCallBytes: bytes - 1 } });
    expect(over.call("fd_write", 1, 0, count, bytes + 64)).toBe("NOMEM");
  });
});
