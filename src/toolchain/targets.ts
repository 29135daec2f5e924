import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** wasm targets whose standard library lies in this sysroot, sorted. Asked each time: `rustup target add` leaves rustc as it was. */
export async function wasmTargets(sysroot: string): Promise<readonly string[]> {
  const rustlib = join(sysroot, "lib", "rustlib");
  const names = (await readdir(rustlib).catch(() => [])).filter((name) => name.startsWith("wasm")).sort();
  const installed = await Promise.all(names.map((name) => hasStandardLibrary(join(rustlib, name, "lib"))));
  return names.filter((_, index) => installed[index] === true);
}

async function hasStandardLibrary(directory: string): Promise<boolean> {
  const files = await readdir(directory).catch(() => []);
  return files.some((file) => /^libstd-[0-9a-f]+\.rlib$/.test(file));
}
