import { describe, expect, it } from "vitest";
import type { CompileStep } from "../../src/compile/compile.ts";
import { type Edition, type Profile, rustcFlags } from "../../src/compile/rustc-flags.ts";
import { CONFINEMENTS, compile } from "./support.ts";

const EDITIONS: Edition[] = ["2015", "2018", "2021", "2024"];
const PROFILES: Profile[] = ["fast-compile", "fast-run"];

describe("the flags of a compile", () => {
  it("name no path, so that they can be part of a key that other machines share", () => {
    for (const profile of PROFILES) {
      expect(rustcFlags(profile, "2024", { linker: "/opt/somewhere/ld" }).join(" ")).not.toContain("/");
    }
  });

  it("start as many threads of the linker on every machine", () => {
    for (const profile of PROFILES) expect(rustcFlags(profile, "2024", {})).toContain("link-arg=--threads=4");
  });

  it("differ for every profile, edition, and kind of linker", () => {
    const all = PROFILES.flatMap((profile) =>
      EDITIONS.flatMap((edition) => [
        rustcFlags(profile, edition, {}),
        rustcFlags(profile, edition, { linker: "/x/lld" }),
      ]),
    );
    expect(new Set(all.map((flags) => JSON.stringify(flags))).size).toBe(all.length);
  });
});

describe.each(CONFINEMENTS)("$confinement", ({ bubblewrap }) => {
  it.each(PROFILES)(
    "with the profile %s a script compiles in the least memory there is to grant",
    async (profile) => {
      const { ok } = await compile('fn main() { println!("{}", std::env::args().count()); }', {
        bubblewrap,
        profile,
        limits: { memoryBytes: 1024 ** 3 },
      });
      expect(ok).toBe(true);
    },
  );

  it.each(EDITIONS)("the edition of %s is the one asked for", async (edition) => {
    const { ok } = await compile("trait T { fn f(u8); } fn main() { let async = 1; let _ = async; }", {
      bubblewrap,
      edition,
    });
    expect(ok).toBe(edition === "2015");
    const newer = await compile("fn main() { if let Some(x) = Some(1) && x == 1 {} }", {
      bubblewrap,
      edition,
    });
    expect(newer.ok).toBe(edition === "2024");
  });

  it.each(PROFILES)(
    "with the profile %s integer overflow panics, and debug assertions are off",
    async (profile) => {
      const sum = (operation: string) =>
        `fn main() { let n = std::env::args().count() as u8; if cfg!(debug_assertions) { return; } std::hint::black_box(${operation}); }`;
      const overflowing = await compile(sum("(n | 255) + 1"), { bubblewrap, profile });
      const wrapping = await compile(sum("(n | 255).wrapping_add(1)"), { bubblewrap, profile });
      expect(() => start(overflowing)).toThrow(WebAssembly.RuntimeError);
      expect(() => start(wrapping)).not.toThrow();
    },
  );
});

/** Runs a module in which every call to its host succeeds and does nothing. */
function start(step: CompileStep): void {
  if (!step.ok) throw new Error(JSON.stringify(step.diagnostics));
  const module = new WebAssembly.Module(Uint8Array.from(step.bytes));
  const host = Object.fromEntries(WebAssembly.Module.imports(module).map(({ name }) => [name, () => 0]));
  const { _start } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: host }).exports;
  if (typeof _start !== "function") throw new Error("the module has no _start");
  _start();
}
