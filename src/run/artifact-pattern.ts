/**
 * Patterns of artifacts, matched component by component while a tree is walked, so that a directory in which nothing can match
 * is not even entered. Names are chosen by the guest: matching one takes at most its length times the pattern's.
 */

/** A component: characters and wildcards, or any number of directories. */
type Component = readonly string[] | "**";

/** A parsed pattern. */
export type ArtifactPattern = readonly Component[];

/** Where in a pattern a path may have got to: indexes of the components that its next name may match. */
export type PatternProgress = readonly number[];

/** Parses an absolute pattern of `*`, `?` and `**`; whether it is well-formed was checked before. */
export function parseArtifactPattern(text: string): ArtifactPattern {
  return text
    .split("/")
    .slice(1)
    .map((component) => (component === "**" ? component : [...component]));
}

/** The progress of a path, from the progress of what it lies in. */
export function advance(pattern: ArtifactPattern, progress: PatternProgress, name: string): PatternProgress {
  const characters = [...name];
  const reached = new Set<number>();
  for (const index of progress) {
    const component = pattern[index];
    if (component === undefined) continue;
    if (component === "**") reach(pattern, index, reached);
    else if (matches(component, characters)) reach(pattern, index + 1, reached);
  }
  return [...reached];
}

/** The progress of the root. */
export function startOf(pattern: ArtifactPattern): PatternProgress {
  const reached = new Set<number>();
  reach(pattern, 0, reached);
  return [...reached];
}

/** Whether the path matches the whole pattern. */
export function isMatch(pattern: ArtifactPattern, progress: PatternProgress): boolean {
  return progress.includes(pattern.length);
}

/** Whether something below the path can match. */
export function canGoOn(pattern: ArtifactPattern, progress: PatternProgress): boolean {
  return progress.some((index) => index < pattern.length);
}

/** The progress of a whole path. */
export function progressOf(pattern: ArtifactPattern, path: string): PatternProgress {
  const names = path.split("/").filter((name) => name !== "");
  return names.reduce<PatternProgress>(
    (progress, name) => advance(pattern, progress, name),
    startOf(pattern),
  );
}

/** `**` may stand for no directory at all, so what follows it is reached with it. */
function reach(pattern: ArtifactPattern, index: number, reached: Set<number>): void {
  reached.add(index);
  for (let next = index; pattern[next] === "**"; ) {
    next += 1;
    reached.add(next);
  }
}

/** Matches greedily; after a mismatch only the last `*` takes one more character, which is enough and never tries twice. */
function matches(pattern: readonly string[], name: readonly string[]): boolean {
  let at = 0;
  let star = -1;
  let starFrom = 0;
  for (let index = 0; index < name.length; ) {
    if (pattern[at] === "*") {
      star = at;
      starFrom = index;
      at += 1;
    } else if (pattern[at] === "?" || pattern[at] === name[index]) {
      at += 1;
      index += 1;
    } else if (star !== -1) {
      starFrom += 1;
      index = starFrom;
      at = star + 1;
    } else return false;
  }
  while (pattern[at] === "*") at += 1;
  return at === pattern.length;
}
