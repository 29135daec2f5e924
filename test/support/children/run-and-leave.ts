/** Runs one script and closes nothing. Prints the processes that it has then, as JSON. */
import { ScriptExecutor } from "../../../src/index.ts";
import { descendants } from "../processes.ts";
import { script } from "../scripts.ts";

const executor = new ScriptExecutor(JSON.parse(process.argv[2] ?? "{}"));
const result = await executor.run(script("hello"));
console.log(JSON.stringify({ status: result.status, pids: descendants() }));
