import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ExecutorOptions, RunResult } from "../../src/index.ts";
import { openExecutor, scratchDirectory } from "../support/executors.ts";
import { attack } from "../support/scripts.ts";
import { snapshot } from "../support/tree.ts";

const NODE_WASI: ExecutorOptions = {
  engine: "node-wasi",
  jail: "required",
  capabilities: { clock: "real" },
};
const FIXTURES = new URL("../../fixtures/attacks/node-wasi/", import.meta.url);
const fixture = (name: string): string => readFileSync(new URL(`${name}.rs`, FIXTURES), "utf8");

const executor = openExecutor(NODE_WASI);

/** A directory to mount, with links that lead to everything around it. */
function house() {
  const root = scratchDirectory();
  const host = join(root, "mount");
  mkdirSync(host);
  mkdirSync(join(root, "outside"));
  writeFileSync(join(host, "file.txt"), "inside");
  writeFileSync(join(root, "outside", "secret.txt"), "top secret");
  const links = {
    outside: "../outside",
    secret: "../outside/secret.txt",
    absolute: join(root, "outside"),
    "absolute-secret": join(root, "outside", "secret.txt"),
    up: "../".repeat(20),
    root: "/",
    processes: "/proc",
    process: "/proc/self",
    "host-root": `/proc/self/root${root}`,
    passwd: "/etc/passwd",
    loop: "loop",
  };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(host, name));
  return { root, host };
}

async function run(name: string, host: string, ...args: string[]): Promise<RunResult> {
  return executor.run(fixture(name), {
    capabilities: { clock: "real", args: ["script", ...args], mounts: [{ host, guest: "/data" }] },
    limits: { wallTimeMs: 20_000 },
  });
}

/** Whether a line of the attack `links` is about the mount's own file, or about what a jail shows to be a jail. */
function isOfTheJail(line: string): boolean {
  const known =
    /^(read \/data\/file\.txt: |list \/data\/root\/(mounts|cell): |read \/data\/process(es\/\d+)?\/environ: )/;
  // Node lies where it lies on the host: the directories above it are there, and empty but for the next.
  const [, directory, name] = /^list \/data\/root(\/\w+): \["([^"]*)"\]$/.exec(line) ?? [];
  return known.test(line) || (name !== undefined && process.execPath.startsWith(`${directory}/${name}/`));
}

/** What every attack must leave: the host's files as they were, and an executor that serves the next guest. */
async function unharmed(root: string, before: readonly string[]): Promise<void> {
  expect(snapshot(root)).toEqual(before);
  const next = await executor.run(
    `fn main() { println!("{}", std::fs::read_to_string("/data/file.txt").unwrap()); }`,
    {
      capabilities: { clock: "real", mounts: [{ host: join(root, "mount"), guest: "/data" }] },
    },
  );
  expect(next).toMatchObject({ status: "ok", stdout: "inside\n" });
}

test("a guest of node:wasi that follows links out of its mount finds a jail, with nothing of the host's in it", async () => {
  const { root, host } = house();
  const before = snapshot(root);
  const result = await run("links", host);
  expect(result).toMatchObject({ status: "ok", isolation: { jail: "bubblewrap", engine: "node-wasi" } });
  const lines = result.stdout.trimEnd().split("\n");
  expect(lines.at(-1)).toBe("done");
  expect(lines).toContain("read /data/file.txt: inside");
  // Below the links, all that there is in a jail is Node, the cell's own code and its process; and none of it can be changed.
  expect(lines.filter((line) => line !== "done" && !isOfTheJail(line))).toEqual([]);
  expect(result.stdout).not.toContain("secret");
  expect(result.stdout).not.toContain(process.env.PATH);
  await unharmed(root, before);
});

