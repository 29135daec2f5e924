import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ExecutorOptions, MiB, ScriptExecutor } from "../../src/index.ts";
import { allGone, descendants, isRunning } from "../support/processes.ts";

const execFileAsync = promisify(execFile);
const root = new URL("../../", import.meta.url);
const attack = (name: string): string =>
  readFileSync(new URL(`fixtures/attacks/run/${name}.rs`, root), "utf8");
const script = (name: string): string => readFileSync(new URL(`fixtures/scripts/${name}.rs`, root), "utf8");

let executor: ScriptExecutor;
let scratch: string;

beforeAll(() => {
  executor = new ScriptExecutor();
  scratch = mkdtempSync(join(tmpdir(), "scriptcell-promises-"));
  writeFileSync(join(scratch, "file.txt"), "kept");
});

afterAll(async () => {
  await executor.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** Runs with an executor of its own, which is closed afterwards. */
async function withExecutor<T>(
  options: ExecutorOptions,
  use: (own: ScriptExecutor) => Promise<T>,
): Promise<T> {
  await using own = new ScriptExecutor(options);
  return await use(own);
}

const CURIOUS = `
  fn main() {
      let seen = [
          std::fs::read("/etc/hostname").is_ok(),
          std::env::vars().count() > 0,
          std::env::args().count() > 1,
      ];
      println!("{seen:?}");
      let clock = std::panic::catch_unwind(std::time::SystemTime::now).is_ok();
      println!("{clock}");
  }`;

test("a script gets no file, no variable, no clock and no argument unless it is granted", async () => {
  const nothing = await executor.run(CURIOUS);
  expect(nothing.stdout).toBe("[false, false, false]\n");
  expect(nothing.status).toBe("panicked");
  const granted = await executor.run(CURIOUS, {
    capabilities: {
      mounts: [{ host: scratch, guest: "/etc" }],
      env: { LANG: "C" },
      args: ["script", "x"],
      clock: "real",
    },
  });
  expect(granted.stdout).toBe("[false, true, true]\ntrue\n");
  writeFileSync(join(scratch, "hostname"), "cell");
  const withFile = await executor.run(CURIOUS, {
    capabilities: { mounts: [{ host: scratch, guest: "/etc" }] },
  });
  expect(withFile.stdout).toBe("[true, false, false]\n");
});

test("every refusal is in the result, with the grant that would allow it", async () => {
  const result = await executor.run(CURIOUS);
  expect(result.denials).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        call: "path_open",
        target: "/etc/hostname",
        grant: expect.stringContaining("mounts"),
      }),
      expect.objectContaining({ call: "clock_time_get", grant: 'clock: "real"' }),
    ]),
  );
});

test.each(["process", "worker"] as const)(
  "a script that spins, sleeps or fills memory for ever is killed at its deadline: %s",
  async (isolation) => {
    await withExecutor({ isolation, profile: "fast-run" }, async (own) => {
      for (const name of ["spin", "sleep-an-hour", "fill-forever"]) {
        const result = await own.run(attack(name), {
          limits: { wallTimeMs: 400, fuel: Number.MAX_SAFE_INTEGER, memoryBytes: 128 * MiB },
        });
        expect(result).toMatchObject({ status: "limit-exceeded", limit: "wallTimeMs", stdout: "before\n" });
      }
      // The cells that were ended are really gone: closing waits for them.
      await own.close();
    });
  },
);

test("the same script with the same input uses the same fuel", async () => {
  const used = async (own: ScriptExecutor, text: string) => {
    const result = await own.run(script("word-count"), {
      files: { "/in/text.txt": text },
      capabilities: { args: ["script", "/in/text.txt"], random: { seed: 1 } },
    });
    expect(result.status).toBe("ok");
    return result.fuelUsed;
  };
  const text = "the quick brown fox jumps over the lazy dog";
  const first = await used(executor, text);
  expect(first).toBeGreaterThan(10_000);
  expect(await used(executor, text)).toBe(first);
  await withExecutor({ isolation: "worker" }, async (own) => expect(await used(own, text)).toBe(first));
  expect(await used(executor, `${text} again`)).not.toBe(first);
});

test("a script that needs more fuel than it was given ends, and one that needs exactly as much does not", async () => {
  const { fuelUsed } = await executor.run(script("hello"));
  if (fuelUsed === null) throw new Error("the run did not say what it used");
  expect(await executor.run(script("hello"), { limits: { fuel: fuelUsed } })).toMatchObject({
    status: "ok",
    fuelUsed,
  });
  expect(await executor.run(script("hello"), { limits: { fuel: fuelUsed - 1 } })).toMatchObject({
    status: "limit-exceeded",
    limit: "fuel",
    fuelUsed: fuelUsed - 1,
  });
});

test("what a script wrote before it was killed is in the result", async () => {
  const result = await executor.run(attack("spin"), { limits: { wallTimeMs: 400 } });
  expect(result).toMatchObject({ status: "limit-exceeded", stdout: "before\n" });
});

