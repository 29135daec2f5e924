import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { BUILT_CELLS } from "./built-cells.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Before the first test: the code that cells run, built as it is for the package. */
export async function setup(): Promise<void> {
  await mkdir(BUILT_CELLS, { recursive: true });
  await writeFile(join(BUILT_CELLS, "package.json"), JSON.stringify({ type: "module" }));
  const outDir = join(BUILT_CELLS, "dist");
  await execa("tsc", ["-p", "tsconfig.build.json", "--outDir", outDir], { cwd: ROOT, preferLocal: true });
}

export async function teardown(): Promise<void> {
  await rm(BUILT_CELLS, { recursive: true, force: true });
}
