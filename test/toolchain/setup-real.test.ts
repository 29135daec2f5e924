import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { findBubblewrap, forgetBubblewrap } from "../../src/jail/bubblewrap.ts";
import { setupToolchain } from "../../src/toolchain/setup.ts";
import type { Toolchain } from "../../src/toolchain/toolchain.ts";
import { pathWithoutRust } from "./system-path.ts";

let directory: string;
let cacheDir: string;
let toolchain: Toolchain;

// The real thing, from the archive that this system's apt names, as it goes on a machine without Rust.
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "scriptcell-real-"));
  cacheDir = join(directory, "cache with ümlaut");
  vi.stubEnv("PATH", await pathWithoutRust(join(directory, "bin")));
  forgetBubblewrap();
  toolchain = await setupToolchain({ cacheDir });
}, 600_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

test.each([
  ["wasm32-wasip1", "0061736d01000000"],
  ["wasm32-wasip2", "0061736d0d000100"],
])(
  "the installed toolchain compiles for %s in a jail that shows nothing but its roots, without any variable",
  async (target, preamble) => {
    const probe = await findBubblewrap({ cacheDir });
    if (!probe.ok) throw new Error(`${probe.reason}: ${probe.remedy}`);
    const { path, env } = probe.bubblewrap;
    const output = join(directory, target);
    await mkdir(output);
    const source = join(directory, "hello.rs");
    await writeFile(source, 'fn main() { println!("hello"); }');
    const binds = toolchain.roots.flatMap((root) => ["--ro-bind", root, root]);
    const { exitCode, stderr } = await execa(
      path,
      [
        ...[
          "--unshare-all",
          "--die-with-parent",
          "--clearenv",
          ...binds,
          "--ro-bind",
          source,
          "/hello.rs",
          "--bind",
          output,
          "/out",
        ],
        ...[toolchain.rustc, "--target", target, "--edition", "2024", "-o", "/out/hello.wasm", "/hello.rs"],
      ],
      { env, extendEnv: false, reject: false },
    );
    expect(exitCode, stderr).toBe(0);
    const module = await readFile(join(output, "hello.wasm"));
    expect(module.subarray(0, 8).toString("hex")).toBe(preamble);
  },
);

test("bubblewrap is installed with it, and works", async () => {
  expect(await findBubblewrap({ cacheDir })).toMatchObject({
    ok: true,
    bubblewrap: { origin: "scriptcell" },
  });
});