test("memory beyond the limit is never granted", async () => {
  const result = await executor.run(attack("allocate-forever"), { limits: { memoryBytes: 8 * MiB } });
  expect(result).toMatchObject({ status: "limit-exceeded", limit: "memoryBytes" });
  expect(result.peakMemoryBytes).toBeLessThanOrEqual(8 * MiB);
});

test("output beyond the limit ends the run", async () => {
  const result = await executor.run(attack("print-forever"), { limits: { outputBytes: 1000 } });
  expect(result).toMatchObject({
    status: "limit-exceeded",
    limit: "outputBytes",
    truncated: { stdout: true },
  });
  expect(result.stdoutBytes).toHaveLength(1000);
});

test.each(["auto", "off"] as const)("a read mount cannot be changed: jail %s", async (jail) => {
  const result = await withExecutor({ jail }, (own) =>
    own.run(attack("write-read-only"), { capabilities: { mounts: [{ host: scratch, guest: "/data" }] } }),
  );
  expect(result).toMatchObject({ status: "ok", stdout: "[]\n" });
  expect(readFileSync(join(scratch, "file.txt"), "utf8")).toBe("kept");
  expect(result.denials.length).toBeGreaterThan(0);
});

test.each(["auto", "off"] as const)("no path leads out of a mount: jail %s", async (jail) => {
  const result = await withExecutor({ jail }, (own) =>
    own.run(attack("read-passwd"), { capabilities: { mounts: [{ host: scratch, guest: "/data" }] } }),
  );
  expect(result).toMatchObject({ status: "ok", stdout: "done\n" });
});

test("a script that does not compile is a value with diagnostics", async () => {
  const result = await executor.run('fn main() { let x: u32 = "text"; }');
  expect(result).toMatchObject({
    status: "rejected",
    diagnostics: [expect.objectContaining({ code: "E0308" })],
  });
});

test("a script is changed only where that was asked for and rustc is sure, and the result says how", async () => {
  const wrong = 'fn main() {\n    let x = 1;\n    x += 1;\n    print!("{x}");\n}\n';
  expect(await executor.run(wrong)).toMatchObject({ status: "rejected", fix: null });
  expect(await executor.run(wrong, { fix: true })).toMatchObject({
    status: "ok",
    stdout: "2",
    fix: {
      source: wrong.replace("let x", "let mut x"),
      diff: expect.stringContaining("\n-    let x = 1;\n+    let mut x = 1;\n"),
      applied: [{ code: "E0384", line: 2 }],
    },
  });
  const unsure = 'fn main() { let text: String = "text"; print!("{text}"); }';
  expect(await executor.run(unsure, { fix: true })).toMatchObject({ status: "rejected", fix: null });
  const compiles = 'fn main() { let mut x = 1; print!("{x}"); }';
  expect(await executor.run(compiles, { fix: true })).toMatchObject({ status: "ok", fix: null });
});

test.each(["auto", "off"] as const)(
  "the compiler shows a script nothing of the host: jail %s",
  async (jail) => {
    writeFileSync(join(scratch, "secret.txt"), "a-secret-of-the-host");
    const path = JSON.stringify(join(scratch, "secret.txt"));
    for (const source of [
      `fn main() { print!("{}", include_str!(${path})); }`,
      `fn main() { include!(${path}); }`,
      `fn main() { print!("{}", env!("PATH")); }`,
    ]) {
      const result = await withExecutor({ jail }, (own) => own.run(source));
      expect(result.status).toBe("rejected");
      expect(JSON.stringify(result)).not.toContain("a-secret-of-the-host");
      expect(JSON.stringify(result)).not.toContain(process.env.PATH ?? "PATH");
    }
  },
);

test("a module is compiled once and then comes from memory or disk", async () => {
  const cacheDir = join(scratch, "cache-once");
  const rustc = await toolchainPath();
  const origins = await withExecutor({ cacheDir, toolchain: rustc }, async (own) => [
    (await own.run(script("hello"))).moduleFrom,
    (await own.run(script("hello"))).moduleFrom,
  ]);
  const later = await withExecutor({ cacheDir, toolchain: rustc }, (own) => own.run(script("hello")));
  expect([...origins, later.moduleFrom]).toEqual(["rustc", "memory", "disk"]);
});

test("a damaged module on disk is compiled again", async () => {
  const cacheDir = join(scratch, "cache-damaged");
  const rustc = await toolchainPath();
  await withExecutor({ cacheDir, toolchain: rustc }, (own) => own.run(script("hello")));
  let damaged = 0;
  for (const entry of readdirSync(cacheDir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || readFileSync(path).length < 10_000) continue;
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    damaged += 1;
  }
  const result = await withExecutor({ cacheDir, toolchain: rustc }, (own) => own.run(script("hello")));
  expect({ damaged, from: result.moduleFrom, output: "output" in result && result.output }).toEqual({
    damaged: 1,
    from: "rustc",
    output: { hello: "world" },
  });
});

/** Cells that are up and idle, as processes. */
async function withIdleCells(
  use: (own: ScriptExecutor, cells: () => number[]) => Promise<void>,
): Promise<void> {
  await withExecutor({ cells: { maxRunning: 1, maxIdle: 4, spares: 0 } }, async (own) => {
    const before = new Set(descendants());
    await use(own, () => descendants().filter((pid) => !before.has(pid) && isRunning(pid)));
  });
}

