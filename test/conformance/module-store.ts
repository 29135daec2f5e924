import { describe, expect, test } from "vitest";
import type { ModuleStore } from "../../src/store/store.ts";
import { sampleKey, sampleModule } from "../store/samples.ts";

/** What every {@link ModuleStore} promises. `open` gives a new, empty one with room for a few megabytes. */
export function describeModuleStore(name: string, open: () => Promise<ModuleStore>): void {
  describe(`${name} as a module store`, () => {
    test("holds nothing at first", async () => {
      expect(await (await open()).get(sampleKey(1))).toBeUndefined();
    });

    test("gives back the bytes and every field of the diagnostics", async () => {
      const store = await open();
      await store.set(sampleKey(1), sampleModule(1));
      expect(await store.get(sampleKey(1))).toStrictEqual(sampleModule(1));
    });

    test("gives back bytes that share their memory with nothing else", async () => {
      const store = await open();
      const pool = Buffer.alloc(1_000_000, 7);
      await store.set(sampleKey(1), { bytes: pool.subarray(10, 110), diagnostics: [] });
      const bytes = (await store.get(sampleKey(1)))?.bytes;
      expect(bytes).toStrictEqual(new Uint8Array(100).fill(7));
      expect(bytes?.buffer.byteLength).toBe(100);
    });

    test("keeps an empty module without diagnostics", async () => {
      const store = await open();
      await store.set(sampleKey(1), { bytes: new Uint8Array(), diagnostics: [] });
      expect(await store.get(sampleKey(1))).toStrictEqual({ bytes: new Uint8Array(), diagnostics: [] });
    });

    test("tells keys apart that differ in one digit", async () => {
      const store = await open();
      const [a, b] = [`${"0".repeat(63)}1`, `${"0".repeat(63)}2`];
      await store.set(a, sampleModule(1));
      await store.set(b, sampleModule(2));
      expect(await store.get(a)).toStrictEqual(sampleModule(1));
      expect(await store.get(b)).toStrictEqual(sampleModule(2));
      expect(await store.get("0".repeat(64))).toBeUndefined();
    });

    test("replaces a module that is set again", async () => {
      const store = await open();
      await store.set(sampleKey(1), sampleModule(1));
      await store.set(sampleKey(1), sampleModule(2));
      expect(await store.get(sampleKey(1))).toStrictEqual(sampleModule(2));
    });

    test("serves many callers at once", async () => {
      const store = await open();
      const numbers = Array.from({ length: 100 }, (_, n) => n % 20);
      await Promise.all(
        numbers.map(async (n) => {
          await store.set(sampleKey(n), sampleModule(n, 10_000));
          expect(await store.get(sampleKey(n))).toStrictEqual(sampleModule(n, 10_000));
        }),
      );
    });

    test.each([
      ["nothing", ""],
      ["a path", "../../../../etc/passwd"],
      ["a path as long as a key", `../${"a".repeat(61)}`],
      ["capital digits", "A".repeat(64)],
      ["a digit too few", "a".repeat(63)],
      ["a digit too many", "a".repeat(65)],
      ["a line break behind it", `${"a".repeat(64)}\n`],
    ])("takes no key that is %s", async (_, key) => {
      const store = await open();
      await expect(store.set(key, sampleModule(1))).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
      expect(await store.get(key)).toBeUndefined();
    });
  });
}
