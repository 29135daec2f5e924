import { describe, expect, it } from "vitest";
import { compileLimitsSchema, DEFAULT_COMPILE_LIMITS } from "../../src/compile/compile-limits.ts";

describe("compile limits", () => {
  it("have defaults that are themselves allowed", () => {
    expect(compileLimitsSchema.parse(DEFAULT_COMPILE_LIMITS)).toEqual(DEFAULT_COMPILE_LIMITS);
    expect(DEFAULT_COMPILE_LIMITS).toEqual({
      wallTimeMs: 60_000,
      memoryBytes: 3 * 1024 ** 3,
      outputBytes: 16 * 1024 ** 2,
      sourceBytes: 1024 ** 2,
      diagnosticsBytes: 256 * 1024,
    });
  });

  it("may be given in part", () => {
    expect(compileLimitsSchema.parse({ wallTimeMs: 1 })).toEqual({ wallTimeMs: 1 });
  });

  it("that are misspelt are errors, never no limit", () => {
    expect(() => compileLimitsSchema.parse({ wallTimeMS: 1 })).toThrow(/wallTimeMS/);
  });

  it.each([
    ["wallTimeMs", 0],
    ["wallTimeMs", Number.POSITIVE_INFINITY],
    ["wallTimeMs", 1.5],
    ["memoryBytes", 1024 ** 3 - 1],
    ["outputBytes", 0],
    ["sourceBytes", -1],
    ["diagnosticsBytes", 4 * 1024 - 1],
    ["outputBytes", Number.NaN],
    ["sourceBytes", "1"],
  ])("%s cannot be %s", (name, value) => {
    expect(() => compileLimitsSchema.parse({ [name]: value })).toThrow();
  });
});
