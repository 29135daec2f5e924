import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { assemble } from "../../wasm/assemble.ts";
import { Caller, FOLLOW, O } from "../caller.ts";
import { attackModule, openHost, type ProgramRun, runModule, scratch } from "../support.ts";

/** A directory with the mount in it, a secret beside the mount, and a directory whose name starts like the mount's. */
interface Stage {
  outside: string;
  mount: string;
}

let stage: Stage;

beforeEach(() => {
  const outside = scratch();
  const mount = join(outside, "mount");
  for (const directory of ["mount", "data", "data-twin", "mount-twin"]) mkdirSync(join(outside, directory));
  for (const file of ["secret", "data-twin/secret", "mount-twin/secret"]) {
    writeFileSync(join(outside, file), "outside");
  }
  stage = { outside, mount };
});

/** Names below a directory, links not followed (`readdir` follows them, round and round), nothing below `except`. */
function namesBelow(directory: string, except: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => [
    entry.name,
    ...(entry.isDirectory() && entry.name !== except
      ? namesBelow(join(directory, entry.name), except).map((name) => `${entry.name}/${name}`)
      : []),
  ]);
}

/** What lies outside the mount, and that it is as it was. */
function expectOutsideUnchanged(): void {
  const names = namesBelow(stage.outside, "mount").sort();
  expect(names).toEqual([
    "data",
    "data-twin",
    "data-twin/secret",
    "mount",
    "mount-twin",
    "mount-twin/secret",
    "secret",
  ]);
  expect(readFileSync(join(stage.outside, "secret"), "utf8")).toBe("outside");
}

async function attack(name: string, access: "read" | "read-write" = "read-write"): Promise<ProgramRun> {
  const module = await attackModule(name);
  return runModule(module, { mounts: [{ source: stage.mount, guest: "/data", access }] });
}

describe("a path", () => {
  test("with .. in any position, absolute, or like the mount's own in its first letters leads nowhere outside", async () => {
    const run = await attack("dot-dot");
    expect(run.stderr()).toBe("");
    expect(run.stdout()).toBe("done\n");
    expectOutsideUnchanged();
    expect(run.denials).toContainEqual({
      call: "path_open",
      target: "/data/../secret",
      reason: expect.stringContaining("leads out of the directory"),
      grant: "mounts",
    });
    expect(run.denials.map(({ target }) => target)).toContain("/etc/passwd");
  });

  test.each([
    "/etc/passwd",
    "/",
    "//",
    "..",
    "../",
    "../secret",
    "./../secret",
    "sub/../../secret",
    "sub/..//..",
    "../mount/../secret",
    "missing/../../secret",
    "/../secret",
    "../mount-twin/secret",
  ])("that a program hands to the host itself: %s", (path) => {
    mkdirSync(join(stage.mount, "sub"));
    const guest = new Caller({ mounts: [{ source: stage.mount, guest: "/data" }] });
    // A missing directory on the way is found missing before the path leads out.
    const expected = path.startsWith("missing") ? "NOENT" : "PERM";
    for (const lookup of [0, FOLLOW]) {
      expect(guest.open(path, { lookup })).toBe(expected);
      expect(guest.open(path, { lookup, flags: O.CREAT })).toBe(expected);
      expect(guest.open(path, { lookup, flags: O.DIRECTORY })).toBe(expected);
      expect(guest.stat(path, { lookup })).toBe(expected);
      expect(guest.setTimes(path, 0n, 0n, 5, lookup)).toBe(expected);
    }
    expect(guest.mkdir(path)).toBe(expected);
    expect(guest.rmdir(path)).toBe(expected);
    expect(guest.unlink(path)).toBe(expected);
    expect(guest.readlink(path)).toBe(expected);
    expect(guest.symlink("x", path)).toBe(expected);
    expect(guest.rename(path, "x")).toBe(expected);
    expect(guest.rename("sub", path)).toBe(expected);
    expect(guest.link(path, "x")).toBe(expected);
    writeFileSync(join(stage.mount, "file"), "");
    expect(guest.link("file", path)).toBe(expected);
    expectOutsideUnchanged();
    if (expected === "PERM") {
      for (const { grant, reason } of guest.denials) {
        expect(grant).toBe("mounts");
        expect(reason).toContain("no mount holds this path");
      }
      expect(guest.denials.length).toBeGreaterThanOrEqual(19);
    }
  });

  test("does not lead out of a directory that was opened below the mount either", () => {
    mkdirSync(join(stage.mount, "sub"));
    writeFileSync(join(stage.mount, "beside"), "");
    const guest = new Caller({ mounts: [{ source: stage.mount, guest: "/data" }] });
    const sub = guest.opened("sub");
    expect(guest.open("../beside", { at: sub })).toBe("PERM");
    expect(guest.open("..", { at: sub })).toBe("PERM");
    expect(guest.denials[0]?.target).toBe("/data/sub/../beside");
  });
});

