import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { rustcFlags } from "../../src/compile/rustc-flags.ts";
import { fixture, library, source } from "../library.ts";
import type { Row, Section } from "../report.ts";
import { interleave, type Timing } from "../timing.ts";

const execute = promisify(execFile);

/** Behind the flags of `fast-compile`: of flags that are given twice, rustc takes the last. */
const VARIANTS: Readonly<Record<string, readonly string[]>> = {
  "fast-compile: opt-level 0, 4 units": [],
  "opt-level 0, 1 unit": ["-C", "codegen-units=1"],
  "opt-level 0, 16 units": ["-C", "codegen-units=16"],
  "opt-level 1, 1 unit": ["-C", "opt-level=1", "-C", "codegen-units=1"],
  "opt-level s, 1 unit": ["-C", "opt-level=s", "-C", "codegen-units=1"],
  "opt-level 2, 1 unit": ["-C", "opt-level=2", "-C", "codegen-units=1"],
  "fast-run: opt-level 3, 1 unit": ["-C", "opt-level=3", "-C", "codegen-units=1"],
  "opt-level 3, 4 units": ["-C", "opt-level=3"],
  "opt-level 3, 1 unit, thin LTO": ["-C", "opt-level=3", "-C", "codegen-units=1", "-C", "lto=thin"],
  "opt-level 3, 1 unit, fat LTO": ["-C", "opt-level=3", "-C", "codegen-units=1", "-C", "lto=fat"],
  "opt-level 0, strip=none": ["-C", "strip=none"],
  "opt-level 0, strip=symbols": ["-C", "strip=symbols"],
  "opt-level 0, debuginfo=1, strip=none": ["-C", "debuginfo=1", "-C", "strip=none"],
  "opt-level 0, debuginfo=2, strip=none": ["-C", "debuginfo=2", "-C", "strip=none"],
  "opt-level 0, without linking": ["--emit=obj"],
};

const SCRIPTS = {
  hello: fixture("hello"),
  json: source(new URL("../scripts/fuel/json.rs", import.meta.url)),
};

/** What each flag costs when compiling, and gives: ratios against `fast-compile`. */
export async function flags(): Promise<Section> {
  const toolchain = await library.findToolchain({ cacheDir: library.defaultCacheDir() });
  const { rustc, linker, env } = toolchain;
  const base = [
    ...rustcFlags("fast-compile", "2024", toolchain),
    ...(linker === undefined ? [] : ["-C", `linker=${linker}`]),
  ];
  const directory = await mkdtemp(join(tmpdir(), "scriptcell-bench-"));
  await using executor = new library.ScriptExecutor();
  const rows: Row[] = [];
  try {
    for (const [script, text] of Object.entries(SCRIPTS)) {
      await writeFile(join(directory, "script.rs"), text);
      const made = Object.entries(VARIANTS).map(([name, more], index) => {
        const out = `${script}-${index}`;
        const args = [...base, ...more, "-o", join(directory, out), "script.rs"];
        return {
          name,
          out,
          links: !more.includes("--emit=obj"),
          compile: () => execute(rustc, args, { cwd: directory, env }),
        };
      });
      const compiling = await interleave(
        Object.fromEntries(made.map(({ name, compile }) => [name, compile])),
        { warmUp: 1, rounds: 7 },
      );
      const linked = await Promise.all(
        made
          .filter(({ links }) => links)
          .map(async ({ name, out }) => ({ name, bytes: await readFile(join(directory, out)) })),
      );
      const running = await interleave(
        Object.fromEntries(linked.map(({ name, bytes }) => [name, () => run(executor, bytes)])),
        { warmUp: 10, rounds: 30 },
      );
      const first = made[0]?.name ?? "";
      const against = (timings: Readonly<Record<string, Timing>>, name: string): number =>
        (timings[name]?.median ?? Number.NaN) / (timings[first]?.median ?? Number.NaN);
      for (const { name } of made) {
        rows.push({ what: `${script}, ${name}: compiling`, value: against(compiling, name), unit: "×" });
        const module = linked.find((one) => one.name === name);
        if (module === undefined) continue;
        const size = module.bytes.length / (linked[0]?.bytes.length ?? Number.NaN);
        rows.push(
          { what: "  size", value: size, unit: "×" },
          { what: "  a warm run", value: against(running, name), unit: "×" },
        );
      }
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return { name: "flags", title: `rustc's flags against fast-compile's (rustc ${toolchain.version})`, rows };
}

async function run(executor: InstanceType<typeof library.ScriptExecutor>, bytes: Uint8Array): Promise<void> {
  const { status } = await executor.execute(bytes, { limits: { wallTimeMs: 60_000 } });
  if (status !== "ok") throw new Error(`the run failed: ${status}`);
}
