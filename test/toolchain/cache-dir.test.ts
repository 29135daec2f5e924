import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { defaultCacheDir } from "../../src/toolchain/cache-dir.ts";

afterEach(() => vi.unstubAllEnvs());

test("the cache lies below XDG_CACHE_HOME", () => {
  vi.stubEnv("XDG_CACHE_HOME", "/var/tmp/cache");
  expect(defaultCacheDir()).toBe("/var/tmp/cache/scriptcell");
});

test.each([undefined, "", "relative/cache"])(
  "an XDG_CACHE_HOME that is not absolute (%s) is ignored",
  (value) => {
    vi.stubEnv("XDG_CACHE_HOME", value);
    expect(defaultCacheDir()).toBe(join(homedir(), ".cache", "scriptcell"));
  },
);
