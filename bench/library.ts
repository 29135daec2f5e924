import { existsSync, readFileSync } from "node:fs";
import type { CompiledModule, ScriptExecutor } from "../src/index.ts";

// Not a static import: the types are those of the sources, so that checking them needs no build.
const entry = new URL("../dist/index.js", import.meta.url);

/** The library as users get it. `npm run bench` builds it first. */
export const library = await load();

async function load(): Promise<typeof import("../src/index.ts")> {
  if (existsSync(entry)) return await import(entry.href);
  throw new Error(
    "what is measured is the built library, and there is none: run `npm run bench`, which builds it",
  );
}

/** The source of a script in `fixtures/scripts`. */
export function fixture(name: string): string {
  return source(new URL(`../fixtures/scripts/${name}.rs`, import.meta.url));
}

/** The source of a script. */
export function source(url: URL): string {
  return readFileSync(url, "utf8");
}

/** The script's module. */
export async function compiled(executor: ScriptExecutor, source: string): Promise<CompiledModule> {
  const result = await executor.compile(source);
  if (result.ok) return result.module;
  throw new Error(
    `the script does not compile: ${result.diagnostics.map(({ message }) => message).join("; ")}`,
  );
}

/** Runs a module and makes sure that it ran: a failure must not count as a fast run. */
export async function runs(executor: ScriptExecutor, module: CompiledModule, stdout: string): Promise<void> {
  const result = await executor.execute(module);
  if (result.status !== "ok" || result.stdout !== stdout) throw new Error(`the run failed: ${result.status}`);
}
