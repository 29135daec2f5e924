import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Edition, type Profile, rustcFlags } from "../src/compile/rustc-flags.ts";
import type { Toolchain } from "../src/index.ts";

const execute = promisify(execFile);

/** rustc by itself, with the flags that scriptcell gives it, in a directory of its own. */
export interface BareRustc extends AsyncDisposable {
  compile(source: string): Promise<void>;
}

/** What compiling is compared with: no jail, no limits, nothing read back. */
export async function openBareRustc(
  toolchain: Toolchain,
  profile: Profile,
  edition: Edition,
): Promise<BareRustc> {
  const directory = await mkdtemp(join(tmpdir(), "scriptcell-bench-"));
  const { rustc, linker, env } = toolchain;
  const args = [
    ...rustcFlags(profile, edition, toolchain),
    ...(linker === undefined ? [] : ["-C", `linker=${linker}`]),
    "--emit=link=script.wasm,dep-info=script.d",
    "script.rs",
  ];
  return {
    async compile(source) {
      await writeFile(join(directory, "script.rs"), source);
      await execute(rustc, args, { cwd: directory, env });
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
