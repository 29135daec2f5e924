import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { findUnnamed } from "../../src/toolchain/find.ts";
import { toolchainLayout } from "../../src/toolchain/layout.ts";
import type { SetupEvent } from "../../src/toolchain/progress.ts";
import { setupWith } from "../../src/toolchain/setup.ts";
import { type Archive, openArchive } from "./archive.ts";
import { smallSuites } from "./small-toolchain.ts";
import { pathWithoutRust } from "./system-path.ts";

let shared: string;
let path: string;
let directory: string;
let cacheDir: string;
let hold: string;

beforeAll(async () => {
  shared = await mkdtemp(join(tmpdir(), "scriptcell-setup-"));
  path = await pathWithoutRust(join(shared, "bin"));
});
afterAll(() => rm(shared, { recursive: true, force: true }));

beforeEach(async () => {
  directory = await mkdtemp(join(shared, "test-"));
  cacheDir = join(directory, "cache");
  hold = join(directory, "hold");
  vi.stubEnv("PATH", path);
  vi.stubEnv("no_proxy", "127.0.0.1");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

const openSmallArchive = (signing?: "trusted" | "stranger" | "none") =>
  openArchive(join(directory, "archive"), smallSuites("1.99.0", hold), signing);

const setUp = (archive: Archive, onProgress?: (event: SetupEvent) => void, signal?: AbortSignal) =>
  setupWith(
    {
      cacheDir,
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(signal === undefined ? {} : { signal }),
    },
    async () => archive.system,
  );

const installations = async (): Promise<string[]> =>
  (await readdir(toolchainLayout(cacheDir).base)).filter((name) => name.startsWith("install-"));

/** A set-up in a process of its own, and what it says. */
function startChild(archive: Archive) {
  const script = new URL("./set-up-child.ts", import.meta.url).pathname;
  const child = execa(process.execPath, [script, cacheDir, JSON.stringify(archive.system)], {
    reject: false,
    all: true,
  });
  const lines: string[] = [];
  const waiting: Array<{ pattern: RegExp; resolve: () => void }> = [];
  const reading = (async () => {
    for await (const line of child.iterable({ from: "all" })) {
      lines.push(line);
      for (const { pattern, resolve } of waiting) if (pattern.test(line)) resolve();
    }
  })();
  return {
    lines,
    pid: child.pid,
    kill: async () => {
      child.kill("SIGKILL");
      await child;
    },
    ended: async () => {
      await reading;
      return await child;
    },
    says: async (pattern: RegExp) => {
      if (lines.some((line) => pattern.test(line))) return;
      const said = new Promise<void>((resolve) => waiting.push({ pattern, resolve }));
      await Promise.race([
        said,
        child.then(() => {
          if (!lines.some((line) => pattern.test(line)))
            throw new Error(`it ended without saying ${pattern}:\n${lines.join("\n")}`);
        }),
      ]);
    },
  };
}

test("a set-up from Debian's packages makes a toolchain that is found afterwards, of nothing but what makes WebAssembly", async () => {
  await using archive = await openSmallArchive();
  const events: SetupEvent[] = [];
  const toolchain = await setUp(archive, (event) => events.push(event));
  expect(toolchain).toMatchObject({
    version: "1.99.0",
    host: "small-unknown-linux-gnu",
    targets: ["wasm32-wasip1", "wasm32-wasip2"],
    env: {},
    origin: "scriptcell",
  });
  expect(toolchain.rustc.startsWith(`${toolchain.roots[0]}/`)).toBe(true);
  expect(await findUnnamed(cacheDir)).toEqual(toolchain);
  const steps = ["rustup", "metadata", "download", "unpack", "verify", "done"];
  expect(events.map(({ step }) => step)).toEqual(expect.arrayContaining(steps));

  // The packages also depend on compilers of native programs.
  const downloaded = archive.requests.filter((request) => request.endsWith(".deb"));
  const needed = [
    "libc6",
    "libllvm9",
    "libstd-rust-9",
    "libstd-rust-dev",
    "libstd-rust-dev-wasm32",
    "lld-9",
    "patchelf",
    "rust-llvm",
    "rustc",
  ];
  expect(downloaded.map((request) => request.split("/").at(-1)?.split("_")[0]).sort()).toEqual([
    "bubblewrap",
    ...needed,
  ]);

  expect(existsSync(toolchainLayout(cacheDir).work), "downloads and lists").toBe(false);
  const usr = join(toolchain.roots[0] ?? "", "usr");
  expect(existsSync(join(usr, "share/doc")), "manuals").toBe(false);
  expect(existsSync(join(usr, "lib/rustlib/wasm32-unknown-unknown")), "an unused target").toBe(false);
});

test("a second set-up finds the first one's toolchain and downloads nothing", async () => {
  await using archive = await openSmallArchive();
  const first = await setUp(archive);
  const before = archive.requests.length;
  const events: SetupEvent[] = [];
  expect(await setUp(archive, (event) => events.push(event))).toEqual(first);
  expect(archive.requests).toHaveLength(before);
  expect(events).toEqual([{ step: "done", message: expect.stringContaining("there already") }]);
});

test("stable is used where testing cannot be had", async () => {
  const { testing = [], own = [] } = smallSuites("1.90.0", hold);
  await using archive = await openArchive(join(directory, "archive"), { stable: testing, own });
  expect((await setUp(archive)).version).toBe("1.90.0");
});

test("stable is used where testing's packages are of different versions", async () => {
  const { testing = [], own = [] } = smallSuites("1.99.0", hold);
  const mixed = testing.map((entry) =>
    entry.name === "libstd-rust-dev-wasm32" ? { ...entry, version: "1.98.0" } : entry,
  );
  const stable = smallSuites("1.90.0", hold).testing ?? [];
  await using archive = await openArchive(join(directory, "archive"), { testing: mixed, stable, own });
  expect((await setUp(archive)).version).toBe("1.90.0");
});

test("an archive whose rustc is older than edition 2024 is refused before anything is downloaded", async () => {
  await using archive = await openArchive(join(directory, "archive"), smallSuites("1.84.0", hold));
  await expect(setUp(archive)).rejects.toMatchObject({ code: "SETUP_FAILED" });
  expect(archive.requests.filter((request) => request.endsWith(".deb"))).toEqual([]);
});

test.each(["stranger", "none"] as const)("an archive that is signed by %s is refused", async (signing) => {
  await using archive = await openSmallArchive(signing);
  await expect(setUp(archive)).rejects.toMatchObject({
    code: "SETUP_FAILED",
    message: expect.stringContaining("is not signed"),
  });
  expect(archive.requests.filter((request) => request.endsWith(".deb"))).toEqual([]);
  expect(await installations()).toEqual([]);
});

test("a package that is not the one in the signed index is never unpacked", async () => {
  await using archive = await openSmallArchive();
  const architecture = archive.system.architecture.name;
  const evil = await readFile(join(directory, "archive/testing/gcc.deb"));
  archive.replace(`pool/testing/patchelf_0.1-1_${architecture}.deb`, evil);
  await expect(setUp(archive)).rejects.toMatchObject({ code: "SETUP_FAILED" });
  expect(await installations()).toEqual([]);
});

const STALL_AFTER = 3;

test("a package that was damaged on disk between two set-ups is downloaded again", async () => {
  await using archive = await openSmallArchive();
  await killWhileDownloading(archive);
  const archives = join(toolchainLayout(cacheDir).work, "testing/archives");
  for (const name of await readdir(archives)) await writeFile(join(archives, name), "damaged");
  expect((await setUp(archive)).version).toBe("1.99.0");
});

test("a set-up that was killed while it downloaded leaves nothing to be found, and the next one fetches only the rest", async () => {
  await using archive = await openSmallArchive();
  await killWhileDownloading(archive);
  await expect(findUnnamed(cacheDir)).rejects.toMatchObject({ code: "RUSTC_MISSING" });
  const before = archive.requests.filter((request) => request.endsWith(".deb"));
  archive.requests.length = 0;
  expect((await setUp(archive)).version).toBe("1.99.0");
  const after = archive.requests.filter((request) => request.includes("/pool/testing/"));
  expect(before).toHaveLength(STALL_AFTER + 1);
  expect(after).toContain(before.at(-1));
  expect(after.filter((request) => before.slice(0, STALL_AFTER).includes(request))).toEqual([]);
});

test("no process of a killed set-up goes on working", async () => {
  await using archive = await openSmallArchive();
  archive.stallAfter = STALL_AFTER;
  const stalled = archive.stalled();
  const child = startChild(archive);
  await stalled;
  expect(await processesNaming(cacheDir)).not.toEqual([]);
  await child.kill();
  await vi.waitUntil(async () => (await processesNaming(cacheDir)).length === 0, {
    timeout: 30_000,
    interval: 100,
  });
});

/** Kills a set-up with SIGKILL when some packages are there and another is half there; the archive is whole again. */
async function killWhileDownloading(archive: Archive): Promise<void> {
  archive.stallAfter = STALL_AFTER;
  const stalled = archive.stalled();
  const child = startChild(archive);
  await stalled;
  await child.kill();
  archive.stallAfter = null;
}

test("a set-up that was killed while it tried the compiler leaves nothing to be found, and the next one clears what it left", async () => {
  await using archive = await openSmallArchive();
  await writeFile(hold, "");
  const child = startChild(archive);
  await child.says(/"step":"verify"/);
  await child.kill();
  const [left] = await installations();
  expect(left).toBeDefined();
  await expect(findUnnamed(cacheDir)).rejects.toMatchObject({ code: "RUSTC_MISSING" });

  await rm(hold);
  const toolchain = await setUp(archive);
  expect(await installations()).not.toContain(left);
  expect(toolchain.roots[0]).not.toContain(left);
});

test("of two set-ups at once the second waits, then finds the result of the first", async () => {
  await using archive = await openSmallArchive();
  await writeFile(hold, "");
  const first = startChild(archive);
  await first.says(/"step":"verify"/);
  const second = startChild(archive);
  await second.says(/"step":"wait"/);
  await rm(hold);
  const [one, two] = await Promise.all([first.ended(), second.ended()]);
  expect([one.exitCode, two.exitCode]).toEqual([0, 0]);
  expect(first.lines.at(-1)).toBe(second.lines.at(-1));
  expect(second.lines.join("\n")).not.toContain('"step":"unpack"');
});

test("a set-up that waits goes on when the one that it waits for is killed", async () => {
  await using archive = await openSmallArchive();
  await writeFile(hold, "");
  const first = startChild(archive);
  await first.says(/"step":"verify"/);
  const second = startChild(archive);
  await second.says(/"step":"wait"/);
  await first.kill();
  await rm(hold);
  const outcome = await second.ended();
  expect(outcome.exitCode).toBe(0);
  expect(second.lines.at(-1)).toContain('"version":"1.99.0"');
});

test("an aborted set-up rejects with the signal's reason and installs nothing", async () => {
  await using archive = await openSmallArchive();
  archive.stallAfter = 0;
  const stalled = archive.stalled();
  const controller = new AbortController();
  const reason = new Error("no more time");
  const outcome = expect(setUp(archive, undefined, controller.signal)).rejects.toBe(reason);
  await stalled;
  controller.abort(reason);
  await outcome;
  expect(await installations()).toEqual([]);
});

test("a set-up that waits for another one can be aborted", async () => {
  await using archive = await openSmallArchive();
  await writeFile(hold, "");
  const first = startChild(archive);
  await first.says(/"step":"verify"/);
  const controller = new AbortController();
  const steps: string[] = [];
  const second = setUp(archive, ({ step }) => steps.push(step), controller.signal);
  const outcome = expect(second).rejects.toThrow("enough");
  await vi.waitUntil(() => steps.includes("wait"), { timeout: 30_000 });
  controller.abort(new Error("enough"));
  await outcome;
  await rm(hold);
  expect((await first.ended()).exitCode).toBe(0);
});

test("a toolchain whose rustc was removed is installed anew", async () => {
  await using archive = await openSmallArchive();
  const broken = await setUp(archive);
  await rm(broken.rustc);
  const repaired = await setUp(archive);
  expect(repaired.rustc).not.toBe(broken.rustc);
  expect(existsSync(broken.roots[0] ?? "")).toBe(false);
});

test("a rustc on PATH that will do is used, and nothing is installed", async () => {
  await using archive = await openSmallArchive();
  const toolchain = await setUp(archive);
  vi.stubEnv("PATH", `${join(toolchain.sysroot, "bin")}:${path}`);
  cacheDir = join(directory, "other-cache");
  await writeFile(join(toolchain.sysroot, "bin/bwrap"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  archive.requests.length = 0;
  expect(await setUp(archive)).toMatchObject({ origin: "PATH", rustc: toolchain.rustc });
  expect(archive.requests.filter((request) => request.includes("testing"))).toEqual([]);
});

test("a system without Debian's packages gets an error that names the commands to run", async () => {
  const setup = setupWith({ cacheDir }, async () => "there is no apt");
  await expect(setup).rejects.toMatchObject({
    code: "SETUP_UNSUPPORTED",
    message: expect.stringMatching(/there is no apt.*run `/),
  });
});

test("a cache directory that others can write is refused", async () => {
  await using archive = await openSmallArchive();
  await mkdir(toolchainLayout(cacheDir).base, { recursive: true });
  await execa("chmod", ["0777", toolchainLayout(cacheDir).base]);
  await expect(setUp(archive)).rejects.toMatchObject({
    code: "SETUP_FAILED",
    message: expect.stringContaining("chmod"),
  });
});

/** Processes, other than this one and its shell, that were started with this path among their arguments or variables. */
async function processesNaming(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter(
    (name) => /^\d+$/.test(name) && name !== `${process.pid}`,
  )) {
    const about = await Promise.all(
      ["cmdline", "environ"].map((name) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "")),
    );
    if (about.some((content) => content.includes(text))) found.push(pid);
  }
  return found;
}
