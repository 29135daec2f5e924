import { randomBytes, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { modulesDirectory } from "../../src/store/layout.ts";
import { openStore } from "../../src/store/tiered.ts";
import { defaultCacheDir } from "../../src/toolchain/cache-dir.ts";
import { PROBE, parsed, scriptcell, temporaryDirectory, writeScripts } from "./support.ts";

const directory = temporaryDirectory();
const COMMANDS = ["run", "compile", "check", "setup", "doctor", "cache"];

describe("the program", () => {
  test("--version is the package's", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(await scriptcell(["--version"])).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: "" });
  });

  test("help names the commands and explains the exit codes, and each command has its own", async () => {
    const [general, run, asked] = await Promise.all([
      scriptcell(["--help"]),
      scriptcell(["run", "--help"]),
      scriptcell(["help", "run"]),
    ]);
    for (const command of COMMANDS) expect(general.stdout).toMatch(new RegExp(`^ {2}${command} `, "m"));
    for (const help of [general.stdout, run.stdout]) {
      for (const code of ["64", "65", "66", "69", "70", "73", "101", "124", "130 143", "134", "141"]) {
        expect(help).toMatch(new RegExp(`^ {2}${code} +\\w`, "m"));
      }
    }
    expect(run.stdout).toContain("--mount <host:guest[:ro|rw]>");
    expect(asked).toEqual(run);
    expect([general.exitCode, run.exitCode]).toEqual([0, 0]);
  });

  test.each([
    [["rn"], "unknown command 'rn'", "(Did you mean run?)"],
    [["script.rs"], "unknown command 'script.rs'", "scriptcell run FILE"],
    [["run", PROBE, "--moutn", "a:/a"], "unknown option '--moutn'", "(Did you mean --mount?)"],
    [["run", PROBE, "--timeout", "2"], "argument '2' is invalid", "500ms, 2s"],
    [["run", PROBE, "--env", "HOME"], "NAME=VALUE", '"HOME=$HOME"'],
    [["run", PROBE, "--jail", "of"], "argument 'of' is invalid", "auto, required, off"],
    [["run", PROBE, "--cache-dir", ""], "argument '' is invalid", "it is empty"],
    [["run", PROBE, "--mount", "a:/a/../b"], "must be an absolute path without . or ..", "mounts"],
    [
      ["run", PROBE, "--isolation", "worker", "--jail", "required"],
      "a worker cell cannot be jailed",
      "process",
    ],
    [["run", PROBE, "--engine", "node-wasi", "--jail", "off"], "runs only in a jailed process", "preview1"],
    [["run", PROBE, "--engine", "node-wasi"], "cannot keep the time from a guest", 'clock "real"'],
    [["run", PROBE, "--engine", "wasmtime"], "argument 'wasmtime' is invalid", "preview1, node-wasi"],
    [["run"], "missing required argument 'file'", "--help"],
    [["cache", "prne"], "unknown command 'prne'", "(Did you mean prune?)"],
    [["cache", "prune", "--max-size", "64M"], "argument '64M' is invalid", "64MiB"],
    [["doctor", "extra"], "too many arguments", "--help"],
    [[], "Usage: scriptcell", "Commands:"],
  ])("%j is a usage error that says what was wrong and what would be right", async (args, wrong, right) => {
    const { exitCode, stdout, stderr } = await scriptcell(args);
    expect(exitCode).toBe(64);
    expect(stdout).toBe("");
    expect(stderr).toContain(wrong);
    expect(stderr).toContain(right);
  });
});

describe("doctor", () => {
  test("says in a table that a script can be run here, and in what", async () => {
    const { exitCode, stdout, stderr } = await scriptcell(["doctor"]);
    expect(exitCode).toBe(0);
    for (const row of ["node", "rustc", "jail", "prlimit", "cache"])
      expect(stdout).toMatch(new RegExp(`^(ok|--) +${row} `, "m"));
    expect(stdout).toMatch(/scripts can be compiled and run, (each in a jail|without a jail)\n$/);
    expect(stderr).toBe("");
  });

  test("says what is missing and which command brings it, with 69", async () => {
    const nothing = join(directory, "nothing");
    mkdirSync(nothing);
    const bare = { env: { PATH: nothing, RUSTC: undefined } };
    const [people, programs] = await Promise.all([
      scriptcell(["doctor", "--cache-dir", nothing, "--jail", "required"], bare),
      scriptcell(["doctor", "--cache-dir", nothing, "--json"], bare),
    ]);
    expect([people.exitCode, programs.exitCode]).toEqual([69, 69]);
    expect(people.stdout).toMatch(/^no {2}rustc .*scriptcell setup/m);
    expect(people.stdout).toMatch(/^no {2}jail /m);
    expect(people.stdout).toContain("scripts cannot be run yet");
    expect(parsed(programs.stdout)).toMatchObject({
      ok: false,
      toolchain: { ok: false, code: "RUSTC_MISSING" },
    });
  });

  test("--jail off is not called a jail", async () => {
    const { exitCode, stdout } = await scriptcell(["doctor", "--jail", "off"]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^-- {2}jail +off, as asked$/m);
    expect(stdout).toContain("without a jail");
  });
});

