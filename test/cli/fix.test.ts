import { readFileSync } from "node:fs";
import { join } from "node:path";
import { applyPatch } from "diff";
import { describe, expect, test } from "vitest";
import { MAIN, parsed, scriptcell, shell, temporaryDirectory, writeScripts } from "./support.ts";

const directory = temporaryDirectory();
const SOURCE = 'fn main() {\n    let x = 1;\n    x += 1;\n    println!("{x}");\n}\n';
const HALF = SOURCE.replace("println!", "undefined_name();\n    println!").replace("x += 1", "x++");
const { correctable, half, good } = writeScripts(directory, {
  correctable: SOURCE,
  half: HALF,
  good: 'fn main() { println!("good"); }',
});
const CHANGE = "\n-    let x = 1;\n+    let mut x = 1;\n";

describe("check --fix", () => {
  test("prints what would have to be changed as a diff on stdout, and leaves the file alone", async () => {
    const { exitCode, stdout, stderr } = await scriptcell(["check", correctable, "--fix"]);
    expect(applyPatch(SOURCE, stdout)).toBe(SOURCE.replace("let x", "let mut x"));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: `${correctable} compiles once corrected\n` });
    expect(readFileSync(correctable, "utf8")).toBe(SOURCE);
    expect(await scriptcell(["check", correctable, "--fix", "--quiet"])).toEqual({
      exitCode: 0,
      stdout,
      stderr: "",
    });
  });

  test("prints the diff and why it does not suffice, with 65", async () => {
    const { exitCode, stdout, stderr } = await scriptcell(["check", half, "--fix"]);
    expect(stdout).toContain("\n-    x++;\n+    x += 1;\n");
    expect(stderr).toContain("E0425");
    expect(stderr).toContain(`${half} does not compile, not even corrected: 1 error`);
    expect(exitCode).toBe(65);
  });

  test("prints no diff where nothing is changed, and changes nothing without being asked", async () => {
    expect(await scriptcell(["check", good, "--fix"])).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: `${good} compiles\n`,
    });
    const { exitCode, stdout } = await scriptcell(["check", correctable]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 65, stdout: "" });
  });

  test("is in the document of --json", async () => {
    const { stdout } = await scriptcell(["check", correctable, "--fix", "--json"]);
    expect(parsed(stdout)).toEqual({
      ok: true,
      diagnostics: [],
      fix: {
        source: SOURCE.replace("let x", "let mut x"),
        diff: expect.stringContaining(CHANGE),
        rounds: 1,
        applied: [{ message: expect.any(String), code: "E0384", line: 2 }],
      },
      durationMs: expect.any(Number),
    });
    expect(parsed((await scriptcell(["check", good, "--json"])).stdout)).toMatchObject({ fix: null });
  });

  test("shows control characters of the script on a terminal instead of sending them, and sends them to a file", async () => {
    const hostile = SOURCE.replace("let x", "/* \u001b]0;owned\u0007 \r    let y */ let x");
    const { path } = writeScripts(directory, { path: hostile });
    const { stdout: shown } = await shell(
      `script -qec '${process.execPath} ${MAIN} check --fix ${path}' /dev/null < /dev/null`,
    );
    expect(shown).toContain("\u241b]0;owned\u2407 \u240d");
    expect(shown).not.toContain("\u001b]0;");
    const { stdout: piped } = await scriptcell(["check", "--fix", path]);
    expect(applyPatch(hostile, piped)).toBe(hostile.replace("let x", "let mut x"));
    const { stderr } = await scriptcell(["run", "--fix", path]);
    expect(stderr).toContain("\u241b]0;owned\u2407 \u240d");
  });
});

describe("compile --fix", () => {
  test("writes the module of the corrected script, and what was changed to stderr", async () => {
    const output = join(directory, "corrected.wasm");
    const { exitCode, stdout, stderr } = await scriptcell(["compile", correctable, "--fix", "-o", output]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "" });
    expect(stderr).toContain(CHANGE);
    expect(stderr).toContain(`${correctable} itself is as it was: 1 correction applied to what was compiled`);
    expect((await scriptcell(["run", output])).stdout).toBe("2\n");
    expect(readFileSync(correctable, "utf8")).toBe(SOURCE);
  });

  test("--quiet tells of it only where it did not suffice; --json always", async () => {
    const output = join(directory, "quiet.wasm");
    const compile = (file: string, ...flags: string[]) =>
      scriptcell(["compile", file, "--fix", "-o", output, ...flags]);
    const [quiet, insufficient, whole, partly] = await Promise.all([
      compile(correctable, "--quiet"),
      compile(half, "--quiet"),
      compile(correctable, "--json"),
      compile(half, "--json"),
    ]);
    expect(quiet).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    expect(insufficient.exitCode).toBe(65);
    expect(insufficient.stderr).toMatch(/\+ {4}x \+= 1;[\s\S]*E0425/);
    expect(parsed(whole.stdout)).toMatchObject({ ok: true, fix: { rounds: 1 } });
    expect(parsed(partly.stdout)).toMatchObject({
      ok: false,
      fix: { rounds: 1 },
      diagnostics: [{ code: "E0425" }],
    });
    expect([whole.stderr, partly.stderr]).toEqual(["", ""]);
  });
});

describe("run --fix", () => {
  test("runs the corrected script and tells on stderr what was changed; --quiet does not", async () => {
    const [told, quiet] = await Promise.all([
      scriptcell(["run", correctable, "--fix"]),
      scriptcell(["run", correctable, "--fix", "--quiet"]),
    ]);
    expect(told).toMatchObject({ exitCode: 0, stdout: "2\n", stderr: expect.stringContaining(CHANGE) });
    expect(quiet).toEqual({ exitCode: 0, stdout: "2\n", stderr: "" });
  });

  test("tells what was changed where that did not suffice, also with --quiet", async () => {
    for (const flags of [[], ["--quiet"]]) {
      const { exitCode, stdout, stderr } = await scriptcell(["run", half, "--fix", ...flags]);
      expect({ exitCode, stdout }).toEqual({ exitCode: 65, stdout: "" });
      expect(stderr).toMatch(/\+ {4}x \+= 1;[\s\S]*E0425/);
    }
  });

  test("is in the document of --json, and nowhere else", async () => {
    const { stdout, stderr } = await scriptcell(["run", correctable, "--fix", "--json"]);
    expect(parsed(stdout)).toMatchObject({ status: "ok", fix: { diff: expect.stringContaining(CHANGE) } });
    expect(stderr).toBe("");
  });

  test("is a usage error with a module", async () => {
    const output = join(directory, "module.wasm");
    await scriptcell(["compile", good, "-o", output]);
    const { exitCode, stdout, stderr } = await scriptcell(["run", output, "--fix"]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: "" });
    expect(stderr).toContain("--fix is for scripts");
  });
});
