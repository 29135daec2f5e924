import { hash } from "node:crypto";
import { chmod, chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Diagnostic } from "../../src/compile/diagnostics.ts";
import { entryPath, storeLayout } from "../../src/store/layout.ts";
import type { StoredModule } from "../../src/store/store.ts";
import { moduleBytes, sampleKey } from "./children/modules.ts";

export { sampleKey };

/** A module that can be told from all others. */
export function sampleModule(n: number, size = 300): StoredModule {
  return { bytes: moduleBytes(sampleKey(n), size), diagnostics: [sampleWarning(n)] };
}

/** Has every field that a diagnostic can have. */
export function sampleWarning(n: number): Diagnostic {
  const span = {
    lineStart: 1,
    columnStart: 9,
    lineEnd: 1,
    columnEnd: 10,
    byteStart: 8,
    byteEnd: 9,
    primary: true,
    label: "never read",
    text: [`    let ü${n} = 1;`],
  };
  const { label: _, ...unlabelled } = span;
  return {
    level: "warning",
    code: "unused_variables",
    message: `unused variable: ü${n}`,
    spans: [span, { ...unlabelled, primary: false }],
    children: [{ level: "help", message: "prefix it with an underscore", spans: [span] }],
    suggestions: [
      {
        message: "prefix it",
        applicability: "machine-applicable",
        replacements: [{ byteStart: 8, byteEnd: 9, text: "_" }],
      },
    ],
    rendered: "warning: unused variable\n",
  };
}

/** A new directory of this user's, gone after the test. */
export async function ownDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "scriptcell-store-"));
  // A store may be pruning in the background as the test ends.
  onTestFinished(() => rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }));
  return directory;
}

/** A directory that belongs to another user: made so by root, found by everybody else. */
export async function strangersDirectory(): Promise<string> {
  if (process.geteuid?.() !== 0) return "/usr";
  const directory = await ownDirectory();
  await chmod(directory, 0o700);
  await chown(directory, 65_534, 65_534);
  return directory;
}

/** The file of an entry in the store at `directory`. */
export function entryFile(directory: string, key: string): string {
  return entryPath(storeLayout(directory), key);
}

/** Fails the test when anything is warned of. */
export function noWarning(message: string, cause: unknown): void {
  throw new Error(`unexpected warning: ${message}`, { cause });
}

/** Numbers that look random and are the same in every run. */
export function repeatableNumbers(seed: string): (below: number) => number {
  let drawn = 0;
  return (below) => Number.parseInt(hash("sha256", `${seed} ${drawn++}`).slice(0, 12), 16) % below;
}

/** A promise that the test settles. */
export function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
