import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ExecuteOptions, MiB, type Mount } from "../../src/index.ts";
import { MODES, openExecutor, scratchDirectory } from "../support/executors.ts";
import { descendants } from "../support/processes.ts";

const SCRATCH: Mount = { guest: "/tmp", access: "scratch" };
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

/** Says what it finds at /tmp and /in, leaves a file, and ends as its first argument says. */
const LEAVE = `
  fn main() {
      let seen: Vec<_> = std::fs::read_dir("/tmp").unwrap().map(|entry| entry.unwrap().file_name()).collect();
      println!("{seen:?}");
      std::fs::create_dir_all("/tmp/out/deep").unwrap();
      std::fs::write("/tmp/out/deep/left.csv", "left").unwrap();
      std::fs::write("/tmp/out/other.txt", "other").unwrap();
      match std::env::args().nth(1).unwrap_or_default().as_str() {
          "fail" => std::process::exit(3),
          "panic" => panic!("on purpose"),
          "trap" => std::process::abort(),
          "spin" => loop { std::hint::black_box(0); },
          "print" => loop { println!("{}", "x".repeat(1000)); },
          _ => {}
      }
  }`;

describe.each(MODES)("a run in $name", ({ options, isolation }) => {
  const executor = openExecutor(options);

  test("has no scratch space, and no file, unless they are granted", async () => {
    const source = `
      fn main() {
          println!("{} {}", std::fs::write("/tmp/f", "x").is_ok(), std::fs::read("/in/a.txt").is_ok());
      }`;
    const refused = await executor.run(source);
    expect(refused).toMatchObject({ status: "ok", stdout: "false false\n", artifacts: {}, isolation });
    expect(refused.denials.map(({ call, target, grant }) => [call, target, grant])).toEqual([
      ["path_open", "/tmp/f", "mounts"],
      ["path_open", "/in/a.txt", "mounts"],
    ]);
    const granted = await executor.run(source, {
      capabilities: { mounts: [SCRATCH] },
      files: { "/in/a.txt": "a" },
    });
    expect(granted).toMatchObject({ status: "ok", stdout: "true true\n", denials: [], isolation });
  });

  test("finds the files that were put in, and gives back those that were asked for", async () => {
    const source = `
      use std::fs::*;
      fn main() {
          let sum: u32 = read_to_string("/in/numbers/a.txt").unwrap().lines().map(|n| n.parse::<u32>().unwrap()).sum();
          write("/work/sum.txt", sum.to_string()).unwrap();
          let mut draft = read("/work/draft.bin").unwrap();
          draft.reverse();
          write("/work/draft.bin", draft).unwrap();
          rename("/work/old/name.txt", "/work/new.txt").unwrap();
          println!("{:?} {}", read_dir("/in").unwrap().count(), metadata("/in/numbers/a.txt").unwrap().len());
      }`;
    const result = await executor.run(source, {
      files: {
        "/in/numbers/a.txt": "1\n2\n39\n",
        "/in/ünï.txt": "é",
        "/work/draft.bin": Uint8Array.of(0, 255, 128),
        "/work/old/name.txt": "named",
      },
      capabilities: { mounts: [{ guest: "/work/", access: "scratch" }] },
      artifacts: ["/work/*.txt", "/work/draft.???"],
    });
    expect(result).toMatchObject({ status: "ok", stdout: "2 7\n", denials: [] });
    expect(Object.keys(result.artifacts).sort()).toEqual([
      "/work/draft.bin",
      "/work/new.txt",
      "/work/sum.txt",
    ]);
    expect(text(result.artifacts["/work/sum.txt"])).toBe("42");
    expect([...(result.artifacts["/work/draft.bin"] ?? [])]).toEqual([128, 255, 0]);
    expect(text(result.artifacts["/work/new.txt"])).toBe("named");
  });

  test("cannot change files that lie in no mount of its own, and is told what would allow it", async () => {
    const source = `
      use std::fs::*;
      fn main() {
          println!("{} {} {} {}", write("/in/a.txt", "x").is_ok(), write("/in/b.txt", "x").is_ok(),
              remove_file("/in/a.txt").is_ok(), create_dir("/in/d").is_ok());
          println!("{}", read_to_string("/in/a.txt").unwrap());
      }`;
    const result = await executor.run(source, { files: { "/in/a.txt": "as it was" } });
    expect(result).toMatchObject({ status: "ok", stdout: "false false false false\nas it was\n" });
    expect(new Set(result.denials.map(({ grant }) => grant))).toEqual(
      new Set(['mounts[].access: "scratch"']),
    );
  });

  test("leaves nothing for the next, which the same module and cell may serve", async () => {
    for (let round = 0; round < 3; round++) {
      const result = await executor.run(LEAVE, {
        capabilities: { mounts: [SCRATCH] },
        artifacts: ["/tmp/**/*.csv"],
      });
      expect(result).toMatchObject({ status: "ok", stdout: "[]\n" });
      expect(Object.keys(result.artifacts)).toEqual(["/tmp/out/deep/left.csv"]);
    }
    expect((await executor.run(LEAVE, { capabilities: { mounts: [SCRATCH] } })).artifacts).toEqual({});
  });

  const end = (how: string, more: ExecuteOptions = {}) =>
    executor.run(LEAVE, {
      capabilities: { mounts: [SCRATCH], args: ["script", how] },
      artifacts: ["/tmp/out/**"],
      ...more,
    });

  test.each([
    ["failed", "fail"],
    ["panicked", "panic"],
    ["trapped", "trap"],
    ["limit-exceeded", "print"],
  ])("that %s gives back what it left", async (status, how) => {
    const result = await end(how, { limits: { outputBytes: 10_000 } });
    expect(result.status).toBe(status);
    expect(Object.entries(result.artifacts).map(([path, bytes]) => [path, text(bytes)])).toEqual([
      ["/tmp/out/deep/left.csv", "left"],
      ["/tmp/out/other.txt", "other"],
    ]);
  });

  test("that was killed gives back nothing", async () => {
    const late = await end("spin", { limits: { wallTimeMs: 500 } });
    expect(late).toMatchObject({ status: "limit-exceeded", limit: "wallTimeMs", artifacts: {} });
    const controller = new AbortController();
    const cancelled = await end("spin", { signal: controller.signal, onStdout: () => controller.abort() });
    expect(cancelled).toMatchObject({ status: "cancelled", artifacts: {} });
  });

  test("may have all of the root as scratch, and a mount inside it hides what it holds there", async () => {
    const source = `
      fn main() {
          std::fs::write("/a.txt", "root").unwrap();
          std::fs::write("/tmp/b.txt", "inner").unwrap();
          println!("{}", std::fs::read_to_string("/c.txt").unwrap());
      }`;
    const result = await executor.run(source, {
      capabilities: { mounts: [{ guest: "/", access: "scratch" }, SCRATCH] },
      files: { "/c.txt": "put in" },
      artifacts: ["/**"],
    });
    expect(result).toMatchObject({ status: "ok", stdout: "put in\n", denials: [] });
    expect(Object.keys(result.artifacts).sort()).toEqual(["/a.txt", "/c.txt", "/tmp/b.txt"]);
  });

  test("reads and writes megabytes in memory", async () => {
    const source = `
      use std::io::*;
      fn main() {
          let input = std::fs::read("/in/large.bin").unwrap();
          let mut file = std::fs::File::create("/tmp/large.bin").unwrap();
          for piece in input.chunks(10_007) { file.write_all(piece).unwrap(); }
          println!("{}", input.len());
      }`;
    const bytes = Uint8Array.from({ length: 3 * MiB + 5 }, (_, i) => (i * 7919) >> 8);
    const result = await executor.run(source, {
      files: { "/in/large.bin": bytes },
      capabilities: { mounts: [SCRATCH] },
      artifacts: ["/tmp/large.bin"],
    });
    expect(result).toMatchObject({ status: "ok", stdout: `${bytes.length}\n` });
    expect(Buffer.from(result.artifacts["/tmp/large.bin"] ?? []).equals(bytes)).toBe(true);
  });

  test("learns no date from the times of its files that its clock would not tell", async () => {
    const source = `
      use std::time::*;
      fn main() {
          std::fs::write("/tmp/f", "x").unwrap();
          for path in ["/tmp/f", "/tmp", "/in/a.txt"] {
              let since = std::fs::metadata(path).unwrap().modified().unwrap().duration_since(UNIX_EPOCH).unwrap();
              println!("{}", since.as_secs());
          }
      }`;
    const seconds = async (clock: NonNullable<ExecuteOptions["capabilities"]>["clock"]) => {
      const result = await executor.run(source, {
        files: { "/in/a.txt": "" },
        capabilities: { mounts: [SCRATCH], ...(clock !== undefined && { clock }) },
      });
      expect(result.status).toBe("ok");
      return result.stdout.trim().split("\n").map(Number);
    };
    expect(await seconds("denied")).toEqual([0, 0, 0]);
    expect(await seconds({ frozen: "2001-09-09T01:46:40Z" })).toEqual([1e9, 1e9, 1e9]);
    for (const age of await seconds("monotonic")) expect(age).toBeLessThan(3_600);
    for (const date of await seconds("real")) expect(date).toBeGreaterThan(1_700_000_000);
  });
});

