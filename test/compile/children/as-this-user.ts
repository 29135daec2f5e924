/** Compiles scripts as whoever it runs as, in the jail and without, and prints what came of each as JSON. Argument: a `Plan` as JSON. */
import { compileScript } from "../../../src/compile/compile.ts";
import { DEFAULT_COMPILE_LIMITS } from "../../../src/compile/compile-limits.ts";
import type { Bubblewrap } from "../../../src/jail/jail.ts";
import type { Toolchain } from "../../../src/toolchain/toolchain.ts";

export interface Plan {
  toolchain: Toolchain;
  bubblewrap: Bubblewrap;
  sources: readonly string[];
}

/** By confinement, in the order of the sources: what came of them, as one text each, and whether that is a module. */
export interface Found {
  uid: number | undefined;
  jailed: readonly (readonly [ok: boolean, everything: string])[];
  unjailed: Found["jailed"];
}

async function compileAll(
  { toolchain, sources }: Plan,
  bubblewrap: Bubblewrap | null,
): Promise<Found["jailed"]> {
  const limits = { ...DEFAULT_COMPILE_LIMITS, wallTimeMs: 5_000 };
  const compiled: [boolean, string][] = [];
  for (const source of sources) {
    const step = await compileScript(source, {
      toolchain,
      bubblewrap,
      edition: "2024",
      profile: "fast-compile",
      limits,
    });
    const module = step.ok ? Buffer.from(step.bytes).toString("latin1") : "";
    compiled.push([step.ok, JSON.stringify(step.diagnostics) + module]);
  }
  return compiled;
}

const plan = JSON.parse(process.argv[2] ?? "") as Plan;
const found: Found = {
  uid: process.geteuid?.(),
  jailed: await compileAll(plan, plan.bubblewrap),
  unjailed: await compileAll(plan, null),
};
console.log(JSON.stringify(found));
