import { readFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { MiB } from "../../src/index.ts";
import { openExecutor } from "../support/executors.ts";
import { descendants } from "../support/processes.ts";
import { assemble } from "../wasm/assemble.ts";

/** Writes to all of its memory. */
function filler(pages: number): Uint8Array {
  return assemble(`(module
    (memory (export "memory") ${pages})
    (func (export "_start") (memory.fill (i32.const 0) (i32.const 1) (i32.const ${pages * 65_536}))))`);
}

const executor = openExecutor({ jail: "off", cells: { maxRunning: 1, maxIdle: 1, spares: 0 } });

/** Resident memory of the executor's one cell, in bytes. */
function residentBytes(): number {
  const cells = descendants().filter((pid) =>
    /guest\/main/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8")),
  );
  expect(cells).toHaveLength(1);
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${cells[0]}/status`, "utf8"))?.[1];
  return Number(kib) * 1024;
}

test("an idle cell gives back the memory of the large guest that it ran", async () => {
  expect((await executor.execute(filler(1))).status).toBe("ok");
  const before = residentBytes();
  const result = await executor.execute(filler(800), { limits: { memoryBytes: 64 * MiB } });
  expect(result).toMatchObject({ status: "ok", peakMemoryBytes: 800 * 65_536 });
  await vi.waitFor(() => expect(residentBytes() - before).toBeLessThan(25 * MiB), {
    timeout: 20_000,
    interval: 50,
  });
});
