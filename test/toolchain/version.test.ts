import { expect, test } from "vitest";
import { isAtLeast } from "../../src/toolchain/version.ts";

test.each([
  ["1.85.0", true],
  ["1.85.1", true],
  ["1.100.0", true],
  ["2.0.0", true],
  ["1.99.0-nightly", true],
  ["1.97.1+dfsg1-1", true],
  ["1.84.9", false],
  ["1.9.0", false],
  ["0.99.0", false],
  ["", false],
  ["nonsense", false],
])("%s is at least 1.85.0: %s", (version, expected) => {
  expect(isAtLeast(version, "1.85.0")).toBe(expected);
});
