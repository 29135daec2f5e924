/**
 * Looks for modules that instrumenting gets wrong: `node bench/fuzz.ts [seconds] [seed]`, 600 seconds and seed 1 unless said
 * otherwise; `--only <kind>` runs the one case of that seed, `--modules <directory>` adds modules that other generators made.
 * Some of the cases hold the fuel to Wasmtime's, which needs what the tests against it need.
 * Prints how many cases of each kind came to which end, and exits with 1 where one was wrong.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { compileRust } from "../test/instrument/rust.ts";

const PROGRAMS = ["btree-maps", "closures", "dyn-calls", "formatting"];
const FLAGS = ["-C", "opt-level=s", "-C", "lto", "-C", "strip=symbols"];
/** No case takes nearly so long. */
const SILENCE_MS = 120_000;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string" }, modules: { type: "string" } },
});
const [seconds, seed] = [Number(positionals[0] ?? 600), Number(positionals[1] ?? 1)];
if (!(seconds > 0) || !Number.isInteger(seed)) {
  console.error("how many seconds, and which seed? Two numbers");
  process.exit(2);
}

const compiled = mkdtempSync(join(tmpdir(), "scriptcell-fuzz-"));
try {
  for (const program of PROGRAMS) {
    const source = readFileSync(new URL(`../fixtures/fuel/${program}.rs`, import.meta.url), "utf8");
    writeFileSync(join(compiled, `${program}.wasm`), await compileRust(source, FLAGS));
  }
  process.exitCode = (await fuzz()) ? 0 : 1;
} finally {
  rmSync(compiled, { recursive: true, force: true });
}

async function fuzz(): Promise<boolean> {
  const deadline = Date.now() + 1_000 * seconds;
  const counts: Record<string, Record<string, number>> = {};
  let wrong = 0;
  let next = seed;
  while (Date.now() < deadline) {
    const { seed: last, findings } = await runChild(next, deadline, counts);
    for (const finding of findings) console.log(finding);
    wrong += findings.length;
    next = last + 1;
    if (values.only !== undefined) break;
  }
  console.table(counts);
  console.log(`seeds ${seed} to ${next - 1}, ${wrong} wrong`);
  return wrong === 0;
}

/** Cases from a seed on, in a process that may crash. */
async function runChild(
  from: number,
  deadline: number,
  counts: Record<string, Record<string, number>>,
): Promise<{ seed: number; findings: string[] }> {
  const child = new URL("../test/instrument/fuzz/children/cases.ts", import.meta.url).pathname;
  const args = [child, "--seed", String(from), "--compiled", compiled];
  if (values.only !== undefined) args.push("--only", values.only);
  if (values.modules !== undefined) args.push("--others", values.modules);
  const controller = new AbortController();
  const process = execa("node", args, { cancelSignal: controller.signal, buffer: false, reject: false });
  const findings: string[] = [];
  let current = "";
  const stop = (): void => controller.abort();
  let silence = setTimeout(stop, SILENCE_MS);
  const end = setTimeout(stop, Math.max(0, deadline - Date.now()));
  for await (const line of process) {
    clearTimeout(silence);
    silence = setTimeout(stop, SILENCE_MS);
    if (line.startsWith("! ")) findings.push(`${current}: ${line.slice(2)}`);
    else if (!line.startsWith("= ")) current = line;
    if (!/^[=!]/.test(line)) continue;
    const [kind = ""] = current.split(" ");
    const how = line.startsWith("!") ? "wrong" : line.slice(2);
    counts[kind] = { ...counts[kind], [how]: (counts[kind]?.[how] ?? 0) + 1 };
  }
  clearTimeout(silence);
  clearTimeout(end);
  const { exitCode, signal } = await process;
  const inTime = Date.now() >= deadline;
  if (!inTime && exitCode !== 0)
    findings.push(`${current}: the process ended with ${exitCode ?? signal ?? "silence"}`);
  return { seed: Number(current.split(" ")[1] ?? from), findings };
}
