import { describe, expect, test } from "vitest";
import { OutputLimit } from "../../../src/guest/preview1/preview1.ts";
import { Right } from "../../../src/guest/preview1/rights.ts";
import { Caller, END, withMount } from "../caller.ts";
import { runModule, rustModule, scratch } from "../support.ts";

describe("stdin", () => {
  test("is read in the portions that the guest asks for, and then at its end", () => {
    const guest = new Caller({ stdin: "hello" });
    expect([guest.read(0, 3), guest.read(0, 3), guest.read(0, 3)]).toEqual(["hel", "lo", ""]);
  });

  test("is asked for no more than 64 KiB at a time, however large the buffer", () => {
    const asked: number[] = [];
    const guest = new Caller({
      readStdin(maxBytes) {
        asked.push(maxBytes);
        return new Uint8Array(0);
      },
    });
    guest.read(0, 1 << 20);
    guest.read(0, 10);
    expect(asked).toEqual([65_536, 10]);
  });

  test("fills the first buffer that is not empty and waits for no other", () => {
    const guest = new Caller({ stdin: "abcdef" });
    const [buffer] = guest.put(new Uint8Array(8));
    const vector = guest.vector([0, 0], [buffer, 2], [buffer + 2, 2]);
    expect(guest.call("fd_read", 0, ...vector, 64)).toBe("SUCCESS");
    expect(guest.view.getUint32(64, true)).toBe(2);
  });

  test("is not asked at all by a read of nothing", () => {
    const guest = new Caller({
      readStdin: () => {
        throw new Error("asked");
      },
    });
    expect(guest.read(0, 0)).toBe("");
  });

  test("cannot be written, and has no position", () => {
    const guest = new Caller({ stdin: "x" });
    expect(guest.write(0, "x")).toBe("BADF");
    expect(guest.pwrite(0, "x", 0n)).toBe("BADF");
    expect(guest.pread(0, 1, 0n)).toBe("SPIPE");
    expect(guest.seek(0, 0n, END)).toBe("SPIPE");
    expect(guest.tell(0)).toBe("SPIPE");
  });
});