test("cells never serve two tenants", async () => {
  await withIdleCells(async (own, cells) => {
    await own.run(script("hello"), { tenant: "ada" });
    const ofAda = cells();
    await own.run(script("hello"), { tenant: "ada" });
    expect(cells()).toEqual(ofAda);
    await own.run(script("hello"), { tenant: "grace" });
    expect(cells().length).toBe(2 * ofAda.length);
    expect(cells()).toEqual(expect.arrayContaining(ofAda));
  });
});

test("a cell that was killed or trapped is never used again", async () => {
  await withIdleCells(async (own, cells) => {
    for (const name of ["spin", "panic"]) {
      await own.run(script("hello"));
      const warm = cells();
      expect(warm.length).toBeGreaterThan(0);
      await own.run(attack(name), { limits: { wallTimeMs: 400 } });
      await allGone(warm);
      expect(await own.run(script("hello"))).toMatchObject({ status: "ok" });
    }
  });
});

test("close leaves no process behind", async () => {
  await withIdleCells(async (own, cells) => {
    await own.run(script("hello"));
    const spins = Promise.withResolvers<void>();
    const running = own.run(attack("spin"), { onStdout: () => spins.resolve() });
    await spins.promise;
    expect(cells().length).toBeGreaterThan(0);
    await own.close();
    expect(cells()).toEqual([]);
    expect(await running).toMatchObject({ status: "cancelled" });
  });
});

test("a misspelt limit is an error", async () => {
  // @ts-expect-error: the types say so too
  const misspelt: Parameters<ScriptExecutor["run"]>[1] = { limits: { wallTimeMS: 10 } };
  await expect(executor.run(script("hello"), misspelt)).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
});

test("no call exceeds the operator's ceilings", async () => {
  await withExecutor({ ceilings: { wallTimeMs: 1_000 } }, async (own) => {
    await expect(own.run(script("hello"), { limits: { wallTimeMs: 1_001 } })).rejects.toMatchObject({
      code: "INVALID_OPTIONS",
    });
    expect(await own.run(script("hello"), { limits: { wallTimeMs: 1_000 } })).toMatchObject({ status: "ok" });
  });
});

test("an idle executor does not keep Node alive", async () => {
  const index = JSON.stringify(new URL("src/index.ts", root).href);
  const program = `
    const { ScriptExecutor } = await import(${index});
    const result = await new ScriptExecutor().run(${JSON.stringify(script("hello"))});
    console.log(result.status);`;
  // Fails by the time-out of `execFile` where the process does not end by itself.
  const { stdout } = await execFileAsync(process.execPath, ["--input-type=module", "-e", program], {
    timeout: 30_000,
  });
  expect(stdout).toBe("ok\n");
});

test("a guest cannot take the host down", async () => {
  for (const name of ["recurse", "panic", "allocate-forever", "fifo", "exit-3"]) {
    await executor.run(attack(name), { limits: { wallTimeMs: 400 } });
  }
  expect(await executor.run(script("hello"))).toMatchObject({ status: "ok", output: { hello: "world" } });
});

async function toolchainPath(): Promise<string> {
  const { defaultCacheDir, findToolchain } = await import("../../src/index.ts");
  return (await findToolchain({ cacheDir: defaultCacheDir() })).rustc;
}

/** Every title that a test of this project has, without the part behind a colon that `test.each` adds. */
function testTitles(): Set<string> {
  const titles = new Set<string>();
  const directory = fileURLToPath(new URL("test/", root));
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith(".test.ts")) continue;
    const text = readFileSync(join(entry.parentPath, entry.name), "utf8");
    for (const [, title = ""] of text.matchAll(/(?:test|it)(?:\.each\([^)]*\))?\(\s*"([^"]+)"/g)) {
      titles.add(title.replace(/: (?:jail )?%s$/, ""));
    }
  }
  return titles;
}

test("the example in the README prints what the README says", async () => {
  const readme = readFileSync(new URL("README.md", root), "utf8");
  const [, example = ""] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  const [, promised = ""] = /\/\/ (\{ bytes.*\})/.exec(example) ?? [];
  const program = example.replace('"scriptcell"', JSON.stringify(new URL("src/index.ts", root).href));
  const { stdout } = await execFileAsync(
    process.execPath,
    ["--input-type=module-typescript", "-e", program],
    {
      cwd: fileURLToPath(root),
      timeout: 30_000,
    },
  );
  expect(stdout.trim()).toBe(promised);
});

test("each promise in the README is the title of a test", () => {
  const readme = readFileSync(new URL("README.md", root), "utf8");
  const promises = [
    ...(readme.split("<!-- promises -->")[1]?.split("<!-- /promises -->")[0] ?? "").matchAll(/^- (.+)$/gm),
  ].map(([, promise = ""]) => promise);
  expect(promises.length).toBeGreaterThan(10);
  const titles = testTitles();
  expect(promises.filter((promise) => !titles.has(promise))).toEqual([]);
});