describe("setup", () => {
  test("where all is there, it says so and changes nothing", async () => {
    const [people, programs] = await Promise.all([
      scriptcell(["setup"]),
      scriptcell(["setup", "--json", "--quiet"]),
    ]);
    expect([people.exitCode, programs.exitCode]).toEqual([0, 0]);
    expect(people.stdout).toBe("");
    expect(people.stderr).toMatch(/rustc [\d.]+ is there already: \//);
    expect(parsed(programs.stdout)).toMatchObject({
      rustc: expect.any(String),
      targets: expect.arrayContaining(["wasm32-wasip1"]),
    });
    expect(programs.stderr).toBe("");
  });

  test("where it cannot be done, it says why and ends with 69", async () => {
    const { exitCode, stderr } = await scriptcell(["setup", "--cache-dir", "/dev/null/cache"], {
      env: { PATH: directory },
    });
    expect(exitCode).toBe(69);
    expect(stderr).toMatch(/^error: /m);
  });
});

describe("cache", () => {
  const cache = join(directory, "cache");
  const inCache = (...args: readonly string[]) => scriptcell(["cache", ...args, "--cache-dir", cache]);

  test("path prints where compiled modules are kept", async () => {
    const [standard, own, json] = await Promise.all([
      scriptcell(["cache", "path"]),
      inCache("path"),
      inCache("path", "--json"),
    ]);
    expect(standard.stdout).toBe(`${join(defaultCacheDir(), "modules")}\n`);
    expect(own.stdout).toBe(`${join(cache, "modules")}\n`);
    expect(parsed(json.stdout)).toEqual({ path: join(cache, "modules") });
  });

  test("a cache that was never used is empty, and looking at it makes none", async () => {
    expect((await inCache("ls")).stdout).toBe("0 modules, 0 B\n");
    expect(JSON.parse((await inCache("ls", "--json")).stdout)).toEqual([]);
    expect(() => readFileSync(cache)).toThrow("ENOENT");
  });

  test("what a run compiled is listed, and the next run finds it", async () => {
    const { fresh } = writeScripts(directory, { fresh: `fn main() { print!("${randomUUID()}"); }` });
    const run = async () => parsed((await scriptcell(["run", fresh, "--json"])).stdout).moduleFrom;
    expect(await run()).toBe("rustc");
    expect(await run()).toBe("disk");
    const { hash } = parsed((await scriptcell(["compile", fresh, "-o", "/dev/null", "--json"])).stdout);
    const entries = JSON.parse((await scriptcell(["cache", "ls", "--json"])).stdout) as { key: string }[];
    expect(entries.map(({ key }) => key)).toContain(hash);
  });

  test("ls lists modules for people, prune removes the least recently used, clear all", async () => {
    const store = openStore({ directory: modulesDirectory(cache) });
    for (const digit of ["a", "b"])
      await store.set(digit.repeat(64), { bytes: randomBytes(5_000), diagnostics: [] });
    await store.close();

    const listed = await inCache("ls");
    expect(listed.stdout).toMatch(/^([ab]{16} {2}8 KiB {2}used just now\n){2}2 modules, 16 KiB\n$/);
    expect((await inCache("prune", "--max-age", "1h")).stdout).toBe(
      "removed 0 modules, 0 B; kept 2 modules, 16 KiB\n",
    );
    const pruned = parsed((await inCache("prune", "--max-size", "8KiB", "--json")).stdout);
    expect(pruned).toMatchObject({
      removedEntries: 1,
      removedBytes: 8_192,
      keptEntries: 1,
      keptBytes: 8_192,
    });
    expect((await inCache("clear")).stdout).toBe("removed 1 module, 8 KiB; kept 0 modules, 0 B\n");
    expect((await inCache("ls")).stdout).toBe("0 modules, 0 B\n");
  });
});
