import { findBubblewrap } from "../../src/jail/bubblewrap.ts";
import { defaultCacheDir } from "../../src/toolchain/cache-dir.ts";
import { findToolchain } from "../../src/toolchain/find.ts";
import { setupToolchain } from "../../src/toolchain/setup.ts";

/** Before the first test: a toolchain and a jail, installed where they are missing. Without them the suite fails, with what to do. */
export async function setup(): Promise<void> {
  const cacheDir = defaultCacheDir();
  const install = () => setupToolchain({ cacheDir, onProgress: (event) => console.log(event.message) });
  await findToolchain({ cacheDir }).catch(install);
  if (!(await findBubblewrap({ cacheDir })).ok) await install();
}
