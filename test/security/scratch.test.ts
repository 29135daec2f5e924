import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { KiB, type Limits, MiB, type Mount, type RunResult } from "../../src/index.ts";
import { MODES, openExecutor } from "../support/executors.ts";

const SCRATCH: Mount = { guest: "/tmp", access: "scratch" };

function attack(name: string): string {
  return readFileSync(new URL(`../../fixtures/attacks/scratch/${name}.rs`, import.meta.url), "utf8");
}

describe.each(MODES)("a guest in $name", ({ options, isolation }) => {
  const executor = openExecutor(options);
  const run = (
    name: string,
    arg = "",
    { artifacts = [], ...limits }: Partial<Limits> & { artifacts?: string[] } = {},
  ): Promise<RunResult> =>
    executor.run(attack(name), {
      capabilities: { mounts: [SCRATCH], args: ["script", arg] },
      limits,
      artifacts,
    });

  test.each(["files", "directories"])(
    "that makes empty %s without end is stopped by the bytes that each is charged",
    async (what) => {
      const result = await run("empty-files", what, { scratchBytes: 8 * MiB });
      expect(result).toMatchObject({ status: "ok", isolation });
      expect(result.stdout).toMatch(/^\d+ StorageFull\n$/);
      expect(Number.parseInt(result.stdout, 10)).toBeGreaterThan(10_000);
      expect(Number.parseInt(result.stdout, 10)).toBeLessThan((8 * MiB) / 640);
      expect(result.denials).toEqual([
        {
          call: what === "files" ? "path_open" : "path_create_directory",
          target: "/tmp",
          reason: "the files that the run holds in memory take up as many bytes as they may",
          grant: "limits.scratchBytes",
          count: 1,
        },
      ]);
    },
  );

  test("that may have a gibibyte makes no more files than a cell can keep track of", async () => {
    const result = await run("empty-files", "files", { scratchBytes: 1024 * MiB });
    expect(result).toMatchObject({ status: "ok", stdout: "250000 StorageFull\n" });
    expect(result.denials).toEqual([
      expect.objectContaining({ reason: expect.stringContaining("as many as there may be"), grant: null }),
    ]);
  });

  test("that makes a tree of a hundred thousand levels ends as any other, and so does the search for artifacts", async () => {
    const result = await run("deep-tree", "100000", {
      scratchBytes: 256 * MiB,
      artifacts: ["/tmp/**/f.txt", "/tmp/**/**/*"],
    });
    expect(result).toMatchObject({
      status: "ok",
      stdout: "Err(Some(28))\ntrue\nErr(Some(55))\n",
    });
    // Those with a path of up to 4,096 bytes.
    const paths = Object.keys(result.artifacts);
    expect(paths).toContain("/tmp/e/d/d/f.txt");
    expect(Math.max(...paths.map((path) => path.length))).toBeLessThanOrEqual(4_096);
    expect(paths.length).toBeGreaterThan(2_000);
  });

  test("that asks for files of an exbibyte gets their holes for nothing, and pays for what it writes", async () => {
    const result = await run("sparse", "", { scratchBytes: 4 * MiB });
    expect(result).toMatchObject({
      status: "ok",
      stdout: "4 [0, 0, 0, 0]\nfalse\nErr(FileTooLarge)\nStorageFull\ntrue\n",
    });
    expect(Number(result.stderr)).toBeLessThan((4 * MiB) / 512);
    expect(result.peakMemoryBytes).toBeLessThan(8 * MiB);
  });

  test("that gives its files long and odd names finds them as it named them, and so does the caller", async () => {
    const result = await run("names", "", { artifacts: ["/tmp/*"] });
    expect(result.stdout).toBe(
      "255 Ok(())\n256 Err(Some(37))\n4095 Err(Some(37))\n65536 Err(Some(37))\nErr(Some(37))\n",
    );
    const names = [
      "__proto__",
      "constructor",
      "hasOwnProperty",
      "toString",
      "\ufeffbom",
      "\u202egpj.exe",
      "a\nb",
      "*",
      "?",
    ];
    expect(Object.keys(result.artifacts).sort()).toEqual(
      [...names, "n".repeat(255)].map((name) => `/tmp/${name}`).sort(),
    );
    for (const name of names) {
      expect(Buffer.from(result.artifacts[`/tmp/${name}`] ?? []).toString()).toBe(name);
    }
    expect("toString" in result.artifacts).toBe(false);
    expect(Object.getPrototypeOf(result.artifacts)).toBeNull();
  });

  test("that moves a directory into itself, or makes links in circles, is refused as on a disk", async () => {
    const result = await run("into-itself");
    expect(result).toMatchObject({
      status: "ok",
      stdout: [
        "a a/x 28",
        "a a/b 28",
        "a a/b/c 28",
        "a a/b/c/d 28",
        "a/b/c a 55",
        "a/b a 55",
        "true true",
        "true",
        "true",
        "true",
        "2",
        "",
      ].join("\n"),
    });
  });

  test("that lists, renames and removes thousands of files over and over comes to an end", async () => {
    const result = await run("churn", "5000");
    expect(result).toMatchObject({ status: "ok", stdout: "5000\n0\n" });
  });

  test("that leaves more files than may come back is told of, and the caller gets as many as may", async () => {
    const result = await run("leave-files", "12000", { artifacts: ["/tmp/out/*.csv"] });
    expect(result).toMatchObject({ status: "ok", stdout: "" });
    expect(Object.keys(result.artifacts)).toHaveLength(10_000);
    expect(result.denials).toContainEqual({
      call: "artifacts",
      target: "/tmp",
      reason: "a run gives back at most 10000 artifacts",
      grant: null,
      // The hole is one more.
      count: 2_001,
    });
  });

  test("that leaves links, directories and holes gives none of them away as an artifact", async () => {
    const result = await run("leave-files", "2", { artifacts: ["/tmp/out/**", "/tmp/out/up/*"] });
    expect(Object.keys(result.artifacts)).toEqual(["/tmp/out/0.csv", "/tmp/out/1.csv"]);
    expect(result.denials).toEqual([
      expect.objectContaining({
        call: "artifacts",
        target: "/tmp/out/hole.csv",
        grant: "limits.scratchBytes",
        count: 1,
      }),
    ]);
  });
});

