import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MAIN, parsed, scriptcell, shell, temporaryDirectory, writeScripts } from "./support.ts";

const directory = temporaryDirectory();
const { good, warns, broken } = writeScripts(directory, {
  good: 'fn main() { println!("good"); }',
  warns: "fn main() { let unused = 1; }",
  broken: "fn main() { undefined_name(); }",
});

describe("compile", () => {
  test("writes the module under the script's name, in the working directory, and nothing else", async () => {
    const here = join(directory, "here");
    mkdirSync(here);
    const { exitCode, stdout, stderr } = await scriptcell(["compile", good], { cwd: here });
    expect(exitCode).toBe(0);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^good\.wasm: .* KiB, from (rustc|disk) in /);
    expect(readdirSync(here)).toEqual(["good.wasm"]);
    expect(WebAssembly.validate(readFileSync(join(here, "good.wasm")))).toBe(true);
  });

  test("-o names the file, which is replaced whole", async () => {
    const output = join(directory, "named.wasm");
    writeFileSync(output, "something longer than nothing");
    expect(await scriptcell(["compile", good, "-o", output, "--quiet"])).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: "",
    });
    expect(WebAssembly.validate(readFileSync(output))).toBe(true);
  });

  test("-o - writes the module to stdout, from a script on stdin too", async () => {
    const { stdout, stderr } = await shell(`scriptcell compile - -o - < ${good} | head -c 4 | od -An -tx1`);
    expect(stdout.trim()).toBe("00 61 73 6d");
    expect(stderr).toBe("");
  });

  test("what is no regular file is written to, not replaced", async () => {
    const link = join(directory, "null.wasm");
    symlinkSync("/dev/null", link);
    expect((await scriptcell(["compile", good, "-o", link])).exitCode).toBe(0);
    expect(readFileSync(link)).toHaveLength(0);
  });

  test("--json describes the module", async () => {
    const output = join(directory, "described.wasm");
    const { stdout, stderr } = await scriptcell(["compile", good, "-o", output, "--json"]);
    expect(parsed(stdout)).toEqual({
      ok: true,
      file: output,
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      target: "wasm32-wasip1",
      bytes: readFileSync(output).length,
      from: expect.stringMatching(/^(rustc|disk)$/),
      diagnostics: [],
      fix: null,
      durationMs: expect.any(Number),
    });
    expect(stderr).toBe("");
  });

  test("a script that does not compile leaves the old module where it is", async () => {
    const output = join(directory, "kept.wasm");
    writeFileSync(output, "old");
    const [people, programs] = await Promise.all([
      scriptcell(["compile", broken, "-o", output]),
      scriptcell(["compile", broken, "-o", output, "--json"]),
    ]);
    expect([people.exitCode, programs.exitCode]).toEqual([65, 65]);
    expect(people.stderr).toContain("error[E0425]");
    expect(parsed(programs.stdout)).toMatchObject({ ok: false, diagnostics: [{ code: "E0425" }] });
    expect(readFileSync(output, "utf8")).toBe("old");
  });

  test("a place that cannot be written to is 73, and leaves nothing half-made", async () => {
    const { exitCode, stderr } = await scriptcell([
      "compile",
      good,
      "-o",
      join(directory, "absent", "x.wasm"),
    ]);
    expect(exitCode).toBe(73);
    expect(stderr).toMatch(/^error: cannot write /);
    const target = join(directory, "a-directory");
    mkdirSync(target);
    expect((await scriptcell(["compile", good, "-o", target])).exitCode).toBe(73);
    expect(readdirSync(directory).filter((name) => name.startsWith(".scriptcell-"))).toEqual([]);
  });

  test("what could only go wrong is a usage error", async () => {
    const [nameless, both, terminal] = await Promise.all([
      scriptcell(["compile", "-"], { input: "fn main() {}" }),
      scriptcell(["compile", good, "-o", "-", "--json"]),
      shell(`script -qec '${process.execPath} ${MAIN} compile ${good} -o -' /dev/null < /dev/null`),
    ]);
    expect([nameless.exitCode, both.exitCode, terminal.exitCode]).toEqual([64, 64, 64]);
    expect(nameless.stderr).toContain("-o FILE or -o -");
    expect(parsed(both.stdout)).toMatchObject({ status: "error", code: "INVALID_OPTIONS" });
    expect(terminal.stdout).toContain("a module is no text for a terminal");
  });
});

describe("check", () => {
  test("says that a script compiles, and makes no file", async () => {
    const here = join(directory, "check");
    mkdirSync(here);
    expect(await scriptcell(["check", good], { cwd: here })).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: `${good} compiles\n`,
    });
    expect(readdirSync(here)).toEqual([]);
  });

  test("shows warnings and still succeeds; --quiet shows none", async () => {
    const [spoken, quiet] = await Promise.all([
      scriptcell(["check", warns]),
      scriptcell(["check", warns, "--quiet"]),
    ]);
    expect(spoken.stderr).toContain("warning: unused variable: `unused`");
    expect(spoken.stderr).toContain("compiles, with 1 warning");
    expect(quiet).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  });

  test("shows where and why a script does not compile, with 65", async () => {
    const { exitCode, stdout, stderr } = await scriptcell(["check", "-"], {
      input: 'fn main() { let n: u8 = "x"; }',
    });
    expect(exitCode).toBe(65);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^error\[E0308\]: mismatched types\n.*:1:25\n/);
    expect(stderr).toContain("stdin does not compile: 1 error");
  });

  test("--json prints the diagnostics as data", async () => {
    const { exitCode, stdout, stderr } = await scriptcell(["check", broken, "--json"]);
    expect(parsed(stdout)).toMatchObject({
      ok: false,
      diagnostics: [
        { level: "error", code: "E0425", spans: [{ lineStart: 1, columnStart: 13, primary: true }] },
      ],
    });
    expect(stderr).toBe("");
    expect(exitCode).toBe(65);
  });

  test("control characters of a script do not reach the terminal through its diagnostics", async () => {
    const { stderr } = await scriptcell(["check", "-"], {
      input: 'fn main() { let n: u8 = "\u001b]0;owned\u0007"; }',
    });
    expect(stderr).toContain("E0308");
    expect(stderr).not.toContain("\u001b");
    expect(stderr).not.toContain("\u0007");
  });

  test("a module is no script", async () => {
    const { exitCode, stderr } = await scriptcell(["check", "-"], {
      input: Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0),
    });
    expect(exitCode).toBe(65);
    expect(stderr).toContain("stdin is a WebAssembly module already");
  });
});
