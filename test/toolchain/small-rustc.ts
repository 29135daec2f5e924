import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A rustc that is a shell script, in a sysroot of its own. */
export interface SmallRustc {
  rustc: string;
  sysroot: string;
}

/** What it is like. */
export interface SmallRustcOptions {
  version?: string;
  targets?: readonly string[];
  linker?: boolean;
}

/** Makes a sysroot in `sysroot` with a rustc that answers the questions that scriptcell asks. */
export async function makeSmallRustc(sysroot: string, options: SmallRustcOptions = {}): Promise<SmallRustc> {
  const { version = "1.99.0", targets = ["wasm32-wasip1"], linker = true } = options;
  const host = "small-unknown-linux-gnu";
  const rustlib = join(sysroot, "lib/rustlib");
  await mkdir(join(sysroot, "bin"), { recursive: true });
  await mkdir(join(rustlib, host, "bin"), { recursive: true });
  for (const target of targets) {
    await mkdir(join(rustlib, target, "lib"), { recursive: true });
    await writeFile(join(rustlib, target, "lib/libstd-0123456789abcdef.rlib"), "");
  }
  if (linker) await writeScript(join(rustlib, host, "bin/rust-lld"), "exit 0");
  const rustc = join(sysroot, "bin/rustc");
  await writeScript(rustc, answers(version, host, sysroot));
  return { rustc, sysroot };
}

function answers(version: string, host: string, sysroot: string): string {
  return `case "$*" in
  -vV) printf 'rustc ${version}\\nbinary: rustc\\nhost: ${host}\\nrelease: ${version}\\n' ;;
  "--print sysroot") echo '${sysroot}' ;;
  *) exit 1 ;;
esac`;
}

/** Writes an executable shell script. */
export async function writeScript(path: string, body: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}
