import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openNodeWasi } from "../../src/guest/node-wasi.ts";
import { PREVIEW1_NAMES } from "../../src/guest/preview1/create.ts";
import { type GuestDenial, GuestExit, OutputLimit } from "../../src/guest/preview1/preview1.ts";
import { errnoName, scratch } from "./support.ts";

/** A guest without a program, as a test makes its calls. The directory it has is this test's own. */
function open(outputBytes = 1_000) {
  const source = scratch();
  writeFileSync(join(source, "file.txt"), "inside");
  const denials: GuestDenial[] = [];
  const output = { stdout: "", stderr: "" };
  const wasi = openNodeWasi([{ source, guest: "/data", access: "read", maxBytes: undefined }])(
    {
      args: ["script"],
      env: {},
      clock: { kind: "real" },
      random: { kind: "secure" },
      memory: [],
      outputBytes,
      diskBytes: 0,
      openFiles: 1,
      hostCallBytes: 1_000,
      terminal: false,
    },
    {
      readStdin: (maxBytes) => new TextEncoder().encode("input").subarray(0, maxBytes),
      writeOutput(stream, bytes) {
        output[stream] += Buffer.from(bytes).toString();
      },
      deny: (denial) => denials.push(denial),
    },
    PREVIEW1_NAMES,
  );
  const memory = new WebAssembly.Memory({ initial: 1 });
  const view = new DataView(memory.buffer);
  const call = (name: string, ...args: (number | bigint)[]): string => {
    const imported = wasi.imports[name] as unknown as (...args: unknown[]) => unknown;
    return errnoName(imported(...args.map((arg) => (typeof arg === "number" ? arg | 0 : arg))));
  };
  const put = (text: string, address = 1_024): [address: number, length: number] => {
    new Uint8Array(memory.buffer).set(new TextEncoder().encode(text), address);
    return [address, Buffer.byteLength(text)];
  };
  /** One buffer, described at address 0. */
  const buffer = (text: string): [vectors: number, count: number] => {
    const [address, length] = put(text);
    view.setUint32(0, address, true);
    view.setUint32(4, length, true);
    return [0, 1];
  };
  const openFile = (path: string): string => call("path_open", 3, 0, ...put(path), 0, 2n, 0n, 0, 16);
  return { wasi, memory, view, call, put, buffer, openFile, denials, output };
}

test("node:wasi serves all the functions that scriptcell's own host serves", () => {
  expect(Object.keys(open().wasi.imports).sort()).toEqual([...PREVIEW1_NAMES].sort());
  expect(PREVIEW1_NAMES).toHaveLength(46);
});

test("before the memory is bound every call that needs it is FAULT, and none takes the cell down", () => {
  const { call } = open();
  for (const name of [
    "args_sizes_get",
    "random_get",
    "fd_read",
    "path_open",
    "poll_oneoff",
    "fd_prestat_get",
  ]) {
    expect([name, call(name, 3, 64, 1, 64, 0, 0n, 0n, 0, 64)]).toEqual([name, "FAULT"]);
  }
});