describe("a mount of the host's beside one in memory", () => {
  const executor = openExecutor();
  const directory = scratchDirectory();
  mkdirSync(join(directory, "sub"));
  writeFileSync(join(directory, "file.txt"), "disk");
  const HOST: Mount = { host: directory, guest: "/data", access: "read-write" };

  test("takes no file from it, by renaming or linking, and gives none", async () => {
    const source = `
      use std::fs::*;
      fn main() {
          write("/tmp/f", "memory").unwrap();
          let said = |result: std::io::Result<()>| result.map_err(|error| error.raw_os_error().unwrap());
          println!("{:?}", said(rename("/tmp/f", "/data/f")));
          println!("{:?}", said(rename("/data/file.txt", "/tmp/g")));
          println!("{:?}", said(hard_link("/tmp/f", "/data/f")));
          println!("{:?}", said(hard_link("/data/file.txt", "/tmp/g")));
          copy("/data/file.txt", "/tmp/copied.txt").unwrap();
      }`;
    const result = await executor.run(source, {
      capabilities: { mounts: [HOST, SCRATCH] },
      artifacts: ["/tmp/*"],
    });
    expect(result).toMatchObject({ status: "ok", stdout: "Err(75)\n".repeat(4) });
    expect(Object.keys(result.artifacts)).toEqual(["/tmp/f", "/tmp/copied.txt"]);
    expect(readdirSync(directory).sort()).toEqual(["file.txt", "sub"]);
  });

  test("gives back nothing as an artifact, whatever the pattern", async () => {
    const result = await executor.run("fn main() {}", {
      capabilities: { mounts: [HOST, { guest: "/data/tmp", access: "scratch" }] },
      files: { "/data/tmp/put.txt": "put in" },
      artifacts: ["/**"],
    });
    expect(Object.keys(result.artifacts)).toEqual(["/data/tmp/put.txt"]);
  });
});

