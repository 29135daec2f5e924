import { defaultCacheDir } from "../../src/toolchain/cache-dir.ts";
import { findToolchain } from "../../src/toolchain/find.ts";
import { setupToolchain } from "../../src/toolchain/setup.ts";

/** Before the first test: a toolchain, installed where it is missing. Without one the suite fails, with what to do. */
export async function setup(): Promise<void> {
  const cacheDir = defaultCacheDir();
  try {
    await findToolchain({ cacheDir });
  } catch {
    await setupToolchain({ cacheDir, onProgress: (event) => console.log(event.message) });
  }
}
