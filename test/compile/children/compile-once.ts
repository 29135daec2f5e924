/** A process that compiles one small script. */
import { compileScript } from "../../../src/compile/compile.ts";
import { DEFAULT_COMPILE_LIMITS } from "../../../src/compile/compile-limits.ts";
import { defaultCacheDir } from "../../../src/toolchain/cache-dir.ts";
import { findToolchain } from "../../../src/toolchain/find.ts";

const step = await compileScript("fn main() {}", {
  toolchain: await findToolchain({ cacheDir: defaultCacheDir() }),
  bubblewrap: null,
  edition: "2024",
  profile: "fast-compile",
  limits: DEFAULT_COMPILE_LIMITS,
});
if (!step.ok) throw new Error(JSON.stringify(step.diagnostics));
