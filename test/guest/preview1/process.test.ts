import { describe, expect, test } from "vitest";
import { PREVIEW1_NAMES } from "../../../src/guest/preview1/create.ts";
import { GuestExit } from "../../../src/guest/preview1/preview1.ts";
import { assemble } from "../../wasm/assemble.ts";
import { Caller } from "../caller.ts";
import { openHost, runModule, rustModule } from "../support.ts";

const REALTIME = 0;
const MONOTONIC = 1;
/** `openssl enc -aes-256-ctr -K $(printf 42 | sha256sum) -iv 0` of zeros. */
const SEED_42 = "ecdabda5c77983c754d07500536ac9c7";

test("all 46 functions of preview 1 are there", () => {
  const { imports } = openHost().wasi;
  expect(PREVIEW1_NAMES).toHaveLength(46);
  expect(Object.keys(imports).sort()).toEqual([...PREVIEW1_NAMES].sort());
  for (const call of Object.values(imports)) expect(call).toBeTypeOf("function");
});

test("before its memory is known, whatever touches it is EFAULT", () => {
  const { imports } = openHost().wasi;
  const call = (name: string, ...args: unknown[]): unknown =>
    (imports[name] as unknown as (...args: unknown[]) => unknown)(...args);
  expect(call("random_get", 0, 8)).toBe(21);
  expect(call("args_get", 0, 0)).toBe(21);
  expect(call("fd_write", 1, 0, 1, 8)).toBe(21);
  expect(call("fd_fdstat_get", 1, 0)).toBe(21);
  expect(call("sched_yield")).toBe(0);
});

test("a module that declares a function with other types gets EINVAL and no further", () => {
  const { wasi } = openHost();
  const { exports } = new WebAssembly.Instance(
    new WebAssembly.Module(
      assemble(`(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i64 i64 i64 i64) (result i32)))
        (import "wasi_snapshot_preview1" "fd_seek" (func $seek (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_close" (func $close (result i32)))
        (memory (export "memory") 1)
        (func (export "wide") (result i32) (call $write (i64.const 1) (i64.const 0) (i64.const 1) (i64.const 0)))
        (func (export "narrow") (result i32) (call $seek (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 0)))
        (func (export "none") (result i32) (call $close)))`),
    ),
    { wasi_snapshot_preview1: wasi.imports },
  );
  wasi.bind(exports.memory as WebAssembly.Memory);
  for (const name of ["wide", "narrow", "none"]) expect((exports[name] as () => number)()).toBe(28);
});

test("what a module declares beyond a function's parameters is not looked at", () => {
  const { wasi } = openHost();
  const { exports } = new WebAssembly.Instance(
    new WebAssembly.Module(
      assemble(`(module
        (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32 f64 i64) (result i32)))
        (memory (export "memory") 1)
        (func (export "close") (param i32) (result i32)
          (call $close (local.get 0) (f64.const 1) (i64.const 1))))`),
    ),
    { wasi_snapshot_preview1: wasi.imports },
  );
  wasi.bind(exports.memory as WebAssembly.Memory);
  const close = exports.close as (fd: number) => number;
  expect([close(1), close(1)]).toEqual([0, 8]);
});

test("memory that grew is seen as it is", () => {
  const guest = new Caller();
  const end = guest.memory.buffer.byteLength;
  expect(guest.call("random_get", end - 8, 8)).toBe("SUCCESS");
  expect(guest.call("random_get", end, 8)).toBe("FAULT");
  guest.memory.grow(1);
  expect(guest.call("random_get", end, 8)).toBe("SUCCESS");
});

