import type { Outcome, RunReport } from "../result.ts";

/** What a run was given, as far as its absence explains a failure. */
export interface Given {
  /** Arguments, with the program's name. */
  args: number;
  /** Whether the call had `input` or `stdin`. */
  stdin: boolean;
  /** The script, where it is known; what it names decides between causes that look alike. */
  source: string | undefined;
}

/** What a failed run shows. */
interface Evidence extends Given {
  outcome: Outcome;
  denials: RunReport["denials"];
  /** What the script said at its end: the panic message, or the end of stderr. */
  said: string;
  /** The script's lines around the panic; empty where none is known. */
  panicLines: string;
}

/** How much of stderr is looked at, from its end. */
const LOOKED_AT = 4_096;
/** A call chain that panics in its last line names its beginning a few lines above. */
const LINES_ABOVE = 3;

/**
 * Causes that are known, in sentences that say what to do instead. Computed from what the script printed too: a script can
 * bring a hint about, but not choose a word of it.
 */
export function hintsFor(
  outcome: Outcome,
  { stderr, denials }: Pick<RunReport, "stderr" | "denials">,
  given: Given,
): readonly string[] {
  if (outcome.status !== "failed" && outcome.status !== "panicked" && outcome.status !== "invalid-output")
    return [];
  const said = outcome.status === "panicked" ? outcome.message.slice(0, LOOKED_AT) : stderr.slice(-LOOKED_AT);
  const evidence = { ...given, outcome, denials, said, panicLines: panicLinesOf(outcome, given) };
  return RULES.flatMap((rule) => rule(evidence) ?? []);
}

function panicLinesOf(outcome: Outcome, { source }: Given): string {
  if (outcome.status !== "panicked" || source === undefined) return "";
  if (outcome.file !== "script.rs" || outcome.line === null) return "";
  return source
    .split("\n")
    .slice(Math.max(0, outcome.line - 1 - LINES_ABOVE), outcome.line)
    .join("\n");
}

const RULES: ReadonlyArray<(evidence: Evidence) => string | undefined> = [
  threads,
  unsupported,
  temporaryDirectory,
  clock,
  files,
  args,
  stdin,
  environment,
  hashOrder,
];

/** ENOTSUP as `std::io::Error` shows it, and what std says where it has nothing at all for this target. */
const NOT_SUPPORTED = /operation not supported on this platform|kind: Unsupported\b|\(os error 58\)/;
const SPAWN_FAILED = /failed to spawn thread/;
const NETWORK = /\b(?:std::net|TcpStream|TcpListener|UdpSocket|ToSocketAddrs)\b/;
const PROCESS = /\bCommand\b/;
const THREADS = /\bthread::(?:spawn|scope|Builder)\b|\bBuilder::new\(\)/;

function threads({ said, source }: Evidence): string | undefined {
  const spawned = SPAWN_FAILED.test(said) || (NOT_SUPPORTED.test(said) && THREADS.test(source ?? ""));
  if (!spawned) return undefined;
  return "there are no threads on wasm32-wasip1, so std::thread cannot start one: do the work on the main thread, in a loop or with iterators";
}

function unsupported({ said, source }: Evidence): string | undefined {
  if (!NOT_SUPPORTED.test(said) || SPAWN_FAILED.test(said)) return undefined;
  if (source !== undefined) {
    if (NETWORK.test(source)) return NO_NETWORK;
    if (PROCESS.test(source)) return NO_PROCESSES;
    if (THREADS.test(source)) return undefined;
  }
  return "wasm32-wasip1 has no network, no processes and no threads, and std fails with `Unsupported` where it needs one: work with stdin, files, arguments and variables that the run was given";
}

const NO_NETWORK =
  "there is no network on wasm32-wasip1, so std::net always fails: pass what the script needs as input or in files";
const NO_PROCESSES =
  "a script cannot start processes on wasm32-wasip1, so std::process::Command always fails: write what the other program does in Rust";

