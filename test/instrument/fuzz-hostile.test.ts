import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, expect, test } from "vitest";
import { mostMeteredBytes } from "../../src/instrument/bounds.ts";
import { HOSTILE_MODULES } from "./fuzz/hostile-modules.ts";

const MIB = 1024 * 1024;
const MODULE_BYTES = 4 * MIB;
/** What a child may hold besides: two compilers, garbage that was not collected yet. */
const OTHER_BYTES = 192 * MIB;

const child = new URL("./fuzz/children/instrument.ts", import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), "scriptcell-hostile-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test.each(Object.entries(HOSTILE_MODULES))(
  "a module that is nothing but %s is metered within bounds, or refused for its size, with memory in proportion",
  async (_, build) => {
    const bytes = build(MODULE_BYTES);
    expect(WebAssembly.validate(bytes)).toBe(true);
    const file = join(directory, "module.wasm");
    writeFileSync(file, bytes);
    const { stdout } = await execa("node", [child, file]);
    const { written, refusal, memoryBytes } = JSON.parse(stdout);
    if (refusal === undefined) expect(written).toBeLessThan(mostMeteredBytes(bytes.length) + 2 * MIB);
    else expect(refusal).toMatch(/for its size|several times as large/);
    expect(memoryBytes).toBeLessThan(16 * bytes.length + OTHER_BYTES);
  },
);
