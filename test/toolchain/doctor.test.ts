import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { forgetBubblewrap } from "../../src/jail/bubblewrap.ts";
import { defaultCacheDir } from "../../src/toolchain/cache-dir.ts";
import { checkNode, doctor } from "../../src/toolchain/doctor.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "scriptcell-doctor-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  forgetBubblewrap();
  await rm(directory, { recursive: true, force: true });
});

test("on a machine that is set up all is well", async () => {
  const report = await doctor({ cacheDir: defaultCacheDir(), jail: "auto" });
  expect(report).toMatchObject({
    ok: true,
    node: { ok: true, version: process.versions.node },
    platform: `${process.platform} ${process.arch}`,
    toolchain: { ok: true, toolchain: { targets: expect.arrayContaining(["wasm32-wasip1"]) } },
    cacheDir: { ok: true, path: defaultCacheDir(), freeBytes: expect.any(Number) },
  });
  expect(report.jail.inForce).toBe(report.jail.bubblewrap.ok);
});

test("on a bare machine everything that is missing is named with its remedy", async () => {
  vi.stubEnv("PATH", directory);
  vi.stubEnv("RUSTC", "");
  const cacheDir = join(directory, "cache");
  expect(await doctor({ cacheDir, jail: "auto" })).toMatchObject({
    ok: false,
    toolchain: { ok: false, code: "RUSTC_MISSING", message: expect.stringContaining("`scriptcell setup`") },
    jail: { mode: "auto", inForce: false, bubblewrap: { ok: false, remedy: expect.any(String) } },
    prlimit: { ok: false, remedy: expect.any(String) },
    cacheDir: { ok: true, path: cacheDir },
  });
});

test("a jail that is required and missing is a failure, one that is not asked for is not", async () => {
  vi.stubEnv("PATH", directory);
  const rustc = join(directory, "rustc");
  const cacheDir = join(directory, "cache");
  const required = await doctor({ cacheDir, rustc, jail: "required" });
  expect(required).toMatchObject({ ok: false, jail: { inForce: false } });
  expect((await doctor({ cacheDir: defaultCacheDir(), jail: "off" })).jail.inForce).toBe(false);
});

test("looking at a cache directory that does not exist does not make it", async () => {
  const report = await doctor({ cacheDir: join(directory, "a/b/c"), jail: "auto", rustc: "/nowhere/rustc" });
  expect(report.cacheDir.ok).toBe(true);
  expect(await readdir(directory)).toEqual([]);
});

test("a cache directory that cannot be written is named with its remedy", async () => {
  await mkdir(join(directory, "x"));
  await writeFile(join(directory, "x/file"), "");
  const report = await doctor({ cacheDir: join(directory, "x/file"), jail: "auto", rustc: "/nowhere/rustc" });
  expect(report.cacheDir).toMatchObject({ ok: false, remedy: expect.stringContaining("XDG_CACHE_HOME") });
});

test("an old Node.js is named with its remedy", () => {
  expect(checkNode("22.17.1")).toMatchObject({ ok: false, remedy: expect.stringContaining("nodejs.org") });
  expect(checkNode("22.18.0").ok).toBe(true);
});

test("says which measures are in force, and what stands in for those that are not", async () => {
  const cacheDir = defaultCacheDir();
  const required = await doctor({ cacheDir, jail: "required" });
  expect(required.measures.filter(({ inForce }) => !inForce)).toEqual([]);
  const off = await doctor({ cacheDir, jail: "off" });
  const missing = off.measures.filter(({ inForce }) => !inForce);
  expect(missing.map(({ confines, what }) => `${confines}: ${what}`)).toEqual([
    "compiler: files",
    "compiler: network",
    "cell: files",
    "cell: network",
  ]);
  expect(missing[0]?.how).toContain("scripts that could read others are refused");
  for (const { how } of off.measures) expect(how).not.toBe("");
});

test("without prlimit nothing is compiled, and it says so", async () => {
  const { toolchain } = await doctor({ cacheDir: defaultCacheDir(), jail: "off" });
  if (!toolchain.ok) throw new Error(toolchain.message);
  vi.stubEnv("PATH", directory);
  const report = await doctor({
    cacheDir: defaultCacheDir(),
    jail: "off",
    rustc: toolchain.toolchain.rustc,
  });
  expect(report).toMatchObject({ ok: false, toolchain: { ok: true }, prlimit: { ok: false } });
  const inForce = (what: string) =>
    report.measures.find((measure) => measure.confines === "compiler" && measure.what === what)?.inForce;
  expect(inForce("memory")).toBe(false);
  expect(inForce("processes")).toBe(false);
});
