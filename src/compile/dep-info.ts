/** What rustc read besides the script, as its dep-info file tells. */
export type Dependencies =
  /** The script and nothing else. */
  | "script-only"
  /** Other files, variables that had a value, or what this parser does not understand. */
  | "foreign"
  /** rustc wrote none: it stopped before it had read everything. */
  | "missing";

/**
 * Reads a dep-info file: makefile rules (`out: in in`), and comments that name the variables that `env!` and `option_env!`
 * asked for. A variable without a value (`# env-dep:HOME`) tells the script nothing and is allowed.
 *
 * @param outputs the files that rustc was told to write, as it was told
 */
export function readDepInfo(
  text: string | undefined,
  script: string,
  outputs: readonly string[],
): Dependencies {
  if (text === undefined || text === "") return "missing";
  const expected = new Set(["", `${script}:`, ...outputs.map((output) => `${output}: ${script}`)]);
  const lines = text.split("\n");
  const plain = lines.every((line) => expected.has(line) || /^# env-dep:[^=]+$/.test(line));
  return plain && lines.includes(`${script}:`) ? "script-only" : "foreign";
}
