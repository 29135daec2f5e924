import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ScriptExecutor } from "../../src/index.ts";
import { MODES, PROCESS_MODES } from "../support/executors.ts";
import { allGone, descendants, isRunning } from "../support/processes.ts";
import { attack, script } from "../support/scripts.ts";

/** A Node process that uses scriptcell, and the first line that it prints. */
async function startHost(name: string, ...args: string[]) {
  const file = fileURLToPath(new URL(`../support/children/${name}.ts`, import.meta.url));
  const host = spawn(process.execPath, [file, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  host.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const exited = once(host, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  const [line] = await Promise.race([
    once(createInterface(host.stdout), "line") as Promise<[string]>,
    exited.then(() => {
      throw new Error(`it ended without a word: ${errors}`);
    }),
  ]);
  const said = JSON.parse(line) as { status?: string; pids: number[] };
  return { host, said, exited };
}

describe.each(MODES)("a program with $name", ({ options }) => {
  test("that closes nothing ends by itself, and its cells with it", async () => {
    const { said, exited } = await startHost("run-and-leave", JSON.stringify(options));
    expect(said.status).toBe("ok");
    expect(await exited).toEqual([0, null]);
    await allGone(said.pids);
  });

  test("that exits while a guest spins leaves no process", async () => {
    const { said, exited } = await startHost("spin", JSON.stringify(options), "exit");
    expect(await exited).toEqual([7, null]);
    await allGone(said.pids);
  });
});

describe.each(PROCESS_MODES)("a program with $name", ({ options }) => {
  test("that is killed while a guest spins leaves no process", async () => {
    const { host, said, exited } = await startHost("spin", JSON.stringify(options));
    expect(said.pids.length).toBeGreaterThan(0);
    expect(said.pids.every(isRunning)).toBe(true);
    host.kill("SIGKILL");
    expect(await exited).toEqual([null, "SIGKILL"]);
    await allGone(said.pids);
  });

  test("that dies of an error of its own while a guest spins leaves no process", async () => {
    const { said, exited } = await startHost("spin", JSON.stringify(options), "throw");
    expect(await exited).toEqual([1, null]);
    await allGone(said.pids);
  });

  test("that closes its executor has no process left at that moment", async () => {
    const before = new Set(descendants());
    const executor = new ScriptExecutor(options);
    await executor.run(script("hello"));
    await executor.run(attack("spin"), { onStdout: () => void executor.close() });
    await executor.close();
    expect(descendants().filter((pid) => !before.has(pid) && isRunning(pid))).toEqual([]);
  });
});
