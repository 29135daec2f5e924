/** What a program of the suite printed: by the title of each check, what preview 1 answers and what the host answered. */
export interface Checks {
  expected: Record<string, string>;
  answered: Record<string, string>;
}

/**
 * Reads the lines of a program's checks, each titled by its part and itself.
 * A line that is none, or a title that came before, is an error.
 */
export function readChecks(stdout: string): Checks {
  const checks: Checks = { expected: {}, answered: {} };
  let part = "";
  for (const line of stdout.split("\n").slice(0, -1)) {
    if (line.startsWith("# ")) {
      part = `${line.slice(2)}: `;
      continue;
    }
    const [own, right, answer, ...rest] = line.split("\t");
    if (own === undefined || right === undefined || answer === undefined || rest.length > 0) {
      throw new Error(`not the line of a check: ${line}`);
    }
    const title = part + own;
    if (Object.hasOwn(checks.expected, title)) throw new Error(`two checks have one title: ${title}`);
    checks.expected[title] = right;
    checks.answered[title] = answer;
  }
  return checks;
}
