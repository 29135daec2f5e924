import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openExecutor, scratchDirectory } from "../support/executors.ts";
import { SEED, source } from "./programs.ts";

const CHILD = fileURLToPath(new URL("children/measure.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CACHE = join(ROOT, "node_modules/.cache");
const NODES = join(CACHE, "scriptcell-nodes");

/** Loops, numbers, memory that grows, random keys, an exit and a panic. */
const PROGRAMS = ["sorting", "floating-point", "bulk-copies", "hash-maps", "exit-deep", "panic-in-recursion"];

const executor = openExecutor({ capabilities: { random: { seed: SEED } } });
const files: string[] = [];
/** The package as it is published: what runs on every supported Node. */
let library = "";
/** What process cells of this Node say. */
const expected: (number | null)[] = [];
beforeAll(async () => {
  mkdirSync(NODES, { recursive: true });
  build = mkdtempSync(join(CACHE, "scriptcell-build-"));
  writeFileSync(join(build, "package.json"), '{ "type": "module" }');
  const dist = join(build, "dist");
  await execa("tsc", ["-p", "tsconfig.build.json", "--outDir", dist], { cwd: ROOT, preferLocal: true });
  library = pathToFileURL(join(dist, "index.js")).href;
  const directory = scratchDirectory();
  for (const name of PROGRAMS) {
    const compiled = await executor.compile(source(name), { profile: "fast-run" });
    if (!compiled.ok) throw new Error(`${name} does not compile`);
    const file = join(directory, `${name}.wasm`);
    writeFileSync(file, compiled.module.bytes);
    files.push(file);
    const { fuelUsed } = await executor.execute(compiled.module);
    expected.push(fuelUsed, fuelUsed, fuelUsed);
  }
});

let build = "";
afterAll(() => rmSync(build, { recursive: true, force: true }));

async function measured(node: string, flags: readonly string[]): Promise<unknown> {
  const { stdout } = await execa(node, [...flags, CHILD, library, SEED, ...files]);
  return JSON.parse(stdout);
}

test("the programs use fuel at all, and each another amount", () => {
  expect(new Set(expected).size).toBe(PROGRAMS.length);
  expect(expected).not.toContain(null);
  expect(expected).not.toContain(0);
});

test.each([
  ["V8's first compiler alone", ["--liftoff-only"]],
  ["V8's optimising compiler alone", ["--no-liftoff"]],
  ["both, one after the other as soon as can be", ["--wasm-tiering-budget=1"]],
])("the same program uses the same fuel under %s", async (_, flags) => {
  expect(await measured(process.execPath, flags)).toEqual(expected);
});

/** The oldest Node that is supported, and the newest when this was written. */
test.each(["22.18.0", "26.10.0"])(
  "the same program uses the same fuel on Node %s",
  async (version) => {
    const node = await nodeOf(version);
    expect((await execa(node, ["--version"])).stdout).toBe(`v${version}`);
    expect(await measured(node, [])).toEqual(expected);
  },
  180_000,
);

/** The binary of that version, installed the first time by npm as its own configuration says. */
async function nodeOf(version: string): Promise<string> {
  const name = `node-linux-${process.arch}`;
  const directory = join(NODES, `${process.arch}-${version}`);
  const binary = join("node_modules", name, "bin", "node");
  const made = join(directory, binary);
  if (await runs(made)) return made;
  const draft = mkdtempSync(join(NODES, "draft-"));
  try {
    const flags = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
    await execa("npm", ["install", "--prefix", draft, ...flags, `${name}@${version}`]);
    try {
      renameSync(draft, directory);
    } catch (error) {
      // Another suite was first.
      if (!(await runs(made))) throw error;
    }
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return made;
}

async function runs(node: string): Promise<boolean> {
  return !(await execa(node, ["--version"], { reject: false })).failed;
}
