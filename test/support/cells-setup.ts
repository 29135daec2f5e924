import { existsSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { TestProject } from "vitest/node";
import { BUILT_CELLS } from "./built-cells.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Before the first test: the code that cells run, built as it is for the package. */
export async function setup(project: TestProject): Promise<void> {
  await removeLeftOvers();
  await mkdir(BUILT_CELLS, { recursive: true });
  await writeFile(join(BUILT_CELLS, "package.json"), JSON.stringify({ type: "module" }));
  await build();
  project.onTestsRerun(build);
}

export async function teardown(): Promise<void> {
  await rm(BUILT_CELLS, { recursive: true, force: true });
}

async function build(): Promise<void> {
  const outDir = join(BUILT_CELLS, "dist");
  await execa("tsc", ["-p", "tsconfig.build.json", "--outDir", outDir], { cwd: ROOT, preferLocal: true });
}

/** Of test runs that were killed. */
async function removeLeftOvers(): Promise<void> {
  const cache = dirname(BUILT_CELLS);
  const own = basename(BUILT_CELLS);
  const prefix = own.replace(/\d+$/, "");
  for (const name of await readdir(cache).catch(() => [])) {
    if (!name.startsWith(prefix) || existsSync(`/proc/${name.slice(prefix.length)}`)) continue;
    await rm(join(cache, name), { recursive: true, force: true });
  }
}