test("a guest of node:wasi that takes the descriptors of its cell reaches nobody through them", async () => {
  const { root, host } = house();
  const before = snapshot(root);
  const result = await run("own-descriptors", host);
  expect(result.stdout.startsWith("before\n")).toBe(true);
  const found = result.stdout.trimEnd().split("\n").slice(1);
  // The cell's line to its host is among them.
  expect(found.filter((line) => /^[012] /.test(line)).length).toBe(3);
  expect(found.filter((line) => /^[012] .*(read|write)/.test(line))).toEqual([]);
  const files = found.map((line) => line.split(" ")[1] ?? "").filter((target) => target.startsWith("/"));
  expect(files.filter((path) => !/^\/(cell|mounts|proc)\//.test(path))).toEqual([]);
  await unharmed(root, before);
});

test("a guest of node:wasi that writes over the memory of its own cell has broken that cell alone", async () => {
  const { root, host } = house();
  const before = snapshot(root);
  const result = await run("own-memory", host);
  expect(result).toMatchObject({ status: "trapped", code: "cell-died", stdout: "before\nopened\n" });
  await unharmed(root, before);
});

test("a guest of node:wasi that closes and moves its standard streams closes and moves its own", async () => {
  const { root, host } = house();
  const before = snapshot(root);
  const result = await run("standard-streams", host);
  expect(result).toMatchObject({ status: "ok", stderr: "" });
  expect(result.stdout.replaceAll("), (", "\n").split("\n")).toEqual([
    "moved",
    '[("write at a position", 70',
    '"read stdout", 0',
    '"write to stdin", 8',
    '"move stdout", 0',
    '"write to where it was", 8',
    '"write to where it is", 0',
    '"file to stdin", 0',
    '"read the file", 1',
    '"close stdin", 0',
    '"read nothing", 0',
    '"write to a file that can only be read", 1',
    '"read it", 1',
    // The mount, stderr, stdout at its new number, and the file: nothing of the cell's.
    '"descriptors", 4)]',
    "",
  ]);
  await unharmed(root, before);
});

const CRASHES = [...fixture("crash").matchAll(/^ {12}"([^"]+)" =>/gm)].map(([, name = ""]) => name);

describe("a call that is known to end or to hang a process with node:wasi", () => {
  const { root, host } = house();
  const before = snapshot(root);

  test("has many forms", () => {
    expect(CRASHES.length).toBeGreaterThan(15);
  });

  test.each(CRASHES)(
    "(%s) gets an errno or ends its own cell, and what was written before is kept",
    async (name) => {
      const result = await run("crash", host, name);
      expect(result.stdout.startsWith(`${name}\n`)).toBe(true);
      if (result.status === "trapped") expect(result.code).toBe("cell-died");
      else expect(result).toMatchObject({ status: "ok", stdout: expect.stringMatching(/\nerrno \d+\n$/) });
    },
  );

  test("and after all of them the next guest is served as the first", () => unharmed(root, before));
});

test("a guest of node:wasi that opens a FIFO is killed at its deadline", async () => {
  const host = scratchDirectory();
  execFileSync("mkfifo", [join(host, "pipe")]);
  const result = await executor.run(attack("fifo"), {
    capabilities: { clock: "real", mounts: [{ host, guest: "/data" }] },
    limits: { wallTimeMs: 3_000 },
  });
  expect(result).toMatchObject({ status: "limit-exceeded", limit: "wallTimeMs", stdout: "before\n" });
  expect(readdirSync(host)).toEqual(["pipe"]);
});

test("a guest of node:wasi reaches nobody through a FIFO, whether something can be read from it or written to it", async () => {
  const host = scratchDirectory();
  execFileSync("mkfifo", [join(host, "pipe")]);
  // Both ends are somebody's, so opening either does not wait.
  const pipe = openSync(join(host, "pipe"), constants.O_RDWR | constants.O_NONBLOCK);
  try {
    writeSync(pipe, "for others");
    const result = await executor.run(attack("fifo"), {
      capabilities: { clock: "real", mounts: [{ host, guest: "/data" }] },
    });
    expect(result).toMatchObject({
      status: "ok",
      stdout: "before\nrefused: PermissionDenied\nrefused: PermissionDenied\n",
      denials: [{ call: "path_open", target: "pipe", grant: null, count: 2 }],
    });
    const left = Buffer.alloc(64);
    expect(left.subarray(0, readSync(pipe, left)).toString()).toBe("for others");
  } finally {
    closeSync(pipe);
  }
});
