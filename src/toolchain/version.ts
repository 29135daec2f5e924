/** The oldest rustc that compiles edition 2024. */
export const MINIMUM_RUSTC = "1.85.0";

const numbers = (version: string): readonly number[] =>
  (/^(\d+)\.(\d+)(?:\.(\d+))?/.exec(version) ?? []).slice(1).map((part) => Number(part ?? 0));

/** Whether `version` (`1.97.1`, `1.99.0-nightly`, `1.97.1+dfsg1-1`) is at least `minimum`. False where it is no version. */
export function isAtLeast(version: string, minimum: string): boolean {
  const found = numbers(version);
  const wanted = numbers(minimum);
  if (found.length === 0) return false;
  for (const [index, part] of wanted.entries()) {
    const difference = (found[index] ?? 0) - part;
    if (difference !== 0) return difference > 0;
  }
  return true;
}
