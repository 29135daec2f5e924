import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { PROBE, scriptcell, temporaryDirectory, writeScripts } from "./support.ts";

const directory = temporaryDirectory();
const data = join(directory, "data");
mkdirSync(data);
for (const name of ["a", "b", "c"]) writeFileSync(join(data, name), `${name} from the host\n`);

const probe = (
  args: readonly string[],
  options: readonly string[] = [],
  rest: Parameters<typeof scriptcell>[1] = {},
) => scriptcell(["run", PROBE, ...options, "--", ...args], rest);

describe("capabilities", () => {
  test("a script sees its own name and the arguments it is given, in their order", async () => {
    const { stdout, exitCode } = await scriptcell([
      "run",
      PROBE,
      "--arg",
      "args",
      "--arg",
      "-x",
      "one",
      "--",
      "--two",
      "-3",
    ]);
    expect(stdout).toBe('["probe.rs", "args", "-x", "one", "--two", "-3"]\n');
    expect(exitCode).toBe(0);
  });

  test("a script sees the variables it is given and none of the caller's", async () => {
    const { stdout } = await probe(["env"], ["--env", "A=1", "--env", "B=x=y"], {
      env: { SECRET: "hidden" },
    });
    expect(stdout).toBe("A=1\nB=x=y\n");
  });

  test("without a mount a script sees no file, and is told apart from a file that is not there", async () => {
    const { stdout, stderr, exitCode } = await probe(["read", join(data, "a")]);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/denied: .*grant it with --mount HOST:GUEST/);
    expect(exitCode).toBe(101);
  });

  test("a script that failed for want of something has a hint below its denials, which --quiet and success leave out", async () => {
    const { stderr } = await probe(["read", join(data, "a")]);
    expect(stderr).toMatch(
      /denied: [^\n]*\n(?:[^\n]*\n)*scriptcell: hint: a script sees no files but those of its mounts/,
    );
    const quiet = await probe(["read", join(data, "a")], ["--quiet"]);
    expect(quiet.stderr).not.toContain("hint:");
    expect(quiet.exitCode).toBe(101);
    expect((await probe(["env"])).stderr).not.toContain("hint:");
    const { stdout } = await probe(["read", join(data, "a")], ["--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ hints: [expect.stringMatching(/^a script sees no files/)] });
  });

  test("a mount shows a directory at the path it was given, and nothing beside it", async () => {
    const mount = ["--mount", `${data}:/data`];
    expect((await probe(["read", "/data/a"], mount)).stdout).toBe("a from the host\n");
    expect((await probe(["read", join(data, "a")], mount)).exitCode).toBe(101);
  });

  test("a mount is read-only, and :rw makes it writable", async () => {
    const refused = await probe(["write", "/data/new", "3"], ["--mount", `${data}:/data:ro`]);
    expect(refused.exitCode).toBe(101);
    expect(refused.stderr).toMatch(/denied: path_open .*grant it with --mount HOST:GUEST:rw/);
    expect(() => statSync(join(data, "new"))).toThrow("ENOENT");
    expect((await probe(["write", "/data/new", "3"], ["--mount", `${data}:/data:rw`])).exitCode).toBe(0);
    expect(readFileSync(join(data, "new"), "utf8")).toBe("xxx");
  });

  test("the date is denied and says what grants it; --clock grants it or holds it still", async () => {
    const denied = await probe(["date"]);
    expect(denied.exitCode).toBe(101);
    expect(denied.stderr).toContain("grant it with --clock real");
    expect((await probe(["date"], ["--clock", "2026-01-31T12:00:00Z"])).stdout).toBe(
      `${Date.UTC(2026, 0, 31, 12) / 1_000}\n`,
    );
    const real = Number((await probe(["date"], ["--clock", "real"])).stdout);
    expect(Math.abs(real - Date.now() / 1_000)).toBeLessThan(600);
    expect((await probe(["stopwatch"], ["--clock", "monotonic"])).stdout).toBe("0\n");
  });

  test("random numbers differ from run to run, and with a seed they do not", async () => {
    const [a, b, seeded, again, other] = await Promise.all([
      probe(["random"]),
      probe(["random"]),
      probe(["random"], ["--seed", "7"]),
      probe(["random"], ["--seed", "7"]),
      probe(["random"], ["--seed", "8"]),
    ]);
    expect(a.stdout).toMatch(/^\d+\n$/);
    expect(b.stdout).not.toBe(a.stdout);
    expect(again.stdout).toBe(seeded.stdout);
    expect(other.stdout).not.toBe(seeded.stdout);
  });

  test("the directories that no script may see cannot be mounted", async () => {
    const { exitCode, stderr } = await probe(["args"], ["--mount", "/:/host"]);
    expect(exitCode).toBe(64);
    expect(stderr).toMatch(/^error: cannot mount \//);
  });
});

describe("limits", () => {
  test.each([
    ["wallTimeMs", ["spin"], ["--timeout", "300ms"], "took longer than 300 ms", "--timeout", "spinning\n"],
    [
      "memoryBytes",
      ["allocate", "30000000"],
      ["--memory", "16MiB"],
      "more than 16777216 bytes",
      "--memory",
      "",
    ],
    [
      "outputBytes",
      ["print", "50"],
      ["--output-limit", "40"],
      "more than 40 bytes to stdout",
      "--output-limit",
      ".".repeat(40),
    ],
    ["stackBytes", ["descend", "20000"], [], "the call stack outgrew 1048576 bytes", "--stack", ""],
  ])(
    "%s ends the run with 124, says which option raises it, and loses no output",
    async (_, args, options, said, flag, printed) => {
      const { exitCode, stdout, stderr } = await probe(args, options);
      expect(exitCode).toBe(124);
      expect(stderr).toContain("scriptcell: stopped at a limit: ");
      expect(stderr).toContain(said);
      expect(stderr).toContain(`${flag} raises it`);
      expect(stdout).toBe(printed);
    },
  );

  test("a limit that is raised lets through what it stopped", async () => {
    expect((await probe(["allocate", "100000000"], ["--memory", "128MiB"])).stdout).toBe("100000000\n");
    expect((await probe(["descend", "20000"], ["--stack", "16MiB"])).stdout).toBe("20000\n");
    expect((await probe(["print", "2000000"], ["--output-limit", "2MB"])).stdout).toHaveLength(2_000_000);
  });

  test("--disk bounds what a script writes", async () => {
    const options = ["--mount", `${data}:/data:rw`, "--disk", "1kB"];
    expect((await probe(["write", "/data/small", "1000"], options)).exitCode).toBe(0);
    const over = await probe(["write", "/data/large", "1001"], options);
    expect(over.exitCode).toBe(101);
    expect(over.stderr).toContain("grant it with --disk");
    expect(statSync(join(data, "large")).size).toBeLessThanOrEqual(1_000);
  });

  test("--open-files bounds what a script holds open", async () => {
    const options = ["--mount", `${data}:/data`, "--open-files", "2"];
    expect((await probe(["open", "/data/a", "/data/b"], options)).stdout).toBe("2\n");
    const over = await probe(["open", "/data/a", "/data/b", "/data/c"], options);
    expect(over.exitCode).toBe(101);
    expect(over.stderr).toContain("grant it with --open-files");
  });

  test("--host-call-limit bounds what one call takes", async () => {
    const over = await probe(["print", "2000"], ["--host-call-limit", "1kB"]);
    expect(over.exitCode).toBe(101);
    expect(over.stderr).toMatch(/denied: fd_write descriptor 1.*grant it with --host-call-limit/);
  });

  test("--table-elements bounds the tables of a module", async () => {
    const { exitCode, stderr } = await probe(["args"], ["--table-elements", "1"]);
    expect(exitCode).toBe(65);
    expect(stderr).toContain("table");
  });

  test("every limit of the library has an option, with its default in the help", async () => {
    const { stdout } = await scriptcell(["run", "--help"]);
    const section = /Limits:\n(.*?)\n\n/s.exec(stdout)?.[1] ?? "";
    expect(section.match(/^ {2}--/gm)).toHaveLength(Object.keys(DEFAULT_LIMITS).length);
    expect(section.match(/\(default:/g)).toHaveLength(Object.keys(DEFAULT_LIMITS).length);
  });

  test("a limit outside the library's bounds is refused with the bound", async () => {
    const [high, low] = await Promise.all([
      probe(["args"], ["--timeout", "9d"]),
      probe(["args"], ["--memory", "1"]),
    ]);
    expect([high.exitCode, low.exitCode]).toEqual([64, 64]);
    expect(high.stderr).toContain("at most 24 h");
    expect(low.stderr).toContain("at least 64 KiB");
  });
});

describe("exit codes", () => {
  test.each([
    ["the script's own", ["exit", "3"], 3, "exited with code 3"],
    ["255 for one that is larger, never 0", ["exit", "256"], 255, "exited with code 256, passed on as 255"],
    ["101 for a panic", ["panic"], 101, "panicked at "],
    ["134 for a trap", ["trap"], 134, "trapped (unreachable)"],
  ])("%s", async (_, args, code, said) => {
    const { exitCode, stderr } = await probe(args);
    expect(exitCode).toBe(code);
    expect(stderr).toContain(`scriptcell: ${said}`);
  });

  test("65 for a script that does not compile, whose errors are shown", async () => {
    const { broken } = writeScripts(directory, { broken: 'fn main() { let number: u8 = "text"; }' });
    const { exitCode, stdout, stderr } = await scriptcell(["run", broken]);
    expect(exitCode).toBe(65);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^error\[E0308\]: mismatched types/);
    expect(stderr).toContain('let number: u8 = "text"');
  });

  test("66 for a script that cannot be read, and why", async () => {
    const [absent, isDirectory] = await Promise.all([
      scriptcell(["run", join(directory, "absent.rs")]),
      scriptcell(["run", data]),
    ]);
    expect([absent.exitCode, isDirectory.exitCode]).toEqual([66, 66]);
    expect(absent.stderr).toContain("there is no such file");
    expect(isDirectory.stderr).toContain("it is a directory");
  });

  test("65 for a script that is no text", async () => {
    const path = join(directory, "binary.rs");
    writeFileSync(path, Uint8Array.of(0x66, 0x6e, 0xff));
    const { exitCode, stderr } = await scriptcell(["run", path]);
    expect(exitCode).toBe(65);
    expect(stderr).toContain("is not UTF-8 text");
  });

  test("69 for a compiler that is not there", async () => {
    const { exitCode, stderr } = await scriptcell(["run", PROBE, "--toolchain", join(directory, "rustc")]);
    expect(exitCode).toBe(69);
    expect(stderr).toMatch(/^error: /);
  });
});

describe("how it is compiled and confined", () => {
  test("--edition chooses the edition", async () => {
    const { old } = writeScripts(directory, {
      old: 'fn main() { let async = 2015; println!("{}", async); }',
    });
    expect((await scriptcell(["run", old, "--edition", "2015"])).stdout).toBe("2015\n");
    expect((await scriptcell(["run", old])).exitCode).toBe(65);
  });

  test("--profile chooses how it is optimised", async () => {
    const { asserts } = writeScripts(directory, {
      asserts: 'fn main() { println!("ran"); }',
    });
    const hashes = await Promise.all(
      ["fast-compile", "fast-run"].map(async (profile) => {
        const { stdout } = await scriptcell([
          "compile",
          asserts,
          "--profile",
          profile,
          "-o",
          join(directory, `${profile}.wasm`),
          "--json",
        ]);
        return (JSON.parse(stdout) as { hash: string }).hash;
      }),
    );
    expect(new Set(hashes).size).toBe(2);
    expect((await scriptcell(["run", asserts, "--profile", "fast-run"])).stdout).toBe("ran\n");
  });

  test("--isolation and --jail say where it runs, and --stats tells", async () => {
    const [worker, unjailed] = await Promise.all([
      probe(["args"], ["--isolation", "worker", "--stats"]),
      probe(["args"], ["--jail", "off", "--stats"]),
    ]);
    expect(worker.stderr).toContain("worker cell, no jail");
    expect(unjailed.stderr).toContain("process cell, no jail");
    expect(unjailed.stderr).toMatch(/^module from (rustc|disk) in .* · run .* · peak memory .* MiB · /);
  });

  test("--engine says whose WASI host serves, and --stats tells", async () => {
    const [own, nodes, nodesDocument] = await Promise.all([
      probe(["args"], ["--stats"]),
      probe(["args"], ["--engine", "node-wasi", "--clock", "real", "--stats"]),
      probe(["args"], ["--engine", "node-wasi", "--clock", "real", "--json"]),
    ]);
    expect(own.stderr).toContain(", preview1");
    expect(nodes.stderr).toContain("process cell, in bubblewrap, node-wasi");
    expect(nodes.stdout).toBe(own.stdout);
    expect(JSON.parse(nodesDocument.stdout)).toMatchObject({
      status: "ok",
      isolation: { engine: "node-wasi" },
    });
  });

  test("--jail required runs in a jail or not at all", async () => {
    const empty = join(directory, "empty");
    mkdirSync(empty);
    const { stdout, stderr, exitCode } = await scriptcell(
      ["run", PROBE, "--jail", "required", "--cache-dir", empty, "--toolchain", await rustc()],
      { env: { PATH: empty } },
    );
    expect(stdout).toBe("");
    expect(stderr).toContain("bubblewrap");
    expect(exitCode).toBe(69);
  });

  test("a wasm module runs as it is, from a file or from stdin", async () => {
    const module = join(directory, "probe.wasm");
    expect((await scriptcell(["compile", PROBE, "-o", module, "--quiet"])).exitCode).toBe(0);
    expect((await scriptcell(["run", module, "--", "args", "x"])).stdout).toBe(
      '["probe.wasm", "args", "x"]\n',
    );
    expect((await scriptcell(["run", "-", "--", "args"], { input: readFileSync(module) })).stdout).toBe(
      '["script", "args"]\n',
    );
  });

  test("what only calls itself a wasm module is refused", async () => {
    const fake = join(directory, "fake.wasm");
    writeFileSync(fake, "fn main() {}");
    const { exitCode, stderr } = await scriptcell(["run", fake]);
    expect(exitCode).toBe(65);
    expect(stderr).toContain("scriptcell::module-refused");
  });
});

async function rustc(): Promise<string> {
  const { stdout } = await scriptcell(["doctor", "--json"]);
  return (JSON.parse(stdout) as { toolchain: { toolchain: { rustc: string } } }).toolchain.toolchain.rustc;
}
