import { randomUUID } from "node:crypto";
import { rm, stat, statfs, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ScriptcellError, type ScriptcellErrorCode } from "../errors.ts";
import { findBubblewrap } from "../jail/bubblewrap.ts";
import type { BubblewrapProbe, JailMode } from "../jail/jail.ts";
import { checkUserNamespaces } from "../jail/user-namespaces.ts";
import { findToolchain } from "./find.ts";
import { hasSetpriv, type Measure, measuresInForce } from "./measures.ts";
import { findOnPath } from "./path.ts";
import type { Toolchain } from "./toolchain.ts";
import { isAtLeast } from "./version.ts";

/** The oldest Node.js that runs scriptcell. */
export const MINIMUM_NODE = "22.18.0";

/** One finding: all is well, or what is wrong and what to do about it. */
export type Finding<T = object> = ({ ok: true } & T) | { ok: false; reason: string; remedy: string };

/** What scriptcell found on this machine. */
export interface DoctorReport {
  /** Whether scripts can be compiled and run under the asked-for jail mode. */
  ok: boolean;
  node: Finding & { version: string };
  /** `linux x64`. */
  platform: string;
  toolchain: { ok: true; toolchain: Toolchain } | { ok: false; code: ScriptcellErrorCode; message: string };
  /** What jails are asked for, whether one is in force, and the bubblewrap that makes it. */
  jail: { mode: JailMode; inForce: boolean; bubblewrap: BubblewrapProbe };
  /** prlimit bounds the memory and processor time of the compiler. Without it nothing is compiled. */
  prlimit: Finding<{ path: string }>;
  /** Whether compiled modules can be kept between processes. */
  cacheDir: Finding<{ freeBytes: number }> & { path: string };
  /** Whether this user can have namespaces of their own, as far as the kernel's switches say; bubblewrap's probe is the real trial. */
  userNamespaces: Finding;
  /** What confines the compiler and the cells (those that are processes) here and now. */
  measures: readonly Measure[];
}

/** What to look at. */
export interface DoctorOptions {
  cacheDir: string;
  /** As the executor's toolchain option. */
  rustc?: string;
  jail: JailMode;
}

/** Looks at everything that compiling and running scripts needs. Changes nothing, and throws for nothing that it finds. */
export async function doctor(options: DoctorOptions): Promise<DoctorReport> {
  const [toolchain, bubblewrap, prlimit, setpriv, cacheDir, userNamespaces] = await Promise.all([
    findToolchainOrWhyNot(options),
    findBubblewrap({ cacheDir: options.cacheDir }),
    findPrlimit(),
    hasSetpriv(),
    checkCacheDir(options.cacheDir),
    checkUserNamespaces(),
  ]);
  const node = checkNode(process.versions.node);
  const jail = { mode: options.jail, inForce: options.jail !== "off" && bubblewrap.ok, bubblewrap };
  const ok = node.ok && toolchain.ok && prlimit.ok && (options.jail !== "required" || bubblewrap.ok);
  return {
    ok,
    node,
    platform: `${process.platform} ${process.arch}`,
    toolchain,
    jail,
    prlimit,
    cacheDir,
    userNamespaces,
    measures: measuresInForce({ jailed: jail.inForce, prlimit: prlimit.ok, setpriv }),
  };
}

/** Whether this version of Node.js will do. */
export function checkNode(version: string): DoctorReport["node"] {
  if (isAtLeast(version, MINIMUM_NODE)) return { ok: true, version };
  return {
    ok: false,
    version,
    reason: `Node.js ${version} is older than ${MINIMUM_NODE}`,
    remedy: "install a current Node.js: https://nodejs.org",
  };
}

async function findToolchainOrWhyNot({ rustc, cacheDir }: DoctorOptions): Promise<DoctorReport["toolchain"]> {
  try {
    return {
      ok: true,
      toolchain: await findToolchain({ cacheDir, ...(rustc === undefined ? {} : { rustc }) }),
    };
  } catch (error) {
    if (error instanceof ScriptcellError) return { ok: false, code: error.code, message: error.message };
    throw error;
  }
}

async function findPrlimit(): Promise<DoctorReport["prlimit"]> {
  const path = (await findOnPath("prlimit"))[0];
  if (path !== undefined) return { ok: true, path };
  return process.platform === "linux"
    ? { ok: false, reason: "prlimit is not on PATH", remedy: "install util-linux" }
    : {
        ok: false,
        reason: "prlimit is a program of Linux",
        remedy: "compile on Linux: elsewhere nothing can bound the compiler's memory yet",
      };
}

async function checkCacheDir(path: string): Promise<DoctorReport["cacheDir"]> {
  try {
    const existing = await nearestExisting(path);
    const trial = join(existing, `.scriptcell-${randomUUID()}`);
    await writeFile(trial, "", { flag: "wx" });
    await rm(trial);
    const { bavail, bsize } = await statfs(existing);
    return { ok: true, path, freeBytes: bavail * bsize };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      ok: false,
      path,
      reason,
      remedy: "make it writable, or set XDG_CACHE_HOME to a directory that is",
    };
  }
}

async function nearestExisting(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined || dirname(path) === path ? path : await nearestExisting(dirname(path));
}