describe("scratchBytes", () => {
  const executor = openExecutor();
  /** Writes as many bytes as it is told, and says what came of it. */
  const WRITE = `
    use std::io::Write;
    fn main() {
        let total: usize = std::env::args().nth(1).unwrap().parse().unwrap();
        let mut file = std::fs::File::create("/tmp/f").unwrap();
        println!("{:?}", file.write_all(&vec![1; total]).map_err(|error| error.kind()));
        println!("{}", file.metadata().unwrap().len());
    }`;
  /** What the file itself is charged. */
  const ENTRY = 512 + 128 + 1;
  const LIMIT = 256 * KiB;
  const write = (bytes: number, limits: Partial<Limits>, mount: Mount = SCRATCH) =>
    executor.run(WRITE, { capabilities: { mounts: [mount], args: ["script", `${bytes}`] }, limits });

  test.each([
    ["under", LIMIT - ENTRY - 1],
    ["at", LIMIT - ENTRY],
  ])("lets a guest write %s it", async (_, bytes) => {
    const result = await write(bytes, { scratchBytes: LIMIT });
    expect(result).toMatchObject({ status: "ok", stdout: `Ok(())\n${bytes}\n`, denials: [] });
  });

  test("lets a guest write no byte over it, and tells", async () => {
    const result = await write(LIMIT - ENTRY + 1, { scratchBytes: LIMIT });
    expect(result.stdout).toBe(`Err(StorageFull)\n${LIMIT - ENTRY}\n`);
    expect(result.denials).toEqual([
      expect.objectContaining({ call: "fd_write", target: "/tmp", grant: "limits.scratchBytes" }),
    ]);
  });

  test.each([
    ["under", LIMIT - ENTRY - 1, "Ok(())"],
    ["at", LIMIT - ENTRY, "Ok(())"],
    ["over", LIMIT - ENTRY + 1, "Err(StorageFull)"],
  ])("a mount's own bytes hold in the same way: %s them", async (where, bytes, said) => {
    const result = await write(bytes, {}, { ...SCRATCH, bytes: LIMIT });
    expect(result.stdout).toBe(`${said}\n${Math.min(bytes, LIMIT - ENTRY)}\n`);
    expect(result.denials).toEqual(
      where === "over" ? [expect.objectContaining({ target: "/tmp", grant: "mounts[].bytes" })] : [],
    );
  });

  test("has nothing to do with diskBytes", async () => {
    expect(await write(LIMIT, { diskBytes: 0 })).toMatchObject({ status: "ok", denials: [] });
  });

  test("is what a guest holds, not what it has written: removed files make room", async () => {
    const source = `
      fn main() {
          for i in 0..100 {
              std::fs::write("/tmp/f", vec![i; 200_000]).unwrap();
              std::fs::remove_file("/tmp/f").unwrap();
          }
      }`;
    const result = await executor.run(source, {
      capabilities: { mounts: [SCRATCH] },
      limits: { scratchBytes: LIMIT },
    });
    expect(result).toMatchObject({ status: "ok", denials: [] });
  });

  test("is bounded by the operator's ceiling", async () => {
    const strict = openExecutor({ ceilings: { scratchBytes: 1_000 } });
    await expect(
      strict.run(WRITE, { capabilities: { mounts: [SCRATCH] }, limits: { scratchBytes: 1_001 } }),
    ).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
    const result = await strict.run(WRITE, {
      capabilities: { mounts: [SCRATCH], args: ["script", "1000"] },
    });
    expect(result.stdout).toBe(`Err(StorageFull)\n${1_000 - ENTRY}\n`);
  });
});
