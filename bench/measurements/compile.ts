import { randomUUID } from "node:crypto";
import { openBareRustc } from "../bare-rustc.ts";
import { fixture, library } from "../library.ts";
import type { Row, Section } from "../report.ts";
import { interleave } from "../timing.ts";

const PROFILE = "fast-compile";
const EDITION = "2024";
const SCRIPTS = ["hello", "weather"] as const;

/** A compile that no cache helps, jail included, against rustc by itself. */
export async function compile(): Promise<Section> {
  const toolchain = await library.findToolchain({ cacheDir: library.defaultCacheDir() });
  await using rustc = await openBareRustc(toolchain, PROFILE, EDITION);
  await using executor = new library.ScriptExecutor({
    profile: PROFILE,
    edition: EDITION,
    jail: "required",
  });
  const rows: Row[] = [];
  for (const script of SCRIPTS) {
    const source = fixture(script);
    // A source that was never compiled before, the same length each time.
    const fresh = (): string => `${source}// ${randomUUID()}\n`;
    const timings = await interleave(
      {
        bare: () => rustc.compile(fresh()),
        scriptcell: async () => {
          const result = await executor.compile(fresh());
          if (!result.ok || result.from !== "rustc") throw new Error(`${script} was not compiled`);
        },
      },
      { warmUp: 2, rounds: 15 },
    );
    const { bare, scriptcell } = timings;
    rows.push(
      { what: `rustc ${script}, median`, value: bare.median, unit: "ms" },
      { what: `compile(${script}), median`, value: scriptcell.median, unit: "ms" },
      {
        what: "  against rustc, median",
        value: scriptcell.median / bare.median,
        unit: "×",
        target: { at: "most", value: 1.15 },
      },
    );
  }
  return { name: "compile", title: `cold compile (rustc ${toolchain.version}, ${PROFILE}, in a jail)`, rows };
}
