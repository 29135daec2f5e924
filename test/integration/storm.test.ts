import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openExecutor } from "../support/executors.ts";
import { allGone, descendants } from "../support/processes.ts";
import { script } from "../support/scripts.ts";

const ATTACKS = new URL("../../fixtures/attacks/compile/resources/", import.meta.url);
/** Bombs, as far as they need no file of the host. */
const BOMBS = readdirSync(ATTACKS)
  .map((file) => readFileSync(new URL(file, ATTACKS), "utf8"))
  .filter((source) => !source.includes("@FIFO@"));

/** Wrong in all the ways that scripts are, and no two the same. */
function badScript(n: number): string {
  const kinds: readonly (() => string)[] = [
    () => `fn main() { let x: u32 = "${n}"; }`,
    () => `fn main() { undefined_${n}(); }`,
    () => `fn main() { println!("{}", ${n} `,
    () => `use nothing_${n}::Thing; fn main() {}`,
    () => `fn main() { ${"(".repeat(500)}${n}${")".repeat(500)} }`,
    () => `${'#[path = "/etc/passwd"] mod m; '.repeat(2)} fn main() {} // ${n}`,
    () => `fn main() { ${`let x: i32 = "a"; `.repeat(300)} } // ${n}`,
    () => `fn main() { let s = String::new(); drop(s); drop(s); } // ${n}`,
    () => `struct S; fn main() { println!("{}", S); } // ${n}`,
    () => `${BOMBS[n % BOMBS.length] ?? ""}\n// ${n}`,
  ];
  return kinds[n % kinds.length]?.() ?? "";
}

test("a storm of 200 bad scripts starves no run, and leaves no process and no file", {
  timeout: 400_000,
}, async () => {
  const before = process.env.TMPDIR;
  const directory = await mkdtemp(join(tmpdir(), "scriptcell-test-storm-"));
  process.env.TMPDIR = directory;
  onTestFinished(async () => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    await rm(directory, { recursive: true, force: true });
  });
  const executor = openExecutor({ compileLimits: { wallTimeMs: 1_000, memoryBytes: 1024 ** 3 } });
  const hello = await executor.compile(script("hello"));
  if (!hello.ok) throw new Error("hello does not compile");
  await executor.execute(hello.module);
  const ours = new Set(descendants());

  let over = false;
  const stormedAt = performance.now();
  const storm = Promise.all(Array.from({ length: 200 }, (_, n) => executor.compile(badScript(n)))).finally(
    () => {
      over = true;
    },
  );
  const delays: number[] = [];
  while (!over) {
    const startedAt = performance.now();
    const { status } = await executor.execute(hello.module);
    delays.push(performance.now() - startedAt);
    expect(status).toBe("ok");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect((await storm).filter(({ ok }) => ok)).toEqual([]);
  // Runs that wait for compiles, whose bombs take a second each, are few, however many cores there are to end the storm sooner.
  expect(delays.length).toBeGreaterThan((performance.now() - stormedAt) / 200);
  expect(Math.max(...delays)).toBeLessThan(5_000);
  await allGone(descendants().filter((pid) => !ours.has(pid)));
  expect(await readdir(directory)).toEqual([]);
});
