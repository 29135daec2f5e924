import { open, realpath, stat } from "node:fs/promises";
import { normalize } from "node:path";
import { execa } from "execa";
import { ScriptcellError } from "../errors.ts";
import { type ElfFile, readElf } from "./elf.ts";

const known = new Map<string, Promise<string[]>>();

/**
 * The files that an ELF executable needs at run time besides itself: its interpreter (the dynamic loader) first, then every
 * shared library, each at the path at which the loader opens it. A path may be a symbolic link
 * (`/lib64/ld-linux-x86-64.so.2`): a jail has to show what it points to, at the path given here.
 * Empty for a static executable. Answers are kept as long as the executable's size and modification time stay the same.
 *
 * The loader itself is asked, with no variables set. Only for executables that are trusted: on glibc, the file is mapped.
 * @throws ScriptcellError `JAIL_UNAVAILABLE` where the file cannot be read, or needs libraries that are not found
 * without `LD_LIBRARY_PATH` or the like.
 */
export async function sharedLibrariesOf(executable: string): Promise<string[]> {
  const path = await realpath(executable).catch((cause: unknown) => {
    throw new ScriptcellError(
      "JAIL_UNAVAILABLE",
      `${executable} cannot be read: give the path of an executable`,
      { cause },
    );
  });
  const { size, mtimeMs } = await stat(path);
  const key = `${size} ${mtimeMs} ${path}`;
  let answer = known.get(key);
  if (answer === undefined) {
    answer = ask(path);
    known.set(key, answer);
    // A failure may pass (a library that is being installed): the next call asks again.
    answer.catch(() => known.delete(key));
  }
  return [...(await answer)];
}

async function ask(path: string): Promise<string[]> {
  const elf = await identify(path);
  if (elf === undefined)
    throw new ScriptcellError(
      "JAIL_UNAVAILABLE",
      `${path} is not an ELF executable: give the program itself, not a script that starts it`,
    );
  if (elf.interpreter === undefined) return [];
  // musl's loader knows no --inhibit-cache, and has no cache.
  const attempts = elf.interpreter.includes("ld-musl") ? [[]] : [["--inhibit-cache"], []];
  let failure = "";
  for (const flags of attempts) {
    const { exitCode, stdout, stderr, shortMessage } = await execa(
      elf.interpreter,
      [...flags, "--list", path],
      {
        env: { LC_ALL: "C" },
        extendEnv: false,
        reject: false,
        timeout: 10_000,
        stdin: "ignore",
      },
    );
    const libraries = parseList(stdout);
    if (exitCode === 0 && libraries !== undefined) {
      // What only the cache knows, a jail finds only with the cache.
      const cache = flags.length === 0 && attempts.length > 1 ? ["/etc/ld.so.cache"] : [];
      return [...new Set([elf.interpreter, ...libraries, ...cache])];
    }
    failure = stderr || stdout || shortMessage || "";
  }
  throw new ScriptcellError(
    "JAIL_UNAVAILABLE",
    `the shared libraries of ${path} cannot be found without variables such as LD_LIBRARY_PATH: ${failure.trim().slice(0, 500)}. Install them where the dynamic loader looks, or run with \`jail: "off"\``,
  );
}

/** Paths in the output of `ld.so --list`; undefined where a library was not found. */
function parseList(output: string): string[] | undefined {
  const paths: string[] = [];
  for (const line of output.split("\n")) {
    const text = line.replace(/\s+\(0x[0-9a-f]+\)$/i, "").trim();
    if (text.endsWith("=> not found")) return undefined;
    const path = text.includes(" => ") ? text.slice(text.indexOf(" => ") + 4) : text;
    // The kernel's own library (linux-vdso) has no path.
    if (path.startsWith("/")) paths.push(normalize(path));
  }
  return paths;
}

async function identify(path: string): Promise<ElfFile | undefined> {
  await using file = await open(path, "r");
  return await readElf(file);
}
