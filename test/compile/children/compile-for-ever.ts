/** A process that compiles a script which never ends compiling, until it is killed. Argument: `required` or `off`, as a jail mode. */
import { compileScript } from "../../../src/compile/compile.ts";
import { DEFAULT_COMPILE_LIMITS } from "../../../src/compile/compile-limits.ts";
import { findBubblewrap } from "../../../src/jail/bubblewrap.ts";
import { defaultCacheDir } from "../../../src/toolchain/cache-dir.ts";
import { findToolchain } from "../../../src/toolchain/find.ts";

const cacheDir = defaultCacheDir();
const probe = await findBubblewrap({ cacheDir });
const jailed = process.argv[2] === "required";
if (jailed && !probe.ok) throw new Error(probe.reason);

await compileScript(
  '#![allow(long_running_const_eval)] const fn f() -> u64 { let mut i = 0u64; while i < u64::MAX { i += 1; } i } const X: u64 = f(); fn main() { println!("{X}"); }',
  {
    toolchain: await findToolchain({ cacheDir }),
    bubblewrap: jailed && probe.ok ? probe.bubblewrap : null,
    edition: "2024",
    profile: "fast-compile",
    limits: DEFAULT_COMPILE_LIMITS,
  },
);
