import { open, realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { ScriptcellError } from "../errors.ts";
import { remember } from "./probe-cache.ts";
import { RUSTUP_DIRECTORY, rustupContext } from "./rustup.ts";

/** What a rustc says about itself. */
export interface RustcProbe {
  /** Absolute path of the executable to start; not always the path that was asked for. */
  rustc: string;
  /** `1.97.1`, `1.99.0-nightly`. */
  version: string;
  /** Output of `rustc -vV`. */
  versionVerbose: string;
  /** Host triple. */
  host: string;
  sysroot: string;
}

const probeSchema: z.ZodType<RustcProbe> = z.strictObject({
  rustc: z.string(),
  version: z.string(),
  versionVerbose: z.string(),
  host: z.string(),
  sysroot: z.string(),
});

const EXECUTABLE = process.platform === "win32" ? "rustc.exe" : "rustc";

/**
 * Asks the rustc at an absolute path what it is, or remembers what it said (path, size and modification time unchanged).
 * A path that only forwards (rustup's proxy, a version manager's shim) is resolved to the compiler that it would start here
 * and now, because that one starts without a home directory.
 * @throws ScriptcellError `RUSTC_MISSING` where it cannot be run.
 */
export async function probeRustc(path: string, cacheDir: string): Promise<RustcProbe> {
  return await describe(await resolveCompiler(path, cacheDir), cacheDir);
}

async function resolveCompiler(path: string, cacheDir: string): Promise<string> {
  const real = await realpath(path).catch((cause: unknown) => {
    throw new ScriptcellError(
      "RUSTC_MISSING",
      `there is no rustc at ${path}: correct the path, or run \`scriptcell setup\``,
      { cause },
    );
  });
  if (await isFile(join(dirname(real), "..", "lib", "rustlib"), "directory")) return real;
  const askWhere = async (): Promise<string> => {
    const sysroot = (await runRustc(path, ["--print", "sysroot"], "caller")).trim();
    const compiler = join(sysroot, "bin", EXECUTABLE);
    if (!(await isFile(compiler, "file"))) return path;
    // A wrapper that starts its compiler in a special way says the same version, and the bare compiler may not start at all.
    const [wrapped, bare] = await Promise.allSettled([
      runRustc(path, ["-vV"], "caller"),
      runRustc(compiler, ["-vV"], "none"),
    ]);
    if (wrapped.status === "rejected") throw wrapped.reason;
    return bare.status === "fulfilled" && bare.value === wrapped.value ? compiler : path;
  };
  const isRustup =
    basename(real).replace(/\.exe$/, "") === "rustup" ||
    (await isFile(join(dirname(real), "rustup"), "file"));
  if (!isRustup) return await askWhere();
  const key = JSON.stringify(["where", path, await fingerprint(real), ...(await rustupContext())]);
  const compiler = await remember(cacheDir, key, z.string(), askWhere);
  return (await isFile(compiler, "file")) ? compiler : await askWhere();
}

async function describe(path: string, cacheDir: string): Promise<RustcProbe> {
  if (await isScript(path)) return await probeCompiler(path);
  const key = JSON.stringify(["what", path, await fingerprint(path)]);
  return await remember(cacheDir, key, probeSchema, () => probeCompiler(path));
}

/** Asks the compiler at this path, and remembers nothing. */
export async function probeCompiler(path: string): Promise<RustcProbe> {
  // A script may need the caller's variables; a compiler has to do without, as it will when it compiles.
  const environment = process.platform === "win32" || (await isScript(path)) ? "caller" : "none";
  const [versionVerbose, sysroot] = await Promise.all([
    runRustc(path, ["-vV"], environment),
    runRustc(path, ["--print", "sysroot"], environment),
  ]);
  const version = /^release: (\S+)$/m.exec(versionVerbose)?.[1];
  const host = /^host: (\S+)$/m.exec(versionVerbose)?.[1];
  if (version === undefined || host === undefined) {
    throw new ScriptcellError(
      "RUSTC_MISSING",
      `${path} does not answer \`-vV\` as rustc does: name a real rustc, or run \`scriptcell setup\``,
    );
  }
  return { rustc: path, version, versionVerbose, host, sysroot: sysroot.trim() };
}

async function runRustc(
  path: string,
  args: readonly string[],
  environment: "caller" | "none",
): Promise<string> {
  const result = await execa(path, args, {
    cwd: RUSTUP_DIRECTORY,
    // A proxy must not start to download a toolchain behind the caller's back.
    env: { RUSTUP_AUTO_INSTALL: "0", LC_ALL: "C" },
    extendEnv: environment === "caller",
    stdin: "ignore",
    reject: false,
    timeout: 30_000,
    killSignal: "SIGKILL",
    stripFinalNewline: false,
  });
  if (result.exitCode === 0) return result.stdout;
  const said = (result.stderr || result.originalMessage || result.shortMessage || "").trim().slice(0, 500);
  throw new ScriptcellError(
    "RUSTC_MISSING",
    `${path} could not be run: ${said}. Repair it, or run \`scriptcell setup\` for a rustc of scriptcell's own`,
    { cause: result },
  );
}

async function fingerprint(path: string): Promise<readonly number[]> {
  const { size, mtimeMs } = await stat(path);
  return [size, mtimeMs];
}

async function isFile(path: string, kind: "file" | "directory"): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return kind === "file" ? found?.isFile() === true : found?.isDirectory() === true;
}

/** Whether the file starts with `#!`. */
export async function isScript(path: string): Promise<boolean> {
  try {
    await using file = await open(path, "r");
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer.toString("latin1") === "#!";
  } catch {
    // A program that may be run and not read is no script: the shell could not read it either.
    return false;
  }
}
