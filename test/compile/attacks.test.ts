import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CompileStep } from "../../src/compile/compile.ts";
import { MiB } from "../../src/limits.ts";
import {
  CONFINEMENTS,
  compile,
  errorCodes,
  everythingIn,
  processesIn,
  toolchain,
  usePrivateTemporaryDirectory,
} from "./support.ts";

const ATTACKS = fileURLToPath(new URL("../../fixtures/attacks/compile/", import.meta.url));

/** What no compile may hand out: the content of a file, the value of a variable, and where things lie on this machine. */
const SECRET = `file-${randomUUID()}`;
const CANARY = `variable-${randomUUID()}`;

const host = mkdtempSync(join(tmpdir(), "scriptcell-test-host-"));
const secretFile = join(host, "secret");
const fifo = join(host, "fifo");
const work = usePrivateTemporaryDirectory();

beforeAll(async () => {
  await writeFile(secretFile, SECRET);
  execFileSync("mkfifo", [fifo]);
  process.env.SCRIPTCELL_CANARY = CANARY;
});

afterAll(() => {
  delete process.env.SCRIPTCELL_CANARY;
  rmSync(host, { recursive: true, force: true });
});

function fixtures(folder: string): string[] {
  return readdirSync(join(ATTACKS, folder)).map((file) => `${folder}/${file}`);
}

async function attack(fixture: string, options: Parameters<typeof compile>[1]): Promise<CompileStep> {
  const source = await readFile(join(ATTACKS, fixture), "utf8");
  return await compile(source.replaceAll("@SECRET@", secretFile).replaceAll("@FIFO@", fifo), options);
}

/** Nothing of the host is in what came out, nothing on the host was changed, and nothing is left behind. */
async function expectNoTrace(step: CompileStep): Promise<void> {
  const everything = everythingIn(step);
  for (const secret of [SECRET, CANARY, "root:x:0:0", work.path, toolchain.sysroot]) {
    expect(everything).not.toContain(secret);
  }
  expect(await readFile(secretFile, "utf8")).toBe(SECRET);
  expect(await readdir(host)).toEqual(["fifo", "secret"]);
  expect(await readdir(work.path)).toEqual([]);
  expect(await processesIn(work.path)).toEqual([]);
}

/** Modules may come of these in a jail: there the variable is not set, and the list of arguments not there. */
const HARMLESS_IN_A_JAIL = new Set([
  "variables/option-env.rs",
  "linker/export-name-with-a-list-of-arguments.rs",
]);
/** Looks like an attack to a lexer that does not know Rust. */
const HARMLESS = new Set(["confusion/suffix-before-a-string.rs"]);

describe.each(CONFINEMENTS)(
  "$confinement, a script cannot reach the host through the compiler",
  ({ bubblewrap }) => {
    it.each(["files", "variables", "linker", "confusion"].flatMap(fixtures))("%s", async (fixture) => {
      const step = await attack(fixture, { bubblewrap });
      await expectNoTrace(step);
      expect(step.ok).toBe(HARMLESS.has(fixture) || (bubblewrap !== null && HARMLESS_IN_A_JAIL.has(fixture)));
    });
  },
);

/** What each may end as. Where it depends on the machine which limit is reached first, both are right. */
const ENDS: Readonly<Record<string, RegExp>> = {
  "resources/fifo.rs": /^(?:error|scriptcell::source-refused)$/,
  "resources/endless-device.rs": /^(?:error|scriptcell::source-refused)$/,
  "resources/crate-type-library.rs": /^error$/,
  "resources/crate-type-proc-macro.rs": /^error$/,
  "resources/crate-name.rs": /^error$/,
  "resources/unstable-features.rs": /^E0554$/,
  "resources/large-static.rs": /^scriptcell::module-too-large$/,
  "resources/linked-too-much.rs": /^scriptcell::(?:module-too-large|compile-memory)$/,
  "resources/giant-static.rs": /^scriptcell::compile-memory$/,
  "resources/constant-allocation.rs": /^scriptcell::compile-(?:memory|timeout)$/,
};
/** The clock ends these, on most machines: it need not be waited for long. */
const ENDLESS: ReadonlySet<string> = new Set([
  "resources/constant-loop.rs",
  "resources/generic-bomb.rs",
  "resources/giant-function.rs",
  "resources/macro-doubling.rs",
  "resources/recursion-without-limit.rs",
  "resources/type-bomb.rs",
]);
const LIMIT = /^scriptcell::(?:compile-memory|compile-timeout|compiler-crashed)$/;

