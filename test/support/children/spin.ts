/** Runs a guest that never ends. Prints its processes as JSON once it spins; then exits, where it is told to. */
import { ScriptExecutor } from "../../../src/index.ts";
import { descendants } from "../processes.ts";
import { attack } from "../scripts.ts";

const [, , options = "{}", then] = process.argv;
const executor = new ScriptExecutor(JSON.parse(options));
await executor.run(attack("spin"), {
  limits: { wallTimeMs: 3_600_000 },
  onStdout() {
    process.stdout.write(`${JSON.stringify({ pids: descendants() })}\n`, () => {
      if (then === "exit") process.exit(7);
      if (then === "throw") setImmediate(() => Promise.reject(new Error("nobody catches this")));
    });
  },
});
