import { copyFile, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { findBubblewrap } from "../../src/jail/bubblewrap.ts";
import { sharedLibrariesOf } from "../../src/jail/libraries.ts";
import { defaultCacheDir } from "../../src/toolchain/cache-dir.ts";
import { findToolchain } from "../../src/toolchain/find.ts";
import { minimalElf } from "./elf-sample.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "scriptcell-libraries-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

/** Runs a program in a jail that shows it, what it is said to need, and nothing else. */
async function runWithOnly(files: readonly string[], program: string, args: readonly string[]) {
  const probe = await findBubblewrap({ cacheDir: defaultCacheDir() });
  if (!probe.ok) throw new Error(`${probe.reason}: ${probe.remedy}`);
  const binds = [program, ...files].flatMap((file) => ["--ro-bind", file, file]);
  return await execa(
    probe.bubblewrap.path,
    ["--unshare-all", "--clearenv", "--proc", "/proc", ...binds, program, ...args],
    { env: probe.bubblewrap.env, extendEnv: false, reject: false },
  );
}

test("Node.js starts with its libraries and nothing else", async () => {
  const libraries = await sharedLibrariesOf(process.execPath);
  const result = await runWithOnly(libraries, process.execPath, ["-p", "6 * 7"]);
  expect(result.stdout, result.stderr).toBe("42");
});

test("every library is needed: without one of them Node.js does not start", async () => {
  const libraries = await sharedLibrariesOf(process.execPath);
  const [interpreter, ...others] = libraries;
  expect(interpreter).toMatch(/\/ld-/);
  expect(others.length).toBeGreaterThan(0);
  for (const missing of libraries) {
    const rest = libraries.filter((library) => library !== missing);
    expect((await runWithOnly(rest, process.execPath, ["-p", "6 * 7"])).exitCode).not.toBe(0);
  }
});

test("every path is absolute, exists and is listed once", async () => {
  const libraries = await sharedLibrariesOf(process.execPath);
  expect(new Set(libraries).size).toBe(libraries.length);
  for (const library of libraries) {
    expect(library).toMatch(/^\//);
    expect((await stat(library)).isFile()).toBe(true);
  }
});

test("the libraries of scriptcell's toolchain lie in its own prefix, whatever the system has", async () => {
  const toolchain = await findToolchain({ cacheDir: defaultCacheDir() });
  const libraries = await sharedLibrariesOf(toolchain.rustc);
  const outside = libraries.filter(
    (library) => !toolchain.roots.some((root) => library === root || library.startsWith(`${root}/`)),
  );
  expect(outside).toEqual([]);
});

test("the caller's LD_LIBRARY_PATH and LD_PRELOAD change nothing", async () => {
  const copy = join(directory, "node");
  await copyFile(process.execPath, copy);
  await writeFile(join(directory, "libc.so.6"), "not a library");
  vi.stubEnv("LD_LIBRARY_PATH", directory);
  vi.stubEnv("LD_PRELOAD", join(directory, "libc.so.6"));
  expect(await sharedLibrariesOf(copy)).toEqual(await sharedLibrariesOf(process.execPath));
});

test("a caller who changes the list does not change the next answer", async () => {
  const first = await sharedLibrariesOf(process.execPath);
  const expected = [...first];
  first.length = 0;
  expect(await sharedLibrariesOf(process.execPath)).toEqual(expected);
});

test("a static executable needs nothing", async () => {
  const path = join(directory, "static");
  await writeFile(path, minimalElf(null), { mode: 0o755 });
  expect(await sharedLibrariesOf(path)).toEqual([]);
});

test("an executable that was replaced is asked anew", async () => {
  const path = join(directory, "program");
  await writeFile(path, minimalElf(null), { mode: 0o755 });
  expect(await sharedLibrariesOf(path)).toEqual([]);
  await rm(path);
  await copyFile(process.execPath, path);
  expect(await sharedLibrariesOf(path)).toEqual(await sharedLibrariesOf(process.execPath));
});

test.each([
  ["a script", Buffer.from("#!/bin/sh\n")],
  ["an empty file", Buffer.alloc(0)],
  ["a truncated executable", minimalElf("/lib64/ld-linux-x86-64.so.2").subarray(0, 80)],
  ["an executable whose loader does not exist", minimalElf("/nowhere/ld.so")],
  ["an executable whose header lies about its size", hugeTable()],
])("%s is JAIL_UNAVAILABLE", async (_, content) => {
  const path = join(directory, "program");
  await writeFile(path, content, { mode: 0o755 });
  await expect(sharedLibrariesOf(path)).rejects.toMatchObject({ code: "JAIL_UNAVAILABLE" });
});

test("a path where there is nothing is JAIL_UNAVAILABLE", async () => {
  await expect(sharedLibrariesOf(join(directory, "nowhere"))).rejects.toMatchObject({
    code: "JAIL_UNAVAILABLE",
  });
});

function hugeTable(): Buffer {
  const elf = minimalElf("/nowhere/ld.so");
  elf.writeUInt16LE(0xffff, 56);
  return elf;
}
