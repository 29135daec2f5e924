import { isAbsolute, resolve } from "node:path";
import { ScriptcellError } from "../errors.ts";
import { findLinker } from "./linker.ts";
import { ownToolchain } from "./own.ts";
import { findOnPath } from "./path.ts";
import { probeRustc } from "./probe.ts";
import { runtimeNeeds } from "./roots.ts";
import { wasmTargets } from "./targets.ts";
import type { Toolchain, ToolchainOrigin } from "./toolchain.ts";
import { isAtLeast, MINIMUM_RUSTC } from "./version.ts";

/** Where to look for a toolchain. */
export interface FindOptions {
  /** Path of a rustc, or its name on PATH. Default: the variable `RUSTC`, then PATH, then scriptcell's own. */
  rustc?: string;
  /** Directory of scriptcell's own toolchain and of what is remembered about others. */
  cacheDir: string;
}

/** The target that scripts are compiled for. */
export const TARGET = "wasm32-wasip1";

/**
 * Finds a rustc that can compile scripts. One that was named (option, `RUSTC`) has to do; one that merely lies on PATH
 * is passed over for scriptcell's own where it will not do.
 * @throws ScriptcellError `RUSTC_MISSING`, `TARGET_MISSING` or `RUSTC_TOO_OLD`, each with the command to run.
 */
export async function findToolchain(options: FindOptions): Promise<Toolchain> {
  const named = namedRustc(options.rustc);
  if (named === undefined) return await findUnnamed(options.cacheDir);
  return await inspect(await locate(named), named.origin, options.cacheDir);
}

/** As {@link findToolchain}, for what nobody named: PATH, then scriptcell's own. */
export async function findUnnamed(cacheDir: string): Promise<Toolchain> {
  const failures: ScriptcellError[] = [];
  for (const path of await findOnPath("rustc")) {
    try {
      return await inspect(path, "PATH", cacheDir);
    } catch (error) {
      if (!(error instanceof ScriptcellError)) throw error;
      failures.push(error);
    }
  }
  const own = await ownToolchain(cacheDir);
  if (own !== undefined) return own;
  const [first] = failures.sort((a, b) => RANK.indexOf(a.code) - RANK.indexOf(b.code));
  throw (
    first ??
    new ScriptcellError(
      "RUSTC_MISSING",
      "there is no rustc on PATH and none of scriptcell's own: run `scriptcell setup`",
    )
  );
}

/** The failure that is nearest to working is the one worth telling. */
const RANK: readonly string[] = ["TARGET_MISSING", "RUSTC_TOO_OLD", "JAIL_UNAVAILABLE", "RUSTC_MISSING"];

interface Named {
  rustc: string;
  origin: "option" | "RUSTC";
}

function namedRustc(option: string | undefined): Named | undefined {
  if (option !== undefined) return { rustc: option, origin: "option" };
  const variable = process.env.RUSTC;
  return variable === undefined || variable === "" ? undefined : { rustc: variable, origin: "RUSTC" };
}

async function locate({ rustc, origin }: Named): Promise<string> {
  if (isAbsolute(rustc) || /[/\\]/.test(rustc)) return resolve(rustc);
  const found = (await findOnPath(rustc))[0];
  if (found !== undefined) return found;
  throw new ScriptcellError(
    "RUSTC_MISSING",
    `${named(origin)} names ${rustc}, which is not on PATH: name a path, or leave it out and run \`scriptcell setup\``,
  );
}

const named = (origin: "option" | "RUSTC"): string =>
  origin === "option" ? "the toolchain option" : "the variable RUSTC";

async function inspect(
  path: string,
  origin: Exclude<ToolchainOrigin, "scriptcell">,
  cacheDir: string,
): Promise<Toolchain> {
  const { rustc, version, versionVerbose, host, sysroot } = await probeRustc(path, cacheDir);
  const what =
    origin === "PATH"
      ? `rustc ${version} (${path})`
      : `rustc ${version} (${path}, named by ${named(origin)})`;
  const orOwn = origin === "PATH" ? "run `scriptcell setup`" : "name no rustc and run `scriptcell setup`";
  if (!isAtLeast(version, MINIMUM_RUSTC)) {
    throw new ScriptcellError(
      "RUSTC_TOO_OLD",
      `${what} is older than ${MINIMUM_RUSTC}, the first with edition 2024: ${orOwn}, or \`rustup update\``,
    );
  }
  const targets = await wasmTargets(sysroot);
  if (!targets.includes(TARGET)) {
    throw new ScriptcellError(
      "TARGET_MISSING",
      `${what} has no ${TARGET}: ${orOwn}, or \`rustup target add ${TARGET}\``,
    );
  }
  const linker = await findLinker(rustc, sysroot, host);
  if (linker === undefined) {
    throw new ScriptcellError(
      "TARGET_MISSING",
      `${what} has ${TARGET} but no linker for it (rust-lld): ${orOwn}, or install your distribution's lld package`,
    );
  }
  return {
    rustc,
    version,
    versionVerbose,
    host,
    sysroot,
    targets,
    ...(linker.kind === "external" ? { linker: linker.path } : {}),
    ...(await runtimeNeeds(rustc, sysroot, linker.path)),
    origin,
  };
}
