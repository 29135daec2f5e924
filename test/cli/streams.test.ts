import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MAIN, PROBE, parsed, scriptcell, shell, temporaryDirectory, writeScripts } from "./support.ts";

const directory = temporaryDirectory();
const { broken, warns, secret } = writeScripts(directory, {
  broken: "fn main() { undefined_name(); }",
  warns: 'fn main() { let unused = 1; println!("ran"); }',
  secret: 'fn main() { println!("{}", std::fs::read_to_string("/secret").is_err()); }',
});
const input = join(directory, "input.json");
writeFileSync(input, '{"from": "file"}');

describe("what goes in", () => {
  test("a script can be piped in and has then no other input", async () => {
    const { stdout, exitCode } = await shell(`echo 'fn main() { println!("piped") }' | scriptcell run -`);
    expect(stdout).toBe("piped\n");
    expect(exitCode).toBe(0);
  });

  test("what is piped in reaches the script byte for byte", async () => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
    const path = join(directory, "bytes");
    writeFileSync(path, bytes);
    const { stdout } = await shell(
      `cat ${path} | scriptcell run ${PROBE} -- echo | cmp - ${path} && echo same`,
    );
    expect(stdout).toBe("same\n");
  });

  test("input without an end is read no further than the script reads", async () => {
    const { stdout, stderr } = await shell(
      `yes | scriptcell run ${PROBE} -- first-byte; echo "\${PIPESTATUS[1]}"`,
    );
    expect(stdout).toBe("121\n0\n");
    expect(stderr).toBe("");
  });

  test("--input takes JSON, a file of it, or stdin, as it was written", async () => {
    const echo = (value: string, stdin = "") =>
      scriptcell(["run", PROBE, "--input", value, "--", "echo"], { input: stdin });
    const [text, file, piped] = await Promise.all([
      echo('{"large": 12345678901234567890}', "not this"),
      echo(`@${input}`),
      echo("@-", "[1, 2]"),
    ]);
    expect(text.stdout).toBe('{"large": 12345678901234567890}');
    expect(file.stdout).toBe('{"from": "file"}');
    expect(piped.stdout).toBe("[1, 2]");
  });

  test("--input that is not JSON is a usage error that says what to do", async () => {
    const [text, file, twice] = await Promise.all([
      scriptcell(["run", PROBE, "--input", "hello"]),
      scriptcell(["run", PROBE, "--input", `@${join(directory, "absent.json")}`]),
      scriptcell(["run", "-", "--input", "@-"], { input: "fn main() {}" }),
    ]);
    expect([text.exitCode, file.exitCode, twice.exitCode]).toEqual([64, 66, 64]);
    expect(text.stderr).toContain('quote text as "text"');
    expect(file.stderr).toContain("there is no such file");
    expect(twice.stderr).toContain("stdin cannot be both");
  });
});

