import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa, type Options } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import { MODES, scratchDirectory } from "../support/executors.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BIN = join(ROOT, "node_modules", ".bin");

/** What goes into the package, and what building it takes. */
const SOURCES = ["src", "package.json", "tsconfig.json", "tsconfig.build.json", "README.md", "LICENSE"];

const scratch = scratchDirectory();
const project = join(scratch, "bare-project");
let tarball = "";

/** Runs a program of this project's or of the system's, in a directory of choice. */
const run = (cwd: string, file: string, args: readonly string[], options: Options = {}) =>
  execa(file, args, {
    cwd,
    env: { PATH: [BIN, process.env.PATH].join(delimiter) },
    timeout: 240_000,
    ...options,
  });

beforeAll(async () => {
  const checkout = join(scratch, "checkout");
  mkdirSync(checkout);
  for (const path of SOURCES) cpSync(join(ROOT, path), join(checkout, path), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(checkout, "node_modules"));
  const { stdout } = await run(checkout, "npm", ["pack", "--pack-destination", scratch, "--loglevel=error"]);
  tarball = join(scratch, String(stdout).trim().split("\n").at(-1) ?? "");

  mkdirSync(project);
  writeFileSync(join(project, "package.json"), '{"name":"bare","private":true,"type":"module"}');
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
  await run(project, "npm", ["install", ...quiet, tarball]);
}, 480_000);

describe("the packed package", () => {
  test("holds the build, the README and the licence, and nothing else", async () => {
    const { stdout } = await run(scratch, "tar", ["-tzf", tarball]);
    const files = String(stdout).trim().split("\n").sort();
    const others = files.filter((file) => !/^package\/dist\/[\w/-]+\.(js|d\.ts)$/.test(file));
    expect(others).toEqual(["package/LICENSE", "package/README.md", "package/package.json"]);
    expect(files).toEqual(
      expect.arrayContaining([
        "package/dist/cli/main.js",
        "package/dist/guest/main.js",
        "package/dist/guest/worker.js",
        "package/dist/index.d.ts",
        "package/dist/index.js",
      ]),
    );
  });

  test("needs at run time what package.json says, and no more", () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    const dist = join(project, "node_modules", "scriptcell", "dist");
    const files = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".js"),
    );
    const used = new Set(
      files.flatMap((file) => {
        const imports = readFileSync(join(dist, file), "utf8").matchAll(
          /(?:^(?:import|export|\}) ?.*\bfrom |^import |\bimport\()"((?:@[^/"]+\/)?[^./"][^/"]*)/gm,
        );
        return [...imports].map(([, name = ""]) => name).filter((name) => !name.startsWith("node:"));
      }),
    );
    expect([...used].sort()).toEqual(Object.keys(manifest.dependencies).sort());
  });

  test("passes publint", async () => {
    const { stdout, exitCode } = await run(scratch, "publint", ["run", tarball, "--strict"]);
    expect(stdout).toContain("All good!");
    expect(exitCode).toBe(0);
  });

  test("has types that resolve as its code does", async () => {
    const { exitCode } = await run(scratch, "attw", [tarball, "--profile", "esm-only", "--no-emoji"]);
    expect(exitCode).toBe(0);
  });
});

describe("a bare project that installed it", () => {
  test.each(MODES)("runs a script in $name", async ({ options, isolation }) => {
    const program = `
      import { ScriptExecutor } from "scriptcell";
      await using executor = new ScriptExecutor(${JSON.stringify(options)});
      const source = 'fn main() { println!("{}", std::fs::read_to_string("/data/package.json").unwrap().len()); }';
      const { status, output, stderr, isolation, denials } = await executor.run(source, {
        capabilities: { mounts: [{ host: ".", guest: "/data" }] },
        limits: { wallTimeMs: 60_000 },
      });
      console.log(JSON.stringify({ status, output, stderr, isolation, denials }));
    `;
    writeFileSync(join(project, "program.mjs"), program);
    const { stdout } = await run(project, "node", ["program.mjs"]);
    expect(JSON.parse(String(stdout))).toEqual({
      status: "ok",
      output: readFileSync(join(project, "package.json"), "utf8").length,
      stderr: "",
      isolation,
      denials: [],
    });
  });

  test("has a command", async () => {
    writeFileSync(join(project, "three.rs"), 'fn main() { print!("3"); std::process::exit(3); }');
    const command = join(project, "node_modules", ".bin", "scriptcell");
    const { stdout, exitCode } = await run(project, command, ["run", "three.rs"], { reject: false });
    expect({ stdout, exitCode }).toEqual({ stdout: "3", exitCode: 3 });
  });

  test("is type-checked strictly, declarations included", async () => {
    const consumer = `
      import { type RunResult, ScriptcellError, ScriptExecutor, MiB } from "scriptcell";
      import { z } from "zod";
      const executor: AsyncDisposable = new ScriptExecutor({ limits: { memoryBytes: 64 * MiB } });
      export async function sum(numbers: readonly number[]): Promise<number> {
        await using own = new ScriptExecutor();
        const result = await own.run("fn main() {}", {
          input: { numbers },
          outputSchema: z.object({ sum: z.number() }),
        });
        if (result.status === "ok") return result.output.sum;
        if (result.status === "limit-exceeded") console.error(result.limit);
        throw new ScriptcellError("CELL_FAILED", result.stderr);
      }
      export const describe = (result: RunResult): string => result.status;
      export { executor };
    `;
    const config = {
      compilerOptions: {
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        skipLibCheck: false,
        module: "nodenext",
        target: "es2023",
        lib: ["es2023", "esnext.disposable"],
        types: ["node"],
        typeRoots: [join(ROOT, "node_modules", "@types")],
        noEmit: true,
      },
      files: ["consumer.ts"],
    };
    writeFileSync(join(project, "consumer.ts"), consumer);
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify(config));
    const checked = await run(project, "tsc", ["-p", "."], { reject: false });
    expect(checked.stdout).toBe("");
    expect(checked.exitCode).toBe(0);

    writeFileSync(join(project, "consumer.ts"), consumer.replace("result.output.sum", "result.output.sun"));
    const misspelt = await run(project, "tsc", ["-p", "."], { reject: false });
    expect(misspelt.stdout).toContain("Property 'sun' does not exist");
  });
});
