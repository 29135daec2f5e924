import { describe, expect, test } from "vitest";
import type { CompiledModule } from "../../../src/index.ts";
import { MODES, openExecutor } from "../../support/executors.ts";
import { readChecks } from "./checks.ts";
import { PROGRAMS, type Program, programSource } from "./programs.ts";

const compiler = openExecutor();
const modules = new Map<string, Promise<CompiledModule>>();

function compiled(program: Program): Promise<CompiledModule> {
  const module = modules.get(program.name) ?? compile(program);
  modules.set(program.name, module);
  return module;
}

async function compile(program: Program): Promise<CompiledModule> {
  const result = await compiler.compile(programSource(program));
  if (result.ok) return result.module;
  throw new Error(result.diagnostics.map(({ rendered }) => rendered).join("\n"));
}

describe.each(MODES)("the preview 1 host in $name", ({ options }) => {
  const executor = openExecutor(options);

  test.each(PROGRAMS)("answers as the specification has it: $covers", async (program) => {
    const result = await executor.execute(await compiled(program), program.options());
    const exitCode = program.exitCode ?? 0;
    expect(result).toMatchObject({ status: exitCode === 0 ? "ok" : "failed", exitCode });
    const { expected, answered } = readChecks(result.stdout);
    expect(Object.keys(answered)).not.toEqual([]);
    expect(answered).toEqual(expected);
  });
});
