import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { defaultCacheDir } from "../../src/toolchain/cache-dir.ts";
import { findToolchain, findUnnamed } from "../../src/toolchain/find.ts";
import { publish } from "../../src/toolchain/installation.ts";
import { toolchainLayout } from "../../src/toolchain/layout.ts";
import type { OwnToolchainRecord } from "../../src/toolchain/own.ts";
import { makeSmallRustc, writeScript } from "./small-rustc.ts";

let directory: string;
let cacheDir: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "scriptcell-find-"));
  cacheDir = join(directory, "cache");
  vi.stubEnv("RUSTC", "");
  usePath();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

/** The whole PATH: these directories, and what shell scripts need. */
function usePath(...directories: readonly string[]): void {
  vi.stubEnv("PATH", [...directories, join(directory, "tools")].join(":"));
}

/** Publishes a toolchain as a set-up would. */
async function installOwn(): Promise<OwnToolchainRecord> {
  const layout = toolchainLayout(cacheDir);
  const installed = join(layout.base, "install-000000");
  await mkdir(installed, { recursive: true, mode: 0o700 });
  const { rustc, sysroot } = await makeSmallRustc(join(installed, "usr"), { version: "1.91.0" });
  const record: OwnToolchainRecord = {
    directory: installed,
    rustc,
    rustcBytes: (await stat(rustc)).size,
    version: "1.91.0",
    versionVerbose: "rustc 1.91.0\n",
    host: "small-unknown-linux-gnu",
    sysroot,
    packages: {},
    suite: "testing",
  };
  await publish(layout.toolchainPointer, record);
  return record;
}

describe("the order", () => {
  test("a rustc named by the option comes before RUSTC, PATH and scriptcell's own", async () => {
    const named = await makeSmallRustc(join(directory, "named"));
    vi.stubEnv("RUSTC", (await makeSmallRustc(join(directory, "variable"))).rustc);
    await installOwn();
    expect(await findToolchain({ rustc: named.rustc, cacheDir })).toMatchObject({
      rustc: named.rustc,
      origin: "option",
    });
  });

  test("RUSTC comes before PATH", async () => {
    const variable = await makeSmallRustc(join(directory, "variable"));
    vi.stubEnv("RUSTC", variable.rustc);
    usePath(join((await makeSmallRustc(join(directory, "path"))).sysroot, "bin"));
    expect(await findToolchain({ cacheDir })).toMatchObject({ rustc: variable.rustc, origin: "RUSTC" });
  });

  test("RUSTC may be a name on PATH", async () => {
    const found = await makeSmallRustc(join(directory, "path"));
    vi.stubEnv("RUSTC", "rustc");
    usePath(join(found.sysroot, "bin"));
    expect(await findToolchain({ cacheDir })).toMatchObject({ rustc: found.rustc, origin: "RUSTC" });
  });

  test("a rustc on PATH that has the target comes before scriptcell's own", async () => {
    const found = await makeSmallRustc(join(directory, "path"));
    usePath(join(found.sysroot, "bin"));
    await installOwn();
    expect(await findToolchain({ cacheDir })).toMatchObject({ rustc: found.rustc, origin: "PATH" });
  });

  test("a rustc on PATH without the target is passed over for a later one that has it", async () => {
    const without = await makeSmallRustc(join(directory, "without"), { targets: [] });
    const found = await makeSmallRustc(join(directory, "path"));
    usePath(join(without.sysroot, "bin"), join(found.sysroot, "bin"));
    expect(await findToolchain({ cacheDir })).toMatchObject({ rustc: found.rustc });
  });

  test.each([{ targets: [] }, { version: "1.63.0" }, { linker: false }])(
    "a rustc on PATH that will not do (%o) is passed over for scriptcell's own",
    async (options) => {
      usePath(join((await makeSmallRustc(join(directory, "path"), options)).sysroot, "bin"));
      const own = await installOwn();
      expect(await findToolchain({ cacheDir })).toMatchObject({
        rustc: own.rustc,
        origin: "scriptcell",
        roots: [own.directory],
      });
    },
  );

  test("a relative entry of PATH is not looked at", async () => {
    const found = await makeSmallRustc(join(directory, "path"));
    const before = process.cwd();
    process.chdir(found.sysroot);
    try {
      usePath("bin", "");
      await expect(findToolchain({ cacheDir })).rejects.toMatchObject({ code: "RUSTC_MISSING" });
    } finally {
      process.chdir(before);
    }
  });
});

