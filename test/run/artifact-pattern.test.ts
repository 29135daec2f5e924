import { describe, expect, test } from "vitest";
import { canGoOn, isMatch, parseArtifactPattern, progressOf } from "../../src/run/artifact-pattern.ts";

function matches(pattern: string, path: string): boolean {
  const parsed = parseArtifactPattern(pattern);
  return isMatch(parsed, progressOf(parsed, path));
}

describe("a pattern", () => {
  test.each([
    ["/tmp/a.csv", "/tmp/a.csv"],
    ["/tmp/*", "/tmp/a.csv"],
    ["/tmp/*", "/tmp/.hidden"],
    ["/tmp/*.csv", "/tmp/.csv"],
    ["/tmp/a*b*c", "/tmp/a-b-b-c"],
    ["/tmp/?", "/tmp/é"],
    ["/tmp/?", "/tmp/😀"],
    ["/tmp/??*", "/tmp/ab"],
    ["/tmp/**", "/tmp/a"],
    ["/tmp/**", "/tmp/a/b/c"],
    ["/tmp/**/*.csv", "/tmp/a.csv"],
    ["/tmp/**/*.csv", "/tmp/x/y/a.csv"],
    ["/**/out/**/a", "/tmp/out/out/b/a"],
    ["/**/**/**/a", "/a"],
    ["/*/*/a", "/tmp/x/a"],
    ["/tmp/[a]{b,c}", "/tmp/[a]{b,c}"],
    ["/tmp/__proto__", "/tmp/__proto__"],
  ])("%s matches %s", (pattern, path) => expect(matches(pattern, path)).toBe(true));

  test.each([
    ["/tmp/*", "/tmp/a/b"],
    ["/tmp/*", "/tmp"],
    ["/tmp/*.csv", "/tmp/a.csvx"],
    ["/tmp/*.csv", "/tmp/a.CSV"],
    ["/tmp/a?c", "/tmp/ac"],
    ["/tmp/?", "/tmp/ab"],
    ["/tmp/a*b", "/tmp/acbx"],
    ["/tmp/**/a", "/tmp/b"],
    ["/tmp/a**", "/tmp/a/b"],
    ["/tmp/[a]", "/tmp/a"],
    ["/tmp/.*", "/tmp/a"],
    ["/tmp/{a,b}", "/tmp/a"],
  ])("%s does not match %s", (pattern, path) => expect(matches(pattern, path)).toBe(false));

  test("knows of a directory whether anything below it can match", () => {
    const below = (pattern: string, path: string): boolean => {
      const parsed = parseArtifactPattern(pattern);
      return canGoOn(parsed, progressOf(parsed, path));
    };
    expect(below("/tmp/out/*", "/tmp")).toBe(true);
    expect(below("/tmp/out/*", "/tmp/out")).toBe(true);
    expect(below("/tmp/out/*", "/tmp/out/deep")).toBe(false);
    expect(below("/tmp/out/*", "/tmp/other")).toBe(false);
    expect(below("/tmp/**/x", "/tmp/any/where")).toBe(true);
    expect(below("/tmp", "/tmp")).toBe(false);
    expect(below("/tmp/**", "/")).toBe(true);
  });

  test("made to backtrack takes steps in proportion to both lengths, and so comes to an end", () => {
    // A matcher that tries every way to divide the name would take longer than the universe has been there.
    const stars = "*a".repeat(120);
    expect(matches(`/tmp/${stars}b`, `/tmp/${"a".repeat(255)}`)).toBe(false);
    expect(matches(`/tmp/${stars}`, `/tmp/${"a".repeat(255)}`)).toBe(true);
    const deep = `/${"a/".repeat(2_000)}b`;
    expect(matches(`/${"**/a/".repeat(200)}c`, deep)).toBe(false);
  });
});