describe("arguments and environment", () => {
  test("are what was granted, with a NUL after each", () => {
    const guest = new Caller({ grants: { args: ["script", "naïve", ""], env: { A: "1", B: "x=y" } } });
    expect(guest.call("args_sizes_get", 0, 4)).toBe("SUCCESS");
    expect([guest.view.getUint32(0, true), guest.view.getUint32(4, true)]).toEqual([3, 15]);
    expect(guest.call("args_get", 16, 64)).toBe("SUCCESS");
    expect(new TextDecoder().decode(guest.bytes(64, 15))).toBe("script\0naïve\0\0");
    expect([16, 20, 24].map((at) => guest.view.getUint32(at, true))).toEqual([64, 71, 78]);

    expect(guest.call("environ_sizes_get", 0, 4)).toBe("SUCCESS");
    expect([guest.view.getUint32(0, true), guest.view.getUint32(4, true)]).toEqual([2, 10]);
    expect(guest.call("environ_get", 16, 128)).toBe("SUCCESS");
    expect(new TextDecoder().decode(guest.bytes(128, 10))).toBe("A=1\0B=x=y\0");
  });

  test("are not written beyond the end of memory", () => {
    const guest = new Caller({ grants: { args: ["script"] } });
    const end = guest.memory.buffer.byteLength;
    expect(guest.call("args_get", 0, end - 6)).toBe("FAULT");
    expect(guest.call("args_get", end - 3, 0)).toBe("FAULT");
    expect(guest.call("args_get", 0, end - 7)).toBe("SUCCESS");
    expect(guest.call("args_sizes_get", end - 3, 0)).toBe("FAULT");
    expect(guest.call("environ_sizes_get", 0, end - 3)).toBe("FAULT");
    expect(guest.call("args_sizes_get", -4, 0)).toBe("FAULT");
  });
});

describe("clocks", () => {
  const read = (guest: Caller, id: number): string | bigint => {
    const answer = guest.call("clock_time_get", id, 0n, 8);
    return answer === "SUCCESS" ? guest.view.getBigUint64(8, true) : answer;
  };

  test("denied: both fail, and both are told with what would grant them", () => {
    const guest = new Caller({ grants: { clock: { kind: "denied" } } });
    expect(read(guest, REALTIME)).toBe("NOTCAPABLE");
    expect(read(guest, MONOTONIC)).toBe("NOTCAPABLE");
    expect(guest.denials).toMatchObject([
      { call: "clock_time_get", target: "realtime", grant: 'clock: "real"' },
      { call: "clock_time_get", target: "monotonic", grant: 'clock: "monotonic"' },
    ]);
  });

  test("denied: a Rust program that asks for the time dies with a message that says so", async () => {
    const run = runModule(await rustModule("fn main() { std::time::Instant::now(); }"));
    expect(run.error).toBeInstanceOf(WebAssembly.RuntimeError);
    expect(run.stderr()).toContain("Capabilities insufficient");
  });

  test("monotonic: a stopwatch that starts at zero and never goes back; the date stays denied", () => {
    const guest = new Caller({ grants: { clock: { kind: "monotonic" } } });
    const first = read(guest, MONOTONIC) as bigint;
    const second = read(guest, MONOTONIC) as bigint;
    expect(first).toBeLessThan(60_000_000_000n);
    expect(second).toBeGreaterThanOrEqual(first);
    expect(read(guest, REALTIME)).toBe("NOTCAPABLE");
    expect(guest.denials).toHaveLength(1);
  });

  test("real: the date of the system", () => {
    const before = BigInt(Date.now() - 1) * 1_000_000n;
    const guest = new Caller({ grants: { clock: { kind: "real" } } });
    const now = read(guest, REALTIME) as bigint;
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThan(before + 600_000_000_000n);
    expect(read(guest, MONOTONIC)).toBeTypeOf("bigint");
  });

  test("frozen: always the same instant, and a stopwatch that stands at zero", () => {
    const epochNs = 1_767_225_600_123_456_789n;
    const guest = new Caller({ grants: { clock: { kind: "frozen", epochNs } } });
    expect([read(guest, REALTIME), read(guest, REALTIME), read(guest, MONOTONIC)]).toEqual([
      epochNs,
      epochNs,
      0n,
    ]);
  });

  test("processor clocks do not exist and unknown ones are EINVAL, whatever is granted", () => {
    const guest = new Caller({ grants: { clock: { kind: "real" } } });
    expect([2, 3, 4, -1].map((id) => read(guest, id))).toEqual(["BADF", "BADF", "INVAL", "INVAL"]);
    expect([0, 1, 2, 4].map((id) => guest.call("clock_res_get", id, 8))).toEqual([
      "SUCCESS",
      "SUCCESS",
      "BADF",
      "INVAL",
    ]);
    expect(guest.denials).toEqual([]);
  });
});