describe("what is missing", () => {
  test("no rustc at all is RUSTC_MISSING and names the command to run", async () => {
    await expect(findToolchain({ cacheDir })).rejects.toMatchObject({
      code: "RUSTC_MISSING",
      message: expect.stringContaining("`scriptcell setup`"),
    });
  });

  test("a rustc without the target is TARGET_MISSING and names both commands", async () => {
    usePath(
      join(
        (await makeSmallRustc(join(directory, "path"), { targets: ["wasm32-unknown-unknown"] })).sysroot,
        "bin",
      ),
    );
    await expect(findToolchain({ cacheDir })).rejects.toMatchObject({
      code: "TARGET_MISSING",
      message: expect.stringMatching(/1\.99\.0.*`scriptcell setup`.*`rustup target add wasm32-wasip1`/),
    });
  });

  test("a rustc without edition 2024 is RUSTC_TOO_OLD", async () => {
    usePath(join((await makeSmallRustc(join(directory, "path"), { version: "1.84.1" })).sysroot, "bin"));
    await expect(findToolchain({ cacheDir })).rejects.toMatchObject({
      code: "RUSTC_TOO_OLD",
      message: expect.stringMatching(/1\.84\.1.*1\.85\.0.*`scriptcell setup`/),
    });
  });

  test("the first version with edition 2024 is old enough to be new enough", async () => {
    usePath(join((await makeSmallRustc(join(directory, "path"), { version: "1.85.0" })).sysroot, "bin"));
    expect((await findToolchain({ cacheDir })).version).toBe("1.85.0");
  });

  test.each([
    [{ targets: [] }, "TARGET_MISSING"],
    [{ version: "1.63.0" }, "RUSTC_TOO_OLD"],
  ] as const)(
    "a rustc that was named and will not do (%o) is an error, though scriptcell's own would do",
    async (options, code) => {
      const { rustc } = await makeSmallRustc(join(directory, "named"), options);
      await installOwn();
      await expect(findToolchain({ rustc, cacheDir })).rejects.toMatchObject({ code });
      vi.stubEnv("RUSTC", rustc);
      await expect(findToolchain({ cacheDir })).rejects.toMatchObject({
        code,
        message: expect.stringContaining("RUSTC"),
      });
    },
  );

  test("a named path where there is nothing is RUSTC_MISSING, though scriptcell's own would do", async () => {
    await installOwn();
    await expect(findToolchain({ rustc: join(directory, "nowhere"), cacheDir })).rejects.toMatchObject({
      code: "RUSTC_MISSING",
    });
    await expect(findToolchain({ rustc: "no-such-rustc", cacheDir })).rejects.toMatchObject({
      code: "RUSTC_MISSING",
    });
  });

  test("a named directory is RUSTC_MISSING", async () => {
    await expect(findToolchain({ rustc: directory, cacheDir })).rejects.toMatchObject({
      code: "RUSTC_MISSING",
    });
  });

  test("a named program that is no rustc is RUSTC_MISSING", async () => {
    const path = join(directory, "cat");
    await writeScript(path, "echo meow");
    await expect(findToolchain({ rustc: path, cacheDir })).rejects.toMatchObject({ code: "RUSTC_MISSING" });
  });
});