describe.each(CONFINEMENTS)(
  "$confinement, a script cannot use up the host through the compiler",
  ({ bubblewrap }) => {
    const limits = { wallTimeMs: 30_000, memoryBytes: 1024 * MiB };

    it.each(fixtures("resources"))("%s", async (fixture) => {
      const wallTimeMs = ENDLESS.has(fixture) ? 2_000 : limits.wallTimeMs;
      const step = await attack(fixture, { bubblewrap, limits: { ...limits, wallTimeMs } });
      expect(errorCodes(step).at(-1)).toMatch(ENDS[fixture] ?? LIMIT);
      await expectNoTrace(step);
    });

    it.each([
      ["parentheses", (n: number) => `fn main() { let _ = ${"(".repeat(n)}1${")".repeat(n)}; }`],
      ["blocks", (n: number) => `fn main() { ${"{".repeat(n)}${"}".repeat(n)} }`],
      ["types", (n: number) => `type T = ${"Option<".repeat(n)}u8${">".repeat(n)}; fn main() {}`],
      ["operators", (n: number) => `fn main() { let _ = ${"!".repeat(n)}true; }`],
      ["additions", (n: number) => `fn main() { let _ = 0${" + 1".repeat(n)}; }`],
      ["calls", (n: number) => `fn f(x: u8) -> u8 { x } fn main() { ${"f(".repeat(n)}1${")".repeat(n)}; }`],
    ])("50,000 nested %s", async (_, sourceOf) => {
      const step = await compile(sourceOf(50_000), { bubblewrap, limits });
      expect(step.ok || errorCodes(step).length > 0).toBe(true);
      await expectNoTrace(step);
    });

    it("a source above the limit is not even given to the compiler", async () => {
      const step = await compile(`fn main() {}\n//${"x".repeat(10 * MiB)}`, { bubblewrap });
      expect(errorCodes(step)).toEqual(["scriptcell::source-too-large"]);
    });

    it("thousands of errors are cut short, and say so", async () => {
      const step = await compile(`fn main() { ${'let x: i32 = "text";\n'.repeat(5_000)} }`, { bubblewrap });
      expect(Buffer.byteLength(JSON.stringify(step.diagnostics))).toBeLessThan(256 * 1024);
      expect(step.diagnostics.length).toBeLessThanOrEqual(101);
      expect(step.diagnostics.at(-1)).toMatchObject({
        code: "scriptcell::diagnostics-truncated",
        level: "note",
      });
      await expectNoTrace(step);
    });

    it("a name of half a megabyte does not make diagnostics of megabytes", async () => {
      const step = await compile(`fn main() { ${"a".repeat(500_000)}(); let x: i32 = ""; }`, { bubblewrap });
      expect(errorCodes(step)).toContain("E0425");
      expect(Buffer.byteLength(JSON.stringify(step.diagnostics))).toBeLessThan(256 * 1024);
      await expectNoTrace(step);
    });
  },
);

it("the home directory's name is in no module and no diagnostic", async () => {
  for (const { bubblewrap } of CONFINEMENTS) {
    const panics = await compile(
      'fn main() { let v: Vec<u8> = Vec::new(); println!("{}", v[1]); panic!("x") }',
      { bubblewrap },
    );
    const wrong = await compile("extern crate nothing; fn main() { println!(1); }", { bubblewrap });
    expect(everythingIn(panics) + everythingIn(wrong)).not.toContain(homedir());
  }
});
