import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { GiB, MiB, type Mount, type RunOptions } from "../../src/index.ts";
import { MODES, openExecutor, scratchDirectory } from "../support/executors.ts";
import { descendants, memoryHighWaterMark } from "../support/processes.ts";
import { hostAttack, script } from "../support/scripts.ts";
import { snapshot } from "../support/tree.ts";

/** Times that a program that checks a path before it opens it must have been tricked, before a race counts as one. */
const LOSSES = 5;

/** The same for several names that begin alike. */
const named = <Value>(prefix: string, names: readonly string[], value: Value): Record<string, Value> =>
  Object.fromEntries(names.map((name) => [`${prefix}-${name}`, value]));

describe.each(MODES)("against the host of $name,", ({ options, isolation }) => {
  const executor = openExecutor(options);
  let outside: string;
  let mount: string;
  let before: string[];

  /** A mount, and beside it what nobody may reach. */
  beforeEach(() => {
    outside = scratchDirectory();
    mount = join(outside, "mount");
    for (const directory of ["mount", "mount/sub", "data", "data-twin", "mount-twin"]) {
      mkdirSync(join(outside, directory));
    }
    for (const file of ["secret", "file", "data-twin/secret", "mount-twin/secret"]) {
      writeFileSync(join(outside, file), "outside");
    }
    writeFileSync(join(mount, "file"), "inside");
    before = snapshot(outside, "mount");
  });

  afterEach(async () => {
    expect(snapshot(outside, "mount")).toEqual(before);
    expect(await executor.run(script("hello"))).toMatchObject({ status: "ok", isolation });
  });

  const at = (guest: string, host = mount, access: Mount["access"] = "read-write"): Mount => ({
    host,
    guest,
    access,
  });
  const attack = (name: string, { limits, ...more }: RunOptions = {}, ...mounts: Mount[]) =>
    executor.run(hostAttack(name), {
      ...more,
      limits: { diskBytes: 256 * MiB, ...limits },
      capabilities: { mounts: mounts.length > 0 ? mounts : [at("/data")] },
    });

  test("a path with .. in any position, an absolute one, and one like the mount's in its first letters lead nowhere", async () => {
    for (const access of ["read-write", "read"] as const) {
      const result = await attack("dot-dot", {}, at("/data", mount, access));
      expect(result).toMatchObject({ status: "ok", stdout: "done\n" });
      expect(result.denials).toContainEqual({
        call: "path_open",
        target: "/data/../secret",
        reason: expect.stringContaining("leads out of the directory"),
        grant: "mounts",
        count: expect.any(Number),
      });
    }
  });

  test("paths with NULs, of bytes that are no UTF-8, and of up to 64 KiB are errors by name", async () => {
    const result = await attack("odd-paths");
    const [SUCCESS, ILSEQ, INVAL, NAMETOOLONG, NOENT] = [0, 25, 28, 37, 44];
    const lines = result.stdout.trim().split("\n");
    const answers = lines.map((line) => [line.split(" ", 1)[0], JSON.parse(line.slice(line.indexOf("[")))]);
    expect(Object.fromEntries(answers)).toEqual({
      ...named("nul", ["alone", "after", "before", "before-dots"], [INVAL]),
      "not-utf-8": [ILSEQ],
      ...named("overlong", ["slash", "dot"], [ILSEQ]),
      surrogate: [ILSEQ],
      "cut-off": [ILSEQ],
      empty: [NOENT],
      // Only the target of a link may be one: it is text until somebody follows it.
      "name-of-256": [SUCCESS, NAMETOOLONG],
      "4096": [NAMETOOLONG],
      ...named("64-KiB", ["of-a", "of-directories", "of-dots", "upwards", "of-slashes"], [NAMETOOLONG]),
    });
  });

  test("links that the guest makes lead nowhere", async () => {
    expect(await attack("links")).toMatchObject({ status: "ok", stdout: "done\n" });
  });

  test("links that the host has made lead nowhere, be they the last of a path, in its middle, chains, loops, absolute or to nothing", async () => {
    const targets = {
      final: "../secret",
      absolute: join(outside, "secret"),
      above: "..",
      "above-absolute": outside,
      deep: "sub/../../mount-twin",
      "chain-1": "chain-2",
      "chain-2": "sub/../chain-3",
      "chain-3": "../secret",
      loop: "loop",
      "loop-1": "loop-2/x",
      "loop-2": "loop-1",
      dangling: "../made",
      "dangling-absolute": join(outside, "made"),
      root: "/",
      etc: "/etc",
      proc: "/proc",
      "proc-self": "/proc/self",
      "proc-root": "/proc/self/root",
      environ: "/proc/self/environ",
      stdin: "/proc/self/fd/0",
      cwd: "/proc/self/cwd",
      dev: "/dev",
      "dev-zero": "/dev/zero",
      "dev-stdout": "/dev/stdout",
      sys: "/sys/kernel",
    };
    for (const [name, target] of Object.entries(targets)) symlinkSync(target, join(mount, name));
    const result = await attack("planted");
    expect(result).toMatchObject({ status: "ok", stdout: `${Object.keys(targets).length} links\n` });
    expect(result.denials.length).toBeGreaterThan(0);
    for (const { grant, reason } of result.denials) {
      expect([grant, reason]).toEqual(["mounts", expect.stringContaining("leads out of the directory")]);
    }
  });

  test("a mount to read cannot be changed through one to write, by moving nor by linking, nor can its files be taken over", async () => {
    mkdirSync(join(mount, "shared"));
    writeFileSync(join(mount, "shared/file"), "shared");
    mkdirSync(join(mount, "writable"));
    const read = () => snapshot(mount).filter((line) => !/\/(shared|writable)/.test(line));
    const unchanged = read();
    const result = await attack(
      "between-mounts",
      {},
      at("/read", mount, "read"),
      at("/write", join(mount, "writable")),
      at("/shared", join(mount, "shared")),
    );
    expect(result).toMatchObject({ status: "ok", stdout: `["write in the writable one"]\n` });
    expect(read()).toEqual(unchanged);
    expect(readdirSync(join(mount, "writable")).sort()).toEqual(["dir", "own"]);
    expect(result.denials).toContainEqual(
      expect.objectContaining({ call: "path_rename", grant: 'mounts[].access: "read-write"' }),
    );
    expect(result.denials).toContainEqual(
      expect.objectContaining({ call: "path_link", grant: 'mounts[].access: "read-write"' }),
    );
  });

  test("a handle of a directory that was moved works where the directory is, and nowhere else", async () => {
    const result = await attack("moved-directory");
    expect(result.status).toBe("ok");
    const reached = result.stdout.split("\n").filter((line) => line.endsWith(": true"));
    expect(reached).toEqual(["inner: true", "removed .: true"]);
  });

  test("a directory that a second guest swaps with a link, while the first works below it, leads the first nowhere", async () => {
    symlinkSync("..", join(mount, "link"));
    mkdirSync(join(mount, "a"));
    writeFileSync(join(mount, "a/file"), "inside");
    writeFileSync(join(mount, "own"), "own");
    let racing = false;
    const runs = Promise.all([
      attack("swap"),
      attack("work-below-swapped", {
        limits: { diskBytes: 64 * GiB },
        onStdout: () => {
          racing = true;
        },
      }),
    ]);
    let lost = 0;
    // What most programs do: as long as that is not tricked, the race proves nothing.
    for (let round = 1; lost < LOSSES || !racing; round += 1) {
      try {
        const path = join(mount, "a/file");
        if (realpathSync(path).startsWith(`${mount}/`) && readFileSync(path, "utf8") === "outside") lost += 1;
      } catch {}
      if (round % 1_000 === 0) await turn();
    }
    writeFileSync(join(mount, "stop"), "");
    const [swapper, worker] = await runs;
    expect(swapper).toMatchObject({ status: "ok", stdout: expect.stringMatching(/^swapping\n[1-9]\d*\n$/) });
    expect(worker).toMatchObject({
      status: "ok",
      stdout: expect.stringMatching(/^met both\n\{"inside":[1-9]\d*,"refused":[1-9]\d*,"outside":0\}\n$/),
    });
  }, 180_000);

  test("a FIFO and a socket in a mount are seen and never opened", async () => {
    execFileSync("mkfifo", [join(mount, "fifo")]);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(mount, "socket"), resolve));
    onTestFinished(() => void server.close());
    let connections = 0;
    server.on("connection", () => {
      connections += 1;
    });
    for (const access of ["read", "read-write"] as const) {
      const result = await attack("special-files", {}, at("/data", mount, access));
      expect(result).toMatchObject({ status: "ok", stdout: "2 seen\n" });
      expect(result.denials).toContainEqual(
        expect.objectContaining({ call: "path_open", target: "/data/fifo", grant: null }),
      );
    }
    expect(connections).toBe(0);
  });

  test.each(["/dev", "/dev/shm", "/proc", "/proc/self", "/sys/kernel"])(
    "nothing of the kernel's is mounted: %s",
    async (host) => {
      await expect(attack("special-files", {}, at("/data", host))).rejects.toMatchObject({
        code: "MOUNT_REFUSED",
        message: expect.stringContaining("the kernel's"),
      });
    },
  );

  test("closing and replacing descriptors 0 to 3 is the guest's own business", async () => {
    const result = await attack("standard-streams");
    expect(result).toMatchObject({ stdout: "before\n", stderr: "" });
    const report = readFileSync(join(mount, "report"), "utf8").replaceAll("(", "[").replaceAll(")", "]");
    const BADF = 8;
    expect(JSON.parse(report)).toEqual([
      ["file to stdout", 0],
      ["write to the file", 0],
      ["stdin to stderr", 0],
      ["write to stdin", BADF],
      ["close stderr", 0],
      ["close stdout", 0],
      ["close stdin", BADF],
      ["write to nothing", BADF],
      ["read from nothing", BADF],
      ["mount to stdout, which is no more", BADF],
      ["mount to a file", 0],
      ["opened below no mount", 0],
      // The root below which nothing is, the report, and what was the mount.
      ["descriptors", 3],
    ]);
    expect(readFileSync(join(mount, "replacement"), "utf8")).toBe("not printed\n");
  });

  test("buffers at the edges of memory are errors, never a trap and never a crash", async () => {
    const result = await attack("edge-of-memory");
    expect(result).toMatchObject({ status: "ok", stdout: "done\n" });
    expect(result.stderr).toMatch(/^[1-9]\d* answered, [1-9]\d* refused\n$/);
  });

  test("the host allocates nothing that a guest merely asks for: reads, listings, events and random bytes of a gigabyte", async () => {
    writeFileSync(join(mount, "small"), "small");
    writeFileSync(join(mount, "huge"), "");
    truncateSync(join(mount, "huge"), 2 * GiB);
    const peaks = [0];
    const watch = () => {
      for (const pid of isolation.cell === "process" ? descendants() : [process.pid]) {
        peaks.push(memoryHighWaterMark(pid));
      }
    };
    const watching = setInterval(watch, 10);
    onTestFinished(() => clearInterval(watching));
    const result = await attack("ask-gigabytes", {
      stdin: "input",
      limits: { memoryBytes: 1_100 * MiB, diskBytes: 32 * MiB, hostCallBytes: 4 * GiB },
    });
    expect(result).toMatchObject({ status: "limit-exceeded", limit: "outputBytes" });
    const [INVAL, FAULT, NOMEM] = [28, 21, 48];
    const refused = [`poll ${NOMEM}`, `vectors ${FAULT}`];
    const answers = [
      "before",
      "read 0",
      "pread 0",
      "pread-again 0",
      "stdin 0",
      "readdir 0",
      `readlink ${INVAL}`,
    ];
    const text = [...answers, "pwrite 0", ...refused, ...refused, ...refused, "random 0", "filled true"].join(
      "\n",
    );
    expect(result.stdout.slice(0, 1_000)).toBe(`${text}\n`.padEnd(1_000, "x"));
    // The guest's own gigabyte, all of it written to, and what a process needs.
    expect(Math.max(...peaks)).toBeGreaterThan(1 * GiB);
    expect(Math.max(...peaks)).toBeLessThan(1.5 * GiB);
  });
});