describe("scriptcell's own toolchain", () => {
  test("one without its pointer does not exist", async () => {
    await installOwn();
    await rm(toolchainLayout(cacheDir).toolchainPointer);
    await expect(findUnnamed(cacheDir)).rejects.toMatchObject({ code: "RUSTC_MISSING" });
  });

  test.each([
    [
      "whose pointer is damaged",
      async (own: OwnToolchainRecord) => await writeFile(join(own.directory, "../toolchain.json"), "{"),
    ],
    [
      "whose rustc is another one",
      async (own: OwnToolchainRecord) => await writeFile(own.rustc, "#!/bin/sh\nexit 1\n"),
    ],
    ["whose rustc is gone", async (own: OwnToolchainRecord) => await rm(own.rustc)],
    [
      "whose standard library is gone",
      async (own: OwnToolchainRecord) =>
        await rm(join(own.sysroot, "lib/rustlib/wasm32-wasip1"), { recursive: true }),
    ],
    ["that others can write", async (own: OwnToolchainRecord) => await chmod(own.directory, 0o777)],
    [
      "whose pointer others can write",
      async (own: OwnToolchainRecord) => await chmod(join(own.directory, "../toolchain.json"), 0o666),
    ],
    [
      "that names a directory elsewhere",
      async (own: OwnToolchainRecord) =>
        await publish(join(own.directory, "../toolchain.json"), { ...own, directory: directory }),
    ],
  ])("one %s does not count", async (_, spoil) => {
    const own = await installOwn();
    expect((await findUnnamed(cacheDir)).rustc).toBe(own.rustc);
    await spoil(own);
    await expect(findUnnamed(cacheDir)).rejects.toMatchObject({ code: "RUSTC_MISSING" });
  });
});

describe("a rustup proxy", () => {
  /** A home with two toolchains and a proxy that starts the one that its settings, or RUSTUP_TOOLCHAIN, name. */
  async function makeRustup() {
    const home = join(directory, "rustup");
    const bin = join(directory, "cargo/bin");
    await mkdir(bin, { recursive: true });
    await makeSmallRustc(join(home, "toolchains/one"), { version: "1.91.0" });
    await makeSmallRustc(join(home, "toolchains/two"), { version: "1.92.0" });
    await writeFile(join(home, "settings.toml"), "one");
    await writeScript(
      join(bin, "rustup"),
      `echo "$RUSTUP_AUTO_INSTALL $*" >> '${directory}/calls'
if [ -n "$RUSTUP_TOOLCHAIN" ]; then name=$RUSTUP_TOOLCHAIN; else read -r name < '${home}/settings.toml'; fi
exec '${home}/toolchains/'"$name/bin/rustc" "$@"`,
    );
    await symlink("rustup", join(bin, "rustc"));
    vi.stubEnv("RUSTUP_HOME", home);
    vi.stubEnv("RUSTUP_TOOLCHAIN", undefined);
    usePath(bin);
    return { home, one: join(home, "toolchains/one/bin/rustc"), two: join(home, "toolchains/two/bin/rustc") };
  }

  test("is resolved to the compiler that it starts, which needs no home directory", async () => {
    const { one } = await makeRustup();
    expect((await findToolchain({ cacheDir })).rustc).toBe(one);
  });

  test("is never allowed to install a toolchain", async () => {
    await makeRustup();
    await findToolchain({ cacheDir });
    const calls = (await readFile(join(directory, "calls"), "utf8")).trim().split("\n");
    expect(calls.filter((call) => !call.startsWith("0 "))).toEqual([]);
  });

  test("is not asked again while nothing changed, not even by another process", async () => {
    const { one } = await makeRustup();
    await findToolchain({ cacheDir });
    const calls = await readFile(join(directory, "calls"), "utf8");
    expect(await findInAnotherProcess(cacheDir)).toBe(one);
    expect(await readFile(join(directory, "calls"), "utf8")).toBe(calls);
  });

  test("is asked again when RUSTUP_TOOLCHAIN changes", async () => {
    const { one, two } = await makeRustup();
    expect((await findToolchain({ cacheDir })).rustc).toBe(one);
    vi.stubEnv("RUSTUP_TOOLCHAIN", "two");
    expect((await findToolchain({ cacheDir })).rustc).toBe(two);
  });

  test("is asked again when another toolchain becomes the default", async () => {
    const { home, two } = await makeRustup();
    await findToolchain({ cacheDir });
    await writeFile(join(home, "settings.toml"), "two\n");
    expect((await findToolchain({ cacheDir })).rustc).toBe(two);
  });

  test("is not led by a rust-toolchain file in the working directory, which a stranger may have written", async () => {
    const { home, one } = await makeRustup();
    await writeScript(
      join(directory, "cargo/bin/rustup"),
      `[ -e rust-toolchain.toml ] && exec '${home}/toolchains/two/bin/rustc' "$@"\nexec '${home}/toolchains/one/bin/rustc' "$@"`,
    );
    const before = process.cwd();
    await writeFile(join(directory, "rust-toolchain.toml"), "");
    process.chdir(directory);
    try {
      expect((await findToolchain({ cacheDir })).rustc).toBe(one);
    } finally {
      process.chdir(before);
    }
  });

  test("sees a target that was added in the meantime", async () => {
    const { home } = await makeRustup();
    const std = join(home, "toolchains/one/lib/rustlib/wasm32-wasip1");
    await rm(std, { recursive: true });
    await expect(findToolchain({ cacheDir })).rejects.toMatchObject({ code: "TARGET_MISSING" });
    await mkdir(join(std, "lib"), { recursive: true });
    await writeFile(join(std, "lib/libstd-0123456789abcdef.rlib"), "");
    expect((await findToolchain({ cacheDir })).targets).toEqual(["wasm32-wasip1"]);
  });
});

