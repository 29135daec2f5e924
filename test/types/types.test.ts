import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { beforeAll, expect, test } from "vitest";
import { scratchDirectory } from "../support/executors.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = join(HERE, "..", "..");
const scratch = scratchDirectory();
const promises = readdirSync(HERE).filter((file) => !file.endsWith(".test.ts"));

/** Promises that do not hold, each in a copy of the file in which they stand. */
const LIES = [
  { copy: "lie-1.ts", of: "schemas.ts", promise: "Partial<CompileLimits>", lie: "Partial<Limits>" },
  {
    copy: "lie-2.ts",
    of: "results.ts",
    promise: "(result.limit).toEqualTypeOf<LimitName>()",
    lie: "(result.limit).toEqualTypeOf<string>()",
  },
  { copy: "lie-3.ts", of: "results.ts", promise: "{ timeout: 5 }", lie: '{ tenant: "ada" }' },
];

/** Names of the files in which the compiler finds a fault, under the project's own settings. */
let faulty: string[] = [];
let output = "";

beforeAll(async () => {
  const folder = join(scratch, "test", "types");
  mkdirSync(folder, { recursive: true });
  for (const name of ["src", "node_modules", "package.json"])
    symlinkSync(join(ROOT, name), join(scratch, name));
  const copies = promises.map((file) => ({ copy: file, of: file, promise: "", lie: "" }));
  for (const { copy, of, promise, lie } of [...copies, ...LIES]) {
    const text = readFileSync(join(HERE, of), "utf8");
    if (!text.includes(promise)) throw new Error(`${of} no longer says ${promise}`);
    writeFileSync(join(folder, copy), text.replace(promise, lie));
  }
  const settings = { extends: join(ROOT, "tsconfig.json"), include: ["src/webassembly.d.ts", "test/types"] };
  writeFileSync(join(scratch, "tsconfig.json"), JSON.stringify(settings));
  const tsc = join(ROOT, "node_modules", ".bin", "tsc");
  ({ stdout: output } = await execa(tsc, ["-p", scratch, "--pretty", "false"], {
    reject: false,
    cwd: scratch,
  }));
  faulty = [
    ...new Set([...output.matchAll(/^test\/types\/([^(]+)\(/gm)].map(([, file = ""]) => file)),
  ].sort();
}, 240_000);

test.each(promises)("what %s says of the types holds", (file) => {
  expect(faulty, output).not.toContain(file);
});

test.each(LIES)("and it would be noticed if $of said $lie instead", ({ copy }) => {
  expect(faulty, output).toContain(copy);
});

test("the compiler finds no other fault", () => {
  expect(promises).toHaveLength(2);
  expect(
    output.split("\n").filter((line) => /error TS/.test(line) && !/^test\/types\/lie-\d/.test(line)),
  ).toEqual([]);
});
