import { readFileSync } from "node:fs";
import type { CompiledModule, ExecuteOptions, RunResult, ScriptExecutor } from "../src/index.ts";

/** What a run does. `killed`: it spins, and is aborted once it has said so. */
export type Fate = "ok" | "failed" | "panicked" | "killed" | "mounted";

const SCRIPTS: Readonly<Record<Fate, string>> = {
  ok: "scripts/hello",
  failed: "attacks/run/exit-3",
  panicked: "attacks/run/panic",
  killed: "attacks/run/spin",
  mounted: "attacks/run/fill-disk",
};

const STATUS: Readonly<Record<Fate, RunResult["status"]>> = {
  ok: "ok",
  failed: "failed",
  panicked: "panicked",
  killed: "cancelled",
  mounted: "ok",
};

/** The fate of the n-th run. Few lose their cell: starting another takes as long as a hundred runs. */
export function fateOf(n: number): Fate {
  if (n % 200 === 50) return "panicked";
  if (n % 200 === 150) return "killed";
  if (n % 20 === 5) return "failed";
  return n % 10 === 9 ? "mounted" : "ok";
}

/** Makes the n-th run, for every n; throws where it ends otherwise than it has to. */
export async function prepareMixedRuns(
  executor: ScriptExecutor,
  directory: string,
): Promise<(n: number) => Promise<void>> {
  const modules = new Map<Fate, CompiledModule>();
  for (const [fate, name] of Object.entries(SCRIPTS)) {
    const source = readFileSync(new URL(`../fixtures/${name}.rs`, import.meta.url), "utf8");
    const compiled = await executor.compile(source);
    if (!compiled.ok) throw new Error(`${name} does not compile`);
    modules.set(fate as Fate, compiled.module);
  }
  return async (n) => {
    const fate = fateOf(n);
    const module = modules.get(fate);
    if (module === undefined) throw new Error(`no module is ${fate}`);
    const { status } = await executor.execute(module, optionsOf(fate, n, directory));
    if (status !== STATUS[fate]) throw new Error(`run ${n} was to be ${STATUS[fate]} and was ${status}`);
  };
}

function optionsOf(fate: Fate, n: number, directory: string): ExecuteOptions {
  // Nobody but the abort ends a guest, however busy the machine is.
  const limits = { wallTimeMs: 600_000 };
  if (fate === "mounted") {
    const mounts = [{ host: directory, guest: "/data", access: "read-write" as const }];
    return { limits, capabilities: { mounts, args: ["script", "1000"] } };
  }
  const tenant = n % 3 === 0 ? "one" : "two";
  if (fate !== "killed") return { limits, tenant };
  const abort = new AbortController();
  return { limits, tenant, signal: abort.signal, onStdout: () => abort.abort() };
}