function temporaryDirectory({ outcome, said }: Evidence): string | undefined {
  if (outcome.status !== "panicked" || !/^(?:not supported by WASI yet|no filesystem on wasm)$/.test(said))
    return undefined;
  return 'std::env::temp_dir does not exist on wasm32-wasip1: grant a directory in memory, mounts: [{ guest: "/tmp", access: "scratch" }], and write to "/tmp" by its name';
}

function clock({ denials }: Evidence): string | undefined {
  const asked = denials.filter(({ call }) => call === "clock_time_get").map(({ target }) => target);
  if (asked.includes("realtime"))
    return 'std::time::SystemTime::now panics where the date is not granted: grant clock: "real" or { frozen: … }, or take the date as input';
  if (!asked.includes("monotonic")) return undefined;
  return 'std::time::Instant::now panics where no clock is granted: grant clock: "monotonic", or measure nothing (a result has durationMs)';
}

function files({ denials }: Evidence): string | undefined {
  const asked = denials.filter(({ grant }) => grant !== null);
  if (asked.some(({ grant }) => /^mounts.*read-write/.test(grant ?? "")))
    return 'the script changed files that it may only read: mount their directory with access: "read-write", or let it write to a scratch mount';
  if (!asked.some(({ grant }) => /^mounts\b/.test(grant ?? ""))) return undefined;
  return "a script sees no files but those of its mounts and `files`, by their absolute paths there: grant what it asked for, or pass the content as input";
}

const FEW_ARGUMENTS = /index out of bounds: the len is [01] but the index is \d+/;
const USAGE = /\busage\b|\bargument/i;

function args({ args, outcome, said, source, panicLines }: Evidence): string | undefined {
  if (args > 1 || outcome.status === "invalid-output") return undefined;
  const reads = source === undefined || /\bargs(?:_os)?\s*\(\)/.test(source);
  const asks =
    FEW_ARGUMENTS.test(said) || (source !== undefined && (USAGE.test(said) || /\bargs/.test(panicLines)));
  if (!reads || !asks) return undefined;
  return 'the run was given no arguments besides the program\'s name: where the script reads some, pass capabilities.args: ["script", …], or let it read stdin';
}

const EMPTY_INPUT =
  /EOF while parsing|kind: (?:Empty|UnexpectedEof)\b|cannot parse (?:integer|float) from empty string|failed to fill whole buffer|unexpected end of (?:file|input)/;

function stdin({ stdin, outcome, said, source, panicLines }: Evidence): string | undefined {
  if (stdin || outcome.status === "invalid-output") return undefined;
  const reads = source === undefined || /\bstdin\b/.test(source);
  if (!reads || !(EMPTY_INPUT.test(said) || /\bstdin\b/.test(panicLines))) return undefined;
  return "the run was given no input, so stdin was empty: pass `input` (JSON) or `stdin`, or let the script do without";
}

function environment({ said }: Evidence): string | undefined {
  if (!/\bNotPresent\b|environment variable not found/.test(said)) return undefined;
  return "the script read a variable that it was not given: pass capabilities.env, or let it use a default";
}

const ASSERTED = /assertion `left == right` failed[^\n]*\n +left: ([^\n]*)\n *right: ([^\n]*)/;

/** The same things in another order, in a script that has a hash table. */
function hashOrder({ said, source }: Evidence): string | undefined {
  if (!/\bHash(?:Map|Set)\b/.test(source ?? "")) return undefined;
  const [, left, right] = ASSERTED.exec(said) ?? [];
  if (left === undefined || right === undefined || left === right) return undefined;
  if (sortedWords(left) !== sortedWords(right)) return undefined;
  return "a HashMap or HashSet has another order in every run: sort what comes out of it, use BTreeMap or BTreeSet, or grant random: { seed: … }";
}

function sortedWords(text: string): string {
  return text
    .split(/[^\w.-]+/)
    .sort()
    .join(" ");
}
