import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writeArtifacts } from "../../src/cli/artifacts.ts";
import { parsed, scriptcell, temporaryDirectory, writeScripts } from "./support.ts";

const directory = temporaryDirectory();
const scripts = writeScripts(directory, {
  totals: `
    use std::fs::*;
    fn main() {
        let sum: u32 = read_to_string("/in/may.csv").unwrap().lines().map(|n| n.parse::<u32>().unwrap()).sum();
        create_dir_all("/tmp/deep").unwrap();
        write("/tmp/sum.csv", sum.to_string()).unwrap();
        write("/tmp/deep/more.csv", "more").unwrap();
        write("/tmp/draft.txt", "draft").unwrap();
        println!("{:?}", write("/tmp/large", vec![0; 100_000]).is_ok());
        std::process::exit(std::env::args().nth(1).map_or(0, |code| code.parse().unwrap()));
    }`,
});
const input = join(directory, "may.csv");
writeFileSync(input, "40\n2\n");

let number = 0;
/** The path of a directory that is not there yet. */
function fresh(): string {
  number += 1;
  return join(directory, `out-${number}`);
}

const run = (...args: string[]) => scriptcell(["run", scripts.totals, ...args]);
const GRANTS = ["--file", `${input}:/in/may.csv`, "--scratch", "/tmp"];

describe("run", () => {
  test("puts files in, and writes what the script left at its path below --artifacts-dir", async () => {
    const out = fresh();
    const result = await run(...GRANTS, "--artifact", "/tmp/**/*.csv", "--artifacts-dir", out);
    expect(result).toMatchObject({ exitCode: 0, stdout: "true\n", stderr: "" });
    expect(readFileSync(join(out, "tmp/sum.csv"), "utf8")).toBe("42");
    expect(readFileSync(join(out, "tmp/deep/more.csv"), "utf8")).toBe("more");
    expect(readdirSync(out, { recursive: true }).sort()).toEqual([
      "tmp",
      "tmp/deep",
      "tmp/deep/more.csv",
      "tmp/sum.csv",
    ]);
  });

  test("writes them also where the script failed, and --json says how large they are", async () => {
    const out = fresh();
    const result = await run(
      ...GRANTS,
      "--artifact",
      "/tmp/*.csv",
      "--artifacts-dir",
      out,
      "--json",
      "--",
      "3",
    );
    expect(result.exitCode).toBe(3);
    expect(parsed(result.stdout)).toMatchObject({ status: "failed", artifacts: { "/tmp/sum.csv": 2 } });
    expect(readdirSync(join(out, "tmp"))).toEqual(["sum.csv"]);
  });

  test("makes no directory where nothing was left", async () => {
    const out = fresh();
    expect((await run(...GRANTS, "--artifact", "/tmp/*.none", "--artifacts-dir", out)).exitCode).toBe(0);
    expect(existsSync(out)).toBe(false);
  });

  test("holds a scratch mount to its size, and all of them to --scratch-limit, and says so", async () => {
    for (const [flags, remedy] of [
      [["--scratch", "/tmp:64KiB"], "--scratch GUEST:SIZE"],
      [["--scratch", "/tmp", "--scratch-limit", "64KiB"], "--scratch-limit"],
    ] as const) {
      const result = await run("--file", `${input}:/in/may.csv`, ...flags);
      expect(result).toMatchObject({ exitCode: 0, stdout: "false\n" });
      expect(result.stderr).toContain(remedy);
    }
  });

  test.each([
    ["a pattern without a place", ["--artifact", "/tmp/*"], 64, "--artifacts-dir"],
    ["a place without a pattern", ["--artifacts-dir", "out"], 64, "--artifact PATTERN"],
    ["a pattern of nothing", ["--artifact", "/out/*", "--artifacts-dir", "out"], 64, "scratch"],
    ["a file that is not there", ["--file", "nowhere.csv:/in/a.csv"], 66, "there is no such file"],
    ["a file directly under /", ["--file", `${input}:/may.csv`], 64, "/in/may.csv"],
  ])("takes no %s", async (_, flags, exitCode, message) => {
    const result = await run("--scratch", "/tmp", ...flags);
    expect(result.exitCode).toBe(exitCode);
    expect(result.stderr).toContain(message);
  });

  test("73 where the artifacts cannot be written", async () => {
    const out = fresh();
    writeFileSync(out, "a file");
    const result = await run(...GRANTS, "--artifact", "/tmp/*.csv", "--artifacts-dir", out);
    expect(result.exitCode).toBe(73);
    expect(result.stderr).toContain("cannot write the artifacts");
    expect(readFileSync(out, "utf8")).toBe("a file");
  });
});

describe("artifacts", () => {
  const BYTES = Buffer.from("new");
  const secret = join(directory, "secret");
  mkdirSync(secret);
  writeFileSync(join(secret, "file"), "secret");

  test("are never written through a link to a directory", async () => {
    const out = fresh();
    mkdirSync(out);
    symlinkSync(secret, join(out, "tmp"));
    await expect(writeArtifacts(out, { "/tmp/file": BYTES })).rejects.toThrow("no directory");
    expect(readdirSync(secret)).toEqual(["file"]);
    expect(readFileSync(join(secret, "file"), "utf8")).toBe("secret");
  });

  test("take the place of a link to a file, and leave alone what it led to", async () => {
    const out = fresh();
    mkdirSync(join(out, "tmp"), { recursive: true });
    symlinkSync(join(secret, "file"), join(out, "tmp/a"));
    await writeArtifacts(out, { "/tmp/a": BYTES });
    expect(lstatSync(join(out, "tmp/a")).isFile()).toBe(true);
    expect(readFileSync(join(out, "tmp/a"), "utf8")).toBe("new");
    expect(readFileSync(join(secret, "file"), "utf8")).toBe("secret");
  });

  test.each(["/tmp/../../escaped", "/../escaped", "/tmp/./escaped", "/tmp//escaped", "/tmp/", "/", ""])(
    "of a path that is not plain are not written: %j",
    async (path) => {
      const out = fresh();
      await expect(writeArtifacts(out, { [path]: BYTES })).rejects.toMatchObject({ exitCode: 73 });
      expect(readdirSync(out, { recursive: true }).filter((name) => name !== "tmp")).toEqual([]);
      expect(existsSync(join(directory, "escaped"))).toBe(false);
    },
  );

  test("replace a file as a whole, and a directory not at all; nothing is left beside them", async () => {
    const out = fresh();
    mkdirSync(join(out, "tmp/d"), { recursive: true });
    writeFileSync(join(out, "tmp/a"), "older and longer");
    await writeArtifacts(out, { "/tmp/a": BYTES });
    expect(readFileSync(join(out, "tmp/a"), "utf8")).toBe("new");
    await expect(writeArtifacts(out, { "/tmp/d": BYTES })).rejects.toMatchObject({ exitCode: 73 });
    expect(readdirSync(join(out, "tmp")).sort()).toEqual(["a", "d"]);
  });
});