describe("random bytes", () => {
  const bytes = (guest: Caller, length: number): Uint8Array => {
    expect(guest.call("random_get", 4096, length)).toBe("SUCCESS");
    return guest.bytes(4096, length);
  };

  test("secure: differ from run to run", () => {
    expect(bytes(new Caller(), 32)).not.toEqual(bytes(new Caller(), 32));
  });

  test("seeded: the same for the same seed, on every platform, in whatever portions they are taken", () => {
    const seeded = (seed: string): Caller => new Caller({ grants: { random: { kind: "seeded", seed } } });
    const whole = bytes(seeded("42"), 1_000_000);
    const guest = seeded("42");
    const parts = [1, 15, 16, 262_144, 600_000, 137_824].map((length) => bytes(guest, length));
    expect(Buffer.compare(Buffer.concat(parts), whole)).toBe(0);
    expect(Buffer.from(whole.subarray(0, 16)).toString("hex")).toBe(SEED_42);
    expect(bytes(seeded("43"), 16)).not.toEqual(whole.slice(0, 16));
  });

  test("of no length at all are had anywhere in memory, and beyond it nowhere", () => {
    const guest = new Caller();
    const end = guest.memory.buffer.byteLength;
    expect(guest.call("random_get", end, 0)).toBe("SUCCESS");
    expect(guest.call("random_get", end + 1, 0)).toBe("FAULT");
    expect(guest.call("random_get", 0, end + 1)).toBe("FAULT");
    expect(guest.call("random_get", 0, -1)).toBe("FAULT");
  });
});

describe("the end of a run", () => {
  test("an exit code arrives whole", () => {
    for (const code of [0, 1, 101, 255, 0xffff_ffff]) {
      const { wasi } = openHost();
      const exit = wasi.imports.proc_exit as unknown as (code: number) => void;
      expect(() => exit(code | 0)).toThrow(expect.objectContaining({ exitCode: code }));
    }
  });

  test("a guest that catches its exit gets no further: every call ends it again", () => {
    const { wasi, stdout } = openHost();
    const { exports } = new WebAssembly.Instance(
      new WebAssembly.Module(
        assemble(`(module
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 8) "caught\\n")
          (func (export "_start")
            (i32.store (i32.const 0) (i32.const 8))
            (i32.store (i32.const 4) (i32.const 7))
            (try (do (call $exit (i32.const 3))) (catch_all))
            (try (do (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))) (catch_all))
            (call $exit (i32.const 0))))`),
      ),
      { wasi_snapshot_preview1: wasi.imports },
    );
    wasi.bind(exports.memory as WebAssembly.Memory);
    let thrown: unknown;
    try {
      (exports._start as () => void)();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(GuestExit);
    expect(thrown).toMatchObject({ exitCode: 3 });
    expect(stdout()).toBe("");
  });

  test("a fault of the host ends the run and is not taken for an answer", () => {
    const broken = new Error("the pipe is gone");
    const guest = new Caller({
      readStdin: () => {
        throw broken;
      },
    });
    expect(guest.call("sched_yield")).toBe("SUCCESS");
    expect(() => guest.read(0, 8)).toThrow(broken);
    expect(() => guest.call("sched_yield")).toThrow(broken);
  });

  test("signals are not supported and yielding does nothing", () => {
    const guest = new Caller();
    expect(guest.call("proc_raise", 9)).toBe("NOTSUP");
    expect(guest.call("sched_yield")).toBe("SUCCESS");
  });
});

describe("sockets", () => {
  const calls = [
    ["sock_accept", 0, 64],
    ["sock_recv", 0, 0, 0, 64, 68],
    ["sock_send", 0, 0, 0, 64],
    ["sock_shutdown", 0],
  ] as const;

  test("no descriptor is one, and that it was asked for is told", () => {
    const guest = new Caller();
    for (const [name, ...rest] of calls) expect(guest.call(name, 1, ...rest)).toBe("NOTSOCK");
    expect(guest.denials.map(({ call, grant }) => [call, grant])).toEqual(
      calls.map(([name]) => [name, null]),
    );
  });

  test("a descriptor that is not open is EBADF and nothing to tell", () => {
    const guest = new Caller();
    for (const [name, ...rest] of calls) expect(guest.call(name, 3, ...rest)).toBe("BADF");
    expect(guest.denials).toEqual([]);
  });
});