describe("a symbolic link", () => {
  test("that the guest makes leads nowhere outside, however it is made", async () => {
    const run = await attack("links");
    expect(run.stderr()).toBe("");
    expect(run.stdout()).toBe("done\n");
    expectOutsideUnchanged();
  });

  test.each([
    ["absolute", (outside: string) => join(outside, "secret")],
    ["relative", () => "../secret"],
    ["a chain", () => "hop"],
  ])("that the host has made is not followed out: %s", (_kind, target) => {
    symlinkSync("../secret", join(stage.mount, "hop"));
    symlinkSync(target(stage.outside), join(stage.mount, "final"));
    symlinkSync(stage.outside, join(stage.mount, "middle"));
    symlinkSync("..", join(stage.mount, "middle-up"));
    symlinkSync(stage.mount, join(stage.mount, "to-itself"));
    const guest = new Caller({ mounts: [{ source: stage.mount, guest: "/data", access: "read" }] });
    for (const path of ["final", "middle/secret", "middle-up/secret", "middle/", "to-itself/final"]) {
      expect([path, guest.open(path, { lookup: FOLLOW })]).toEqual([path, "PERM"]);
      expect([path, guest.stat(path, { lookup: FOLLOW })]).toEqual([path, "PERM"]);
    }
    expect(guest.denials[0]).toMatchObject({ call: "path_open", target: "/data/final", grant: "mounts" });
  });

  test("to an absolute path is not told, since it may name what is nobody's business", () => {
    symlinkSync("/home/someone/private", join(stage.mount, "link"));
    const guest = new Caller({ mounts: [{ source: stage.mount, guest: "/data", access: "read" }] });
    expect(guest.readlink("link")).toBe("PERM");
    expect(JSON.stringify(guest.denials)).not.toContain("someone");
  });

  test("to nothing outside does not make the file there", () => {
    symlinkSync("../made", join(stage.mount, "dangling"));
    symlinkSync(join(stage.outside, "made"), join(stage.mount, "absolute"));
    const guest = new Caller({ mounts: [{ source: stage.mount, guest: "/data" }] });
    for (const path of ["dangling", "absolute"]) {
      expect(guest.open(path, { lookup: FOLLOW, flags: O.CREAT })).toBe("PERM");
      expect(guest.open(path, { lookup: FOLLOW, flags: O.CREAT | O.TRUNC })).toBe("PERM");
      expect(guest.open(path, { flags: O.CREAT })).toBe("LOOP");
      expect(guest.open(path, { lookup: FOLLOW, flags: O.CREAT | O.EXCL })).toBe("EXIST");
    }
    expect(existsSync(join(stage.outside, "made"))).toBe(false);
  });

  test("may be one of forty on a path, and not of forty-one", () => {
    writeFileSync(join(stage.mount, "file"), "end");
    for (let index = 0; index <= 40; index++) {
      symlinkSync(index === 0 ? "file" : `l${index - 1}`, join(stage.mount, `l${index}`));
    }
    const guest = new Caller({ mounts: [{ source: stage.mount, guest: "/data" }] });
    expect(guest.read(guest.opened("l39", { lookup: FOLLOW }), 9)).toBe("end");
    expect(guest.open("l40", { lookup: FOLLOW })).toBe("LOOP");
  });
});

test("a directory that was moved is worked in where it is, and leads nowhere else", async () => {
  const run = await attack("moved-directory");
  expect(run.stderr()).toBe("");
  expect(run.stdout().trim().split("\n")).toEqual([
    "inner: true",
    "secret: false",
    "../secret: false",
    "..: false",
    "../a/b/secret: false",
    "../../secret: false",
    "../moved/../../secret: false",
    "/data/a/b/secret: false",
    "/data/a/b/mount/../secret: false",
    "/data/a/b: false",
    "removed inner: false",
    "removed .: true",
    "removed ..: false",
    "removed new: false",
  ]);
  expectOutsideUnchanged();
});