describe("with its memory bound", () => {
  const bound = (outputBytes?: number) => {
    const guest = open(outputBytes);
    guest.wasi.bind(guest.memory);
    return guest;
  };

  test("addresses and numbers with their highest bit set arrive as they were meant", () => {
    const { call, buffer } = bound();
    expect(call("fd_close", 0x8000_0000)).toBe("BADF");
    expect(call("args_sizes_get", 0xffff_fff0, 0)).toBe("OVERFLOW");
    expect(call("fd_write", 1, ...buffer("x"), 0xffff_fff0)).toBe("FAULT");
  });

  test("memory that has grown is the guest's memory", () => {
    const { call, memory } = bound();
    memory.grow(1);
    expect(call("args_sizes_get", 65_536, 65_540)).toBe("SUCCESS");
    expect(new DataView(memory.buffer).getUint32(65_536, true)).toBe(1);
  });

  test("what is written to a stream is passed on at once, and reading stdin asks for it", () => {
    const { call, view, buffer, output } = bound();
    expect(call("fd_write", 1, ...buffer("out"), 16)).toBe("SUCCESS");
    expect(call("fd_write", 2, ...buffer("error"), 16)).toBe("SUCCESS");
    expect(output).toEqual({ stdout: "out", stderr: "error" });
    expect(call("fd_read", 0, ...buffer("xxxxxxxx"), 16)).toBe("SUCCESS");
    expect(view.getUint32(16, true)).toBe(5);
    expect(Buffer.from(view.buffer, 1_024, 8).toString()).toBe("inputxxx");
  });

  test.each([
    ["streams finds them ready", [0, 1], "SUCCESS", 2],
    ["a stream and a clock ends with the stream", [0, undefined], "SUCCESS", 1],
    ["a stream and one that was closed is left to node:wasi, which cannot", [0, 2], "PERM", 0],
  ])("waiting for %s", (_, waited, answer, ready) => {
    const { call, view } = bound();
    expect(call("fd_close", 2)).toBe("SUCCESS");
    for (const [index, fd] of waited.entries()) {
      const address = 2_048 + index * 48;
      if (fd === undefined) {
        view.setBigUint64(address + 24, 3_600_000_000_000n, true);
        continue;
      }
      view.setUint8(address + 8, fd === 0 ? 1 : 2);
      view.setUint32(address + 16, fd, true);
    }
    expect(call("poll_oneoff", 2_048, 4_096, waited.length, 16)).toBe(answer);
    expect(view.getUint32(16, true)).toBe(ready);
  });

  test("a stream that was moved is limited as it was before", () => {
    const { call, buffer, openFile, output } = bound(4);
    expect(openFile("file.txt")).toBe("SUCCESS");
    expect(call("fd_renumber", 1, 4)).toBe("SUCCESS");
    expect(() => call("fd_write", 4, ...buffer("12345"), 16)).toThrow(OutputLimit);
    expect(output.stdout).toBe("1234");
  });

  test("an exit cannot be caught: every later call ends the guest again", () => {
    const { call, openFile } = bound();
    expect(() => call("proc_exit", 7)).toThrow(GuestExit);
    for (const again of [() => call("fd_close", 0), () => openFile("file.txt"), () => call("sched_yield")]) {
      expect(again).toThrow(expect.objectContaining({ exitCode: 7 }));
    }
  });

  test("a file beyond openFiles is refused and told by its path, also where a stream's number was free for it", () => {
    const { call, view, openFile, denials } = bound();
    expect(call("fd_close", 0)).toBe("SUCCESS");
    expect(openFile("file.txt")).toBe("SUCCESS");
    expect(openFile("file.txt")).toBe("MFILE");
    expect(denials).toMatchObject([{ call: "path_open", target: "file.txt", grant: "limits.openFiles" }]);
    expect(call("fd_close", view.getUint32(16, true))).toBe("SUCCESS");
    expect(openFile("file.txt")).toBe("SUCCESS");
  });

  test("opening a file changes nothing of the guest's memory but the number it is given", () => {
    const { view, put, openFile } = bound();
    new Uint8Array(view.buffer, 0, 512).fill(0xee);
    put("file.txt");
    const before = new Uint8Array(view.buffer.slice(0));
    expect(openFile("file.txt")).toBe("SUCCESS");
    before.set(new Uint8Array(view.buffer, 16, 4), 16);
    expect(new Uint8Array(view.buffer)).toEqual(before);
    expect(view.getUint32(16, true)).toBeLessThan(16);
  });

  test("a call that names more than it may is NOMEM and told, and node:wasi is not asked", () => {
    const { call, view, memory, buffer, put, openFile, denials } = bound();
    expect(openFile("file.txt")).toBe("SUCCESS");
    const file = view.getUint32(16, true);
    const read = (bytes: number): string => call("fd_read", file, ...buffer("x".repeat(bytes)), 16);
    expect([read(993), read(992)]).toEqual(["NOMEM", "SUCCESS"]);
    // All of it was still to be read.
    expect(Buffer.from(memory.buffer, 1_024, 7).toString()).toBe("insidex");
    expect(call("path_filestat_get", 3, 0, ...put("p".repeat(1_001)), 16)).toBe("NOMEM");
    expect(call("random_get", 1_024, 1_001)).toBe("NOMEM");
    expect(call("poll_oneoff", 0, 4_096, 13, 16)).toBe("NOMEM");
    expect(denials.map(({ call, target, grant }) => [call, target, grant])).toEqual([
      ["fd_read", `descriptor ${file}`, "limits.hostCallBytes"],
      ["path_filestat_get", "p".repeat(256), "limits.hostCallBytes"],
      ["random_get", "random bytes", "limits.hostCallBytes"],
      ["poll_oneoff", "subscriptions", "limits.hostCallBytes"],
    ]);
  });

  test("a stream's call that names more than it may is NOMEM and told once", () => {
    const { call, buffer, denials, output } = bound();
    expect(call("fd_write", 1, ...buffer("x".repeat(993)), 16)).toBe("NOMEM");
    expect(call("fd_write", 1, ...buffer("x".repeat(992)), 16)).toBe("SUCCESS");
    expect(output.stdout).toHaveLength(992);
    expect(denials).toHaveLength(1);
  });

  test("a call that fails to open counts for nothing", () => {
    const { openFile } = bound();
    for (let n = 0; n < 3; n += 1) expect(openFile("nowhere")).toBe("NOENT");
    expect(openFile("file.txt")).toBe("SUCCESS");
  });
});
