import { readdirSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { openPreopens } from "../../src/guest/preview1/create.ts";
import { openExecutor, scratchDirectory } from "../support/executors.ts";
import { descendants } from "../support/processes.ts";
import { assemble } from "../wasm/assemble.ts";

const SILENT = assemble('(module (memory (export "memory") 1) (func (export "_start")))');

afterEach(() => void vi.restoreAllMocks());

describe.each(["darwin", "win32", "freebsd"] as const)("on %s", (platform) => {
  /** Says that this is another system, for as long as the test lasts. */
  const pretend = (): void => void vi.spyOn(process, "platform", "get").mockReturnValue(platform);

  test("a jail that is required is an error that names the system and the remedy, and nothing is started", async () => {
    const executor = openExecutor({ jail: "required", cacheDir: scratchDirectory() });
    const before = descendants();
    pretend();
    const failure = { code: "JAIL_UNAVAILABLE", message: expect.stringMatching(`${platform}.*Linux`) };
    await expect(executor.execute(SILENT)).rejects.toMatchObject(failure);
    expect(descendants()).toEqual(before);
  });

  test.each(["process", "worker"] as const)(
    "a host directory for a %s cell is refused with the remedy, even where no jail is asked for",
    async (isolation) => {
      const executor = openExecutor({ isolation, jail: "off" });
      const mounts = [{ host: scratchDirectory(), guest: "/data" }];
      const before = descendants();
      pretend();
      await expect(executor.execute(SILENT, { capabilities: { mounts } })).rejects.toMatchObject({
        code: "MOUNT_REFUSED",
        message: expect.stringMatching(`${platform}.*scratch`),
      });
      expect(descendants()).toEqual(before);
    },
  );

  test("a cell that is given a host directory all the same opens nothing", () => {
    const preopen = {
      source: scratchDirectory(),
      guest: "/data",
      access: "read",
      maxBytes: undefined,
    } as const;
    const open = readdirSync("/proc/self/fd").length;
    pretend();
    expect(() => openPreopens([preopen])).toThrow(platform);
    expect(readdirSync("/proc/self/fd").length).toBe(open);
    openPreopens([]).close();
  });
});
