import { readFileSync } from "node:fs";

/**
 * Runs the modules of files, each three times so that V8 has reason to compile it anew, and prints what each run used. In a worker
 * cell, because that has the V8 settings of this process.
 */
const [, , library = "", seed = "", ...files] = process.argv;
const { ScriptExecutor } = (await import(library)) as typeof import("../../../src/index.ts");
// Closed by hand: the oldest supported Node has no `using`.
const executor = new ScriptExecutor({
  isolation: "worker",
  jail: "off",
  capabilities: { random: { seed } },
  limits: { wallTimeMs: 60_000 },
});
const used: (number | null)[] = [];
for (const file of files) {
  const module = readFileSync(file);
  for (let runs = 0; runs < 3; runs += 1) used.push((await executor.execute(module)).fuelUsed);
}
await executor.close();
console.log(JSON.stringify(used));
