import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { openDiskDirectory } from "../../../src/guest/filesystem/disk.ts";
import { Errno, Failure } from "../../../src/guest/filesystem/errno.ts";
import type { Directory, File, Special } from "../../../src/guest/filesystem/filesystem.ts";
import { Trail, Walk } from "../../../src/guest/filesystem/walk.ts";
import { scratch } from "../support.ts";

const MODE = { read: true, write: false, truncate: false };
/** How often a program that checks a path and then opens it must have been tricked before the test believes in the race. */
const LOSSES = 5;
const MAX_ROUNDS = 3_000_000;

test.each([
  ["directory", "a/file", ".."],
  ["file", "a", "../file"],
])(
  "a %s that is swapped with a link while a path is walked never leads the walk outside",
  async (kind, path, target) => {
    const outside = scratch();
    const root = join(outside, "mount");
    mkdirSync(kind === "directory" ? join(root, "a") : root, { recursive: true });
    writeFileSync(join(root, path), "inside");
    writeFileSync(join(outside, "file"), "outside");
    symlinkSync(target, join(root, "link"));

    await startSwapper(root);
    const mount = openDiskDirectory(root);
    const trail = new Trail(mount, 8);
    const seen = { inside: 0, refused: 0, outside: 0, lost: 0 };
    for (let round = 0; round < MAX_ROUNDS && seen.lost < LOSSES; round++) {
      if (checkThenOpen(root, join(root, path)) === "outside") seen.lost += 1;
      seen[walkAndOpen(trail, path)] += 1;
    }
    trail.close();
    mount.close();

    expect(seen).toMatchObject({ outside: 0, lost: LOSSES });
    expect(seen.inside).toBeGreaterThan(0);
    expect(seen.refused).toBeGreaterThan(0);
  },
  300_000,
);

test("a file that is swapped with a FIFO while it is opened is given as a file only where it is one", async () => {
  const root = scratch();
  writeFileSync(join(root, "a"), "inside");
  execFileSync("mkfifo", [join(root, "link")]);
  await startSwapper(root);
  const mount = openDiskDirectory(root);
  const seen = { file: 0, special: 0, lost: 0 };
  for (let round = 0; round < MAX_ROUNDS && seen.lost < LOSSES; round++) {
    if (checkThenOpenIsFifo(join(root, "a"))) seen.lost += 1;
    const found = openAlways(mount, "a");
    seen[found.kind] += 1;
    if (found.kind !== "file") continue;
    expect(found.stat().type).toBe("file");
    found.close();
  }
  mount.close();
  expect(seen.lost).toBe(LOSSES);
  expect(seen.file).toBeGreaterThan(0);
  expect(seen.special).toBeGreaterThan(0);
}, 300_000);

/** Between two renames there is nothing. */
function openAlways(directory: Directory, name: string): File | Special {
  for (;;) {
    try {
      const found = directory.open(name, MODE);
      if (found.kind === "file" || found.kind === "special") return found;
    } catch (error) {
      if (!(error instanceof Failure && error.errno === Errno.NOENT)) throw error;
    }
  }
}

function checkThenOpenIsFifo(path: string): boolean {
  try {
    if (!statSync(path).isFile()) return false;
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const isFifo = fstatSync(fd).isFIFO();
    closeSync(fd);
    return isFifo;
  } catch {
    return false;
  }
}

/** Until the test ends. */
async function startSwapper(root: string): Promise<void> {
  const swapper = fork(fileURLToPath(new URL("children/swap.ts", import.meta.url)), [root]);
  onTestFinished(() => void swapper.kill("SIGKILL"));
  await once(swapper, "message");
}

function walkAndOpen(trail: Trail, path: string): "inside" | "outside" | "refused" {
  const walk = new Walk(trail, path);
  try {
    const found = walk.current && open(walk);
    if (found?.kind !== "file") return "refused";
    const bytes = new Uint8Array(16);
    const length = found.read(bytes, 0, 16, 0n);
    found.close();
    return new TextDecoder().decode(bytes.subarray(0, length)) as "inside" | "outside";
  } catch (error) {
    if (error instanceof Failure) return "refused";
    throw error;
  } finally {
    walk.close();
  }
}

function open(walk: Walk) {
  const name = walk.next();
  return name === undefined ? undefined : walk.current.open(name, MODE);
}

/** What most programs do, and what this library must not do. */
function checkThenOpen(root: string, path: string): string | undefined {
  try {
    return realpathSync(path).startsWith(`${root}/`) ? readFileSync(path, "utf8") : undefined;
  } catch {
    return undefined;
  }
}
