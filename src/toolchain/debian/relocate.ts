import { readdir, realpath, symlink } from "node:fs/promises";
import { join } from "node:path";
import { ScriptcellError } from "../../errors.ts";
import { runCommand } from "../command.ts";
import { isExecutable } from "../path.ts";
import type { Architecture } from "./architecture.ts";

// The packages are of a newer Debian than the system, so nothing of theirs runs on the system's C library. Instead of
// wrapper scripts, which an empty jail has no shell for, the programs are changed to name the prefix's own dynamic loader
// and library directory. They then start by themselves, with no variable set and nothing but the prefix in sight.

/** Makes the unpacked compiler and linkers run from `prefix`; returns the path of rustc. */
export async function relocateToolchain(
  prefix: string,
  architecture: Architecture,
  signal: AbortSignal | undefined,
): Promise<string> {
  const usr = join(prefix, "usr");
  const libraries = join(usr, "lib", architecture.multiarch);
  const loader = join(libraries, architecture.loader);
  const rustc = join(usr, "bin", "rustc");
  const lld = await realpath(join(usr, "bin", "rust-lld"));
  const tools = await hostTools(usr);
  const patchelf = (args: readonly string[]) =>
    runCommand(loader, ["--library-path", libraries, join(usr, "bin", "patchelf"), ...args], { signal });

  // A library with a search path of its own is looked up by that alone (RUNPATH voids the program's RPATH).
  await patchelf(["--remove-rpath", ...(await sharedObjects(libraries))]);
  for (const program of [rustc, lld, join(tools, "wasm-component-ld")]) {
    await patchelf(["--set-interpreter", loader, "--force-rpath", "--set-rpath", libraries, program]);
  }
  // rustc and wasm-component-ld look for their linkers here before they look at PATH, so neither needs to be told.
  await symlink(lld, join(tools, "rust-lld"));
  await symlink(lld, join(tools, "wasm-ld"));
  return rustc;
}

/** `rustlib/<host>/bin`, whatever the host triple is. */
async function hostTools(usr: string): Promise<string> {
  const rustlib = join(usr, "lib", "rustlib");
  for (const name of await readdir(rustlib)) {
    const tools = join(rustlib, name, "bin");
    if (await isExecutable(join(tools, "wasm-component-ld"))) return tools;
  }
  throw new ScriptcellError(
    "SETUP_FAILED",
    "Debian's packages hold no wasm-component-ld: try again later, or install rustup (https://rustup.rs)",
  );
}

async function sharedObjects(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.so(?:\.|$)/.test(entry.name))
    .map((entry) => join(directory, entry.name));
}
