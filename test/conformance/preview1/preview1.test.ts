import { describe, expect, test } from "vitest";
import { type ExecutorOptions, type RunResult, ScriptcellError } from "../../../src/index.ts";
import { MODES, openExecutor } from "../../support/executors.ts";
import { type Checks, readChecks } from "./checks.ts";
import { DIFFERENCES, OTHER_ERRORS } from "./node-wasi-differences.ts";
import { buildProgram, CLOCKS, type Program, READING, writingTo } from "./programs.ts";

/** What node:wasi cannot be held to: writing that is counted, and a clock that is not the real one. */
const BEYOND_NODE_WASI = [...CLOCKS, ...writingTo("disk"), ...writingTo("memory")];
/** No cell serves two of these runs: each has mounts of its own. */
const COMMON: ExecutorOptions = { capabilities: { clock: "real" }, cells: { spares: 0, maxIdle: 0 } };

const compiler = openExecutor();

function endOf({ exitCode = 0 }: Program): Partial<RunResult> {
  return exitCode === 0 ? { status: "ok", exitCode } : { status: "failed", exitCode };
}

describe.each(MODES)("the preview 1 host in $name", ({ options, isolation }) => {
  const executor = openExecutor({ ...COMMON, ...options });

  test.each([...READING, ...BEYOND_NODE_WASI])(
    "answers as the specification has it: $covers",
    async (program) => {
      const result = await executor.execute(await buildProgram(compiler, program), program.options());
      expect(result).toMatchObject({ ...endOf(program), isolation });
      const { expected, answered } = readChecks(result.stdout);
      expect(Object.keys(answered)).not.toEqual([]);
      expect(answered).toEqual(expected);
    },
  );
});

describe("node:wasi in process cells in a jail", () => {
  const executor = openExecutor({ ...COMMON, jail: "required", engine: "node-wasi" });

  test.each(READING)(
    "answers as the specification has it, but for the differences that are known: $covers",
    async (program) => {
      const { end = endOf(program), answers = {}, unforeseeable = false } = DIFFERENCES[program.name] ?? {};
      const endless = unforeseeable || end.status === "limit-exceeded";
      const result = await executor.execute(await buildProgram(compiler, program), {
        ...program.options(),
        ...(endless && { limits: { wallTimeMs: 5_000 } }),
      });
      expect(result.isolation).toEqual({ cell: "process", jail: "bubblewrap", engine: "node-wasi" });
      const found = differences(readChecks(result.stdout));
      if (unforeseeable) {
        expect(result.status !== "ok" || Object.keys(found).length > 0).toBe(true);
        return;
      }
      expect(result).toMatchObject(end);
      expect(found).toEqual(answers);
    },
  );

  test.each(BEYOND_NODE_WASI)("is not given what it cannot be held to: $covers", async (program) => {
    const module = await buildProgram(compiler, program);
    const run = executor.execute(module, program.options());
    await expect(run).rejects.toThrow(ScriptcellError);
    await expect(run).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
  });
});

/** The titles of the checks that came out otherwise than by rule, by their answers. */
function differences({ expected, answered }: Checks): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const [title, right] of Object.entries(expected)) {
    const answer = answered[title] ?? "";
    if (answer === (OTHER_ERRORS[right] ?? right)) continue;
    found[answer] = [...(found[answer] ?? []), title];
  }
  return found;
}
