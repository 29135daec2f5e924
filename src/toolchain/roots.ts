import { readFile, realpath } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { sharedLibrariesOf } from "../jail/libraries.ts";
import { isScript } from "./probe.ts";

/** What an installed rustc that is not scriptcell's own needs at run time. */
export interface RuntimeNeeds {
  roots: readonly string[];
  env: Readonly<Record<string, string>>;
}

/**
 * Files and variables that a rustc and its linker need: the compiler, its rustlib directory, and the shared libraries,
 * never the sysroot as a whole, which is all of `/usr` for a distribution's rustc.
 */
export async function runtimeNeeds(
  rustc: string,
  sysroot: string,
  linker: string | undefined,
): Promise<RuntimeNeeds> {
  const rustlib = join(sysroot, "lib", "rustlib");
  if (process.platform !== "linux") return { roots: [rustc, sysroot], env: {} };
  const programs = await Promise.all([rustc, ...(linker === undefined ? [] : [linker])].map(programFiles));
  const files = programs.flat();
  // rustc works out its sysroot from the place that its driver library was loaded from. Without /proc it cannot tell its own
  // place, and a jail has no /lib that is a link to /usr/lib, so it is led to the library where that really lies.
  const driver = files.find((file) => /\/librustc_driver-[^/]*\.so$/.test(file));
  const realDriver = driver === undefined ? [] : [await realpath(driver)];
  const roots = [...new Set([rustlib, ...files, ...realDriver])];
  const [libraryDir] = realDriver.map(dirname);
  return {
    roots: roots.filter((file) => !file.startsWith(rustlib + sep)),
    env: libraryDir === undefined ? {} : { LD_LIBRARY_PATH: libraryDir },
  };
}

/** A program and what it loads; for a script, the script and its interpreter with what that loads. */
async function programFiles(path: string): Promise<readonly string[]> {
  if (await isScript(path)) {
    const interpreter = /^#!\s*(\S+)/.exec((await readFile(path, "utf8")).slice(0, 512))?.[1];
    return interpreter === undefined
      ? [path]
      : [path, interpreter, ...(await sharedLibrariesOf(interpreter))];
  }
  const real = await realpath(path);
  return [path, real, ...(await sharedLibrariesOf(real))];
}
