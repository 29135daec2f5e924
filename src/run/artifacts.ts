import { type ArtifactPattern, isMatch, parseArtifactPattern, progressOf } from "./artifact-pattern.ts";
import { MAX_ARTIFACT_PATH_BYTES, MAX_ARTIFACTS, type WireScratch } from "./protocol.ts";

/** Files that a run left in its scratch mounts, by the path that the guest gave them. */
export type Artifacts = Readonly<Record<string, Uint8Array>>;

/** Takes in the artifacts of one run. The cell is hostile: whatever was not asked for throws, and ends it. */
export interface ArtifactIntake {
  /** The next file: its path as UTF-8, and how many bytes will come. */
  begin(path: Uint8Array, bytes: number): void;
  push(chunk: Uint8Array): void;
  /** All of them; throws where one is not whole. */
  finish(): Artifacts;
}

/** No artifacts. */
export const NO_ARTIFACTS: Artifacts = Object.freeze(Object.create(null) as Record<string, Uint8Array>);

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function createArtifactIntake(scratch: WireScratch | undefined): ArtifactIntake {
  const patterns = (scratch?.artifacts ?? []).map(parseArtifactPattern);
  const mounts = (scratch?.mounts ?? []).filter(({ access }) => access === "read-write");
  // No prototype: a path is whatever the guest says.
  const files = Object.create(null) as Record<string, Uint8Array>;
  let count = 0;
  let room = scratch?.bytes ?? 0;
  let current: Uint8Array | undefined;
  let filled = 0;
  const requireWhole = (): void => {
    if (current !== undefined && filled < current.length) throw new Error("an artifact is not whole");
  };
  return {
    begin(pathBytes, bytes) {
      requireWhole();
      if (pathBytes.length > MAX_ARTIFACT_PATH_BYTES) throw new Error("an artifact's path is too long");
      const path = decoder.decode(pathBytes);
      if (!isAskedFor(path, patterns, mounts)) throw new Error("an artifact that was not asked for");
      if (path in files) throw new Error("an artifact twice");
      if (count === MAX_ARTIFACTS || bytes > room) throw new Error("more artifacts than there may be");
      count += 1;
      room -= bytes;
      current = new Uint8Array(bytes);
      filled = 0;
      files[path] = current;
    },
    push(chunk) {
      if (current === undefined || chunk.length === 0 || filled + chunk.length > current.length) {
        throw new Error("bytes of no artifact");
      }
      current.set(chunk, filled);
      filled += chunk.length;
    },
    finish() {
      requireWhole();
      return count === 0 ? NO_ARTIFACTS : files;
    },
  };
}

/** Whether it is a plain path inside a scratch mount that matches a pattern. */
function isAskedFor(
  path: string,
  patterns: readonly ArtifactPattern[],
  mounts: WireScratch["mounts"],
): boolean {
  if (!isPlainPath(path)) return false;
  const inside = mounts.some(({ guest }) => path.startsWith(guest === "/" ? "/" : `${guest}/`));
  return inside && patterns.some((pattern) => isMatch(pattern, progressOf(pattern, path)));
}

/** Whether a path is absolute and every part of it is a name. */
export function isPlainPath(path: string): boolean {
  const [root, ...names] = path.split("/");
  return (
    root === "" &&
    names.length > 0 &&
    !path.includes("\0") &&
    names.every((name) => !["", ".", ".."].includes(name))
  );
}