describe("what is neither a file nor a directory", () => {
  test.each(["read", "read-write"] as const)(
    "is seen and never opened: FIFO and socket, mount for %s",
    async (access) => {
      await execa("mkfifo", [join(stage.mount, "fifo")]);
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(join(stage.mount, "socket"), resolve));
      onTestFinished(() => void server.close());
      let connections = 0;
      server.on("connection", () => {
        connections += 1;
      });
      const run = await attack("special-files", access);
      expect(run.stderr()).toBe("");
      expect(run.stdout()).toBe("2 seen\n");
      expect(connections).toBe(0);
      expect(run.denials).toContainEqual({
        call: "path_open",
        target: "/data/fifo",
        reason: "only regular files and directories can be opened",
        grant: null,
      });
      const guest = new Caller({ mounts: [{ source: stage.mount, guest: "/data" }] });
      expect([guest.stat("fifo"), guest.stat("socket")]).toMatchObject([{ type: 0 }, { type: 6 }]);
      expect(guest.open("fifo", { flags: O.DIRECTORY })).toBe("NOTDIR");
      expect(guest.open("fifo/x")).toBe("NOTDIR");
    },
  );

  test("is never opened: the devices of the system", () => {
    const guest = new Caller({ mounts: [{ source: "/dev", guest: "/data" }] });
    for (const device of ["null", "zero", "full", "tty", "urandom"]) {
      expect(guest.stat(device)).toMatchObject({ type: 2 });
      for (const flags of [0, O.CREAT, O.TRUNC]) {
        for (const rights of [0, 2, 64, 66]) expect(guest.open(device, { flags, rights })).toBe("PERM");
      }
    }
  });
});

describe("descriptors", () => {
  test("run out for the guest and never for the cell", () => {
    writeFileSync(join(stage.mount, "file"), "");
    const guest = new Caller({
      mounts: [{ source: stage.mount, guest: "/data" }],
      grants: { openFiles: 100 },
    });
    const before = readdirSync("/proc/self/fd").length;
    const answers = Array.from({ length: 500 }, () => guest.open("file"));
    expect(answers.filter((answer) => typeof answer === "number")).toHaveLength(100);
    expect(new Set(answers.slice(100))).toEqual(new Set(["MFILE"]));
    expect(readdirSync("/proc/self/fd").length).toBe(before + 100);
    guest.witness.wasi.close();
    expect(readdirSync("/proc/self/fd").length).toBe(before);
  });

  test("are not leaked by paths that fail on the way", () => {
    mkdirSync(join(stage.mount, "a/b/c"), { recursive: true });
    writeFileSync(join(stage.mount, "a/b/file"), "");
    symlinkSync("a/b", join(stage.mount, "link"));
    symlinkSync("loop", join(stage.mount, "loop"));
    const guest = new Caller({ mounts: [{ source: stage.mount, guest: "/data" }] });
    const before = readdirSync("/proc/self/fd").length;
    for (const path of [
      "a/b/c/missing/x",
      "a/b/file/x",
      "a/b/c/../../../../x",
      "link/c/missing",
      "link/../../../x",
      "loop/x",
      "a/b/loop",
      "a/\u0001",
    ]) {
      for (const lookup of [0, FOLLOW]) {
        guest.open(path, { lookup });
        guest.open(path, { lookup, flags: O.DIRECTORY });
        guest.stat(path, { lookup });
      }
      guest.mkdir(`${path}/y/z`);
      guest.rename(path, "a/b/c/q/r");
      guest.rename("a/b/file", path);
      guest.readlink(path);
    }
    guest.open("a/b", { rights: 66 });
    guest.open("a/b/file", { flags: O.DIRECTORY });
    // The directories of the last path, until the run ends.
    expect(readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(before + 3);
    guest.witness.wasi.close();
    expect(readdirSync("/proc/self/fd").length).toBe(before);
  });
});

test("a module that calls its imports while it is instantiated gets EFAULT and no further", () => {
  const { wasi, stdout } = openHost();
  const answers: number[] = [];
  new WebAssembly.Instance(
    new WebAssembly.Module(
      assemble(`(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "path_open"
          (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "test" "tell" (func $tell (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "\\08\\00\\00\\00\\01\\00\\00\\00x")
        (func $early
          (call $tell (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
          (call $tell (call $open (i32.const 3) (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 0)
            (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 16))))
        (start $early))`),
    ),
    { wasi_snapshot_preview1: wasi.imports, test: { tell: (errno: number) => answers.push(errno) } },
  );
  expect(answers).toEqual([21, 21]);
  expect(stdout()).toBe("");
});