describe("cells", () => {
  test("a scratch mount touches no disk, and any warm cell of the tenant serves it", async () => {
    const executor = openExecutor({ cells: { maxRunning: 1, maxIdle: 4, spares: 0 } });
    const before = new Set(descendants());
    const cells = (): number[] => descendants().filter((pid) => !before.has(pid));
    await executor.run("fn main() {}");
    const warm = cells();
    expect(warm.length).toBeGreaterThan(0);
    const runs: ExecuteOptions[] = [
      { capabilities: { mounts: [SCRATCH] } },
      { files: { "/in/a.txt": "a" } },
      {
        capabilities: { mounts: [{ guest: "/work", access: "scratch", bytes: 1_000 }] },
        artifacts: ["/work/*"],
      },
      {},
    ];
    for (const options of runs) {
      expect(await executor.run("fn main() {}", options)).toMatchObject({ status: "ok" });
      expect(cells()).toEqual(warm);
    }
  });

  test("a cell that served large files gives their memory back", async () => {
    const executor = openExecutor({ jail: "off", cells: { maxRunning: 1, maxIdle: 1, spares: 0 } });
    const source = `fn main() { for i in 0..10 { std::fs::write(format!("/tmp/{i}"), vec![1u8; 5 << 20]).unwrap(); } }`;
    for (let round = 0; round < 8; round++) {
      // More than what a cell may keep in all, were it not for the runs' ends.
      const result = await executor.run(source, { capabilities: { mounts: [SCRATCH] } });
      expect(result).toMatchObject({ status: "ok", denials: [] });
    }
  });

  test.each(["process", "worker"] as const)(
    "files in memory work on every platform, where host directories are refused: %s",
    async (isolation) => {
      const executor = openExecutor({ isolation, jail: "off" });
      const compiled = await executor.compile(LEAVE);
      if (!compiled.ok) throw new Error("it does not compile");
      const { platform } = process;
      Object.defineProperty(process, "platform", { value: "darwin" });
      try {
        await expect(
          executor.execute(compiled.module, { capabilities: { mounts: [{ host: ".", guest: "/data" }] } }),
        ).rejects.toMatchObject({ code: "MOUNT_REFUSED", message: expect.stringContaining("darwin") });
        const result = await executor.execute(compiled.module, {
          capabilities: { mounts: [SCRATCH] },
          files: { "/in/a.txt": "a", "/tmp/b.txt": "b" },
          artifacts: ["/tmp/**"],
        });
        expect(result).toMatchObject({ status: "ok", stdout: '["b.txt"]\n' });
        expect(Object.keys(result.artifacts)).toHaveLength(3);
      } finally {
        Object.defineProperty(process, "platform", { value: platform });
      }
    },
  );
});

test("an engine that has no files in memory refuses them, and says so", async () => {
  const executor = openExecutor({ engine: "node-wasi" });
  for (const options of [
    { files: { "/in/a.txt": "a" }, capabilities: { clock: "real" } },
    { capabilities: { clock: "real", mounts: [SCRATCH] } },
  ] satisfies ExecuteOptions[]) {
    await expect(executor.run("fn main() {}", options)).rejects.toMatchObject({
      code: "INVALID_OPTIONS",
      message: expect.stringContaining("no mounts in memory"),
    });
  }
});