describe("stdout and stderr", () => {
  test("arrive in order and apart", () => {
    const guest = new Caller();
    expect(guest.write(1, "a", "", "bc")).toBe(3);
    expect(guest.write(2, "!")).toBe(1);
    expect(guest.write(1)).toBe(0);
    expect(guest.witness.stdout()).toBe("abc");
    expect(guest.witness.stderr()).toBe("!");
  });

  test("cannot be read, and have no position", () => {
    const guest = new Caller();
    expect(guest.read(1, 1)).toBe("BADF");
    expect(guest.pread(1, 1, 0n)).toBe("BADF");
    expect(guest.pwrite(1, "x", 0n)).toBe("SPIPE");
    expect(guest.seek(2, 0n, END)).toBe("SPIPE");
    expect(guest.tell(2)).toBe("SPIPE");
  });

  test("are no files", () => {
    const guest = new Caller();
    for (const fd of [0, 1, 2]) {
      expect(guest.call("fd_sync", fd)).toBe("BADF");
      expect(guest.call("fd_filestat_set_size", fd, 0n)).toBe("BADF");
      expect(guest.call("fd_filestat_set_times", fd, 0n, 0n, 1)).toBe("BADF");
      expect(guest.call("fd_fdstat_set_flags", fd, 4)).toBe("BADF");
      expect(guest.call("fd_readdir", fd, 0, 64, 0n, 128)).toBe("BADF");
      expect(guest.open("x", { at: fd })).toBe("BADF");
      expect(guest.fstat(fd)).toMatchObject({ type: 0, size: 0n, mtim: 0n });
    }
  });

  test("are not terminals, unless they are to pass for one", () => {
    const guest = new Caller();
    expect(guest.fdstat(0)).toMatchObject({ type: 0, flags: 0 });
    expect(guest.fdstat(1)).toMatchObject({ type: 0, flags: 0 });
    expect((guest.fdstat(1) as { rights: number }).rights & (Right.FD_READ | Right.FD_SEEK)).toBe(0);
    const onTerminal = new Caller({ grants: { terminal: true } });
    for (const fd of [0, 1, 2]) {
      expect(onTerminal.fdstat(fd)).toEqual({ ...(guest.fdstat(fd) as object), type: 2 });
      expect(onTerminal.fstat(fd)).toEqual({ ...(guest.fstat(fd) as object), type: 2 });
    }
  });

  test("take exactly as many bytes as are granted, each", () => {
    const guest = new Caller({ grants: { outputBytes: 4 } });
    expect(guest.write(1, "ab", "cd")).toBe(4);
    expect(guest.write(2, "efgh")).toBe(4);
    expect(guest.write(1)).toBe(0);
    expect(guest.witness.stdout()).toBe("abcd");
  });

  test("pass on what fits of a write that does not, and then end the run for good", () => {
    const guest = new Caller({ grants: { outputBytes: 4 } });
    guest.write(1, "ab");
    expect(() => guest.write(1, "cdefg")).toThrow(expect.objectContaining({ stream: "stdout" }));
    expect(guest.witness.stdout()).toBe("abcd");
    expect(() => guest.call("sched_yield")).toThrow(OutputLimit);
    expect(() => guest.write(2, "x")).toThrow(OutputLimit);
    expect(guest.witness.stderr()).toBe("");
  });

  test("keep their limit under another number", () => {
    const guest = new Caller({ grants: { outputBytes: 4 } });
    guest.write(1, "abcd");
    expect(guest.call("fd_renumber", 1, 2)).toBe("SUCCESS");
    expect(() => guest.write(2, "e")).toThrow(OutputLimit);
    expect(guest.witness.stderr()).toBe("");
  });
});

describe("descriptors 0 to 2", () => {
  test("are the guest's own to close; the cell's stay open", () => {
    const guest = new Caller();
    for (const fd of [0, 1, 2]) {
      expect(guest.close(fd)).toBe("SUCCESS");
      expect(guest.close(fd)).toBe("BADF");
      expect(guest.write(fd, "x")).toBe("BADF");
      expect(guest.fdstat(fd)).toBe("BADF");
    }
    expect(() => process.stdout.write("")).not.toThrow();
    expect(() => process.stderr.write("")).not.toThrow();
  });

  test("are never given to a file that is opened after they were closed", () => {
    const guest = withMount(scratch());
    guest.close(0);
    guest.close(1);
    const fd = guest.opened("f", { flags: 1 });
    expect(fd).toBeGreaterThan(2);
    expect(guest.write(1, "x")).toBe("BADF");
  });

  test("can be replaced by a file, which then takes what is printed", async () => {
    const root = scratch();
    const guest = withMount(root, { grants: { terminal: true } });
    const fd = guest.opened("log", { flags: 1, rights: Right.FD_WRITE });
    expect(guest.call("fd_renumber", fd, 1)).toBe("SUCCESS");
    expect(guest.write(1, "to the file")).toBe(11);
    expect(guest.witness.stdout()).toBe("");
    expect(guest.fdstat(1)).toMatchObject({ type: 4 });
    expect(guest.fdstat(fd)).toBe("BADF");
  });
});

test("a Rust program prints, reads lines and exits as it does anywhere", async () => {
  const module = await rustModule(`
    use std::io::BufRead;
    fn main() {
        for line in std::io::stdin().lock().lines() { println!("<{}>", line.unwrap()); }
        eprint!("done");
        std::process::exit(7);
    }`);
  const run = runModule(module, { stdin: "one\ntwo\nthree" });
  expect(run.exitCode).toBe(7);
  expect(run.stdout()).toBe("<one>\n<two>\n<three>\n");
  expect(run.stderr()).toBe("done");
});