describe("what comes out", () => {
  test("stdout and stderr of the script are those of the command, and nothing is added to a success", async () => {
    const { stdout, stderr, exitCode } = await scriptcell(["run", PROBE, "--", "both"]);
    expect(stdout).toBe("to stdout\n");
    expect(stderr).toBe("to stderr\n");
    expect(exitCode).toBe(0);
  });

  test("a reader that goes away ends the script quietly", async () => {
    const line = `scriptcell run ${PROBE} --output-limit 100MB -- print 90000000 | head -c 5; echo " \${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await shell(line);
    expect(stdout).toBe("..... 141\n");
    expect(stderr).toBe("");
  });

  test("a disk that is full is not taken for a success", async () => {
    const { exitCode, stderr } = await shell(`scriptcell run ${PROBE} -- both > /dev/full`);
    expect(exitCode).toBe(73);
    expect(stderr).toContain("stdout: ");
  });

  test("--quiet leaves the script's output and the exit code, and still says why nothing was run", async () => {
    const [panicked, denied, rejected] = await Promise.all([
      scriptcell(["run", PROBE, "--quiet", "--", "exit", "4"]),
      scriptcell(["run", secret, "--quiet"]),
      scriptcell(["run", broken, "--quiet"]),
    ]);
    expect(panicked).toEqual({ exitCode: 4, stdout: "", stderr: "" });
    expect(denied).toEqual({ exitCode: 0, stdout: "true\n", stderr: "" });
    expect(rejected.stderr).toContain("error[E0425]");
    expect(rejected.exitCode).toBe(65);
  });

  test("a script that was refused something and went on is told of", async () => {
    const { exitCode, stderr } = await scriptcell(["run", secret]);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^scriptcell: denied: .*--mount/);
  });

  test("warnings of the compiler do not get between a script and its reader", async () => {
    expect(await scriptcell(["run", warns])).toEqual({ exitCode: 0, stdout: "ran\n", stderr: "" });
  });
});

describe("--json", () => {
  test("prints one document with all that is known of the run, and nothing beside it", async () => {
    const { stdout, stderr, exitCode } = await scriptcell([
      "run",
      PROBE,
      "--json",
      "--stats",
      "--input",
      "[1]",
      "--",
      "echo",
    ]);
    const document = parsed(stdout);
    expect(document).toEqual({
      status: "ok",
      exitCode: 0,
      output: [1],
      stdout: "[1]",
      stderr: "",
      truncated: { stdout: false, stderr: false },
      durationMs: expect.any(Number),
      fuelUsed: expect.any(Number),
      peakMemoryBytes: expect.any(Number),
      denials: [],
      hints: [],
      artifacts: {},
      isolation: { cell: "process", jail: expect.stringMatching(/^(bubblewrap|none)$/), engine: "preview1" },
      moduleFrom: expect.stringMatching(/^(disk|rustc)$/),
      compileMs: expect.any(Number),
      fix: null,
    });
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
  });

  test("carries every way to end, with the same exit code as without", async () => {
    const [failed, panicked, limited, rejected] = await Promise.all([
      scriptcell(["run", PROBE, "--json", "--", "exit", "3"]),
      scriptcell(["run", PROBE, "--json", "--", "panic"]),
      scriptcell(["run", PROBE, "--json", "--timeout", "300ms", "--", "spin"]),
      scriptcell(["run", broken, "--json"]),
    ]);
    expect([failed, panicked, limited, rejected].map(({ exitCode }) => exitCode)).toEqual([3, 101, 124, 65]);
    expect([failed, panicked, limited, rejected].map(({ stderr }) => stderr)).toEqual(["", "", "", ""]);
    expect(parsed(failed.stdout)).toMatchObject({ status: "failed", exitCode: 3 });
    expect(parsed(panicked.stdout)).toMatchObject({
      status: "panicked",
      message: "as asked",
      line: expect.any(Number),
    });
    expect(parsed(limited.stdout)).toMatchObject({
      status: "limit-exceeded",
      limit: "wallTimeMs",
      stdout: "spinning\n",
    });
    expect(parsed(rejected.stdout)).toMatchObject({
      status: "rejected",
      diagnostics: [{ level: "error", code: "E0425" }],
    });
  });

  test("keeps bytes that are no text", async () => {
    const document = parsed((await scriptcell(["run", PROBE, "--json", "--", "not-text"])).stdout);
    expect(document).toMatchObject({ stdout: "\ufffd\ufffd\n", stdoutBase64: "//4K" });
    expect(document).not.toHaveProperty("stderrBase64");
  });

  test("sends a terminal no control characters", async () => {
    const { stdout } = await scriptcell([
      "run",
      PROBE,
      "--json",
      "--input",
      '"\u009b\u007f\\u001b"',
      "--",
      "echo",
    ]);
    expect(stdout).not.toMatch(/(?!\n)\p{Cc}/u);
    expect(parsed(stdout).output).toBe("\u009b\u007f\u001b");
  });

  test("says in a document, too, why there is no result", async () => {
    const [mount, absent] = await Promise.all([
      scriptcell(["run", PROBE, "--json", "--mount", "/:/host"]),
      scriptcell(["run", join(directory, "absent.rs"), "--json"]),
    ]);
    expect(parsed(mount.stdout)).toEqual({
      status: "error",
      code: "MOUNT_REFUSED",
      message: expect.stringContaining("/"),
    });
    expect(parsed(absent.stdout)).toMatchObject({ status: "error", code: "UNREADABLE" });
    expect([mount.exitCode, absent.exitCode]).toEqual([64, 66]);
  });
});

describe("on a terminal", () => {
  /** Runs the command line on a terminal of its own; answers what the terminal got. */
  async function onTerminal(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
    const command = [process.execPath, MAIN, ...args].map((arg) => `'${arg}'`).join(" ");
    const { stdout } = await shell(`script -qec ${JSON.stringify(command)} /dev/null < /dev/null`, {
      // Node takes a terminal for a log without colours where CI is set.
      env: { TERM: "xterm-256color", CI: undefined, ...env },
    });
    return stdout;
  }

  test("what scriptcell says is coloured, unless NO_COLOR asks otherwise", async () => {
    const [coloured, plain] = await Promise.all([
      onTerminal(["run", PROBE, "--", "exit", "3"]),
      onTerminal(["run", PROBE, "--", "exit", "3"], { NO_COLOR: "1" }),
    ]);
    expect(coloured).toContain("\u001b[31mscriptcell:\u001b[39m exited with code 3");
    expect(plain).toBe("scriptcell: exited with code 3\r\n");
  });

  test("a script can colour its output, and nothing else of the terminal is its to change", async () => {
    const shown = await onTerminal(["run", PROBE, "--quiet", "--", "title"]);
    expect(shown).toBe("␛]0;owned␇\u001b[32mgreen\u001b[0m\r\n\u001b[0m");
  });

  test("a script takes its output for one where --terminal says so, which a real one does not", async () => {
    const [shown, piped] = await Promise.all([
      onTerminal(["run", PROBE, "--", "terminal"]),
      scriptcell(["run", PROBE, "--terminal", "--", "terminal"]),
    ]);
    expect([shown, piped.stdout]).toEqual(["false\r\n", "true\n"]);
  });

  test("in a pipe the script's bytes are its own, and what scriptcell says has no colours", async () => {
    const { stdout, stderr } = await scriptcell(["run", PROBE, "--", "title"]);
    expect(stdout).toBe("\u001b]0;owned\u0007\u001b[32mgreen\u001b[0m\n");
    expect(stderr).toBe("scriptcell: exited with code 1\n");
  });
});