describe("what is remembered", () => {
  /** A copy of a real compiler, which finds its sysroot by itself, beside a rustlib so that it counts as one. */
  async function copyRealRustc(): Promise<string> {
    vi.unstubAllEnvs();
    const real = await findToolchain({ cacheDir: defaultCacheDir() });
    const rustc = join(directory, "real/bin/rustc");
    await mkdir(join(directory, "real/bin"), { recursive: true });
    await mkdir(join(directory, "real/lib"), { recursive: true });
    await symlink(join(real.sysroot, "lib/rustlib"), join(directory, "real/lib/rustlib"));
    for (const library of Object.values(real.env)) await linkLibraries(library);
    await copyFile(real.rustc, rustc);
    return rustc;
  }

  async function linkLibraries(from: string): Promise<void> {
    const { stdout } = await execa("find", [from, "-maxdepth", "1", "-name", "*.so*"]);
    for (const file of stdout.split("\n"))
      await symlink(file, join(directory, "real/lib", file.split("/").at(-1) ?? ""));
  }

  test("a fresh process asks a known rustc nothing", async () => {
    const rustc = await copyRealRustc();
    const found = await findToolchain({ rustc, cacheDir });
    // It can no longer be started, and its size and modification time are the same.
    await chmod(rustc, 0o600);
    expect(await findInAnotherProcess(cacheDir, rustc)).toBe(found.rustc);
  });

  test("a rustc whose modification time changed is asked again", async () => {
    const rustc = await copyRealRustc();
    await findToolchain({ rustc, cacheDir });
    await chmod(rustc, 0o600);
    await utimes(rustc, new Date(), new Date(1_700_000_000_000));
    await expect(findToolchain({ rustc, cacheDir })).rejects.toMatchObject({ code: "RUSTC_MISSING" });
  });

  test("a damaged memory is passed over", async () => {
    const rustc = await copyRealRustc();
    const first = await findToolchain({ rustc, cacheDir });
    await writeFile(toolchainLayout(cacheDir).probes, "{{{");
    expect(await findInAnotherProcess(cacheDir, rustc)).toBe(first.rustc);
  });

  test("a memory that others can write is not believed", async () => {
    const rustc = await copyRealRustc();
    await findToolchain({ rustc, cacheDir });
    const { probes } = toolchainLayout(cacheDir);
    await chmod(probes, 0o666);
    await chmod(rustc, 0o600);
    await expect(findInAnotherProcess(cacheDir, rustc)).rejects.toThrow("could not be run");
  });

  test("a cache directory that cannot be written costs only the memory", async () => {
    const rustc = await copyRealRustc();
    await writeFile(cacheDir, "a file where the directory should be");
    expect((await findToolchain({ rustc, cacheDir })).rustc).toBe(rustc);
  });
});

/** What a process that never looked before finds. */
async function findInAnotherProcess(cacheDir: string, rustc?: string): Promise<string> {
  const find = new URL("../../src/toolchain/find.ts", import.meta.url).href;
  const script = `import { findToolchain } from ${JSON.stringify(find)};
    process.stdout.write((await findToolchain(${JSON.stringify({ cacheDir, ...(rustc === undefined ? {} : { rustc }) })})).rustc);`;
  return (await execa(process.execPath, ["--input-type=module", "-e", script], { env: process.env })).stdout;
}
