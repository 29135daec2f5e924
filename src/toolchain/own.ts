import { stat } from "node:fs/promises";
import { z } from "zod";
import { readPointer } from "./installation.ts";
import { toolchainLayout } from "./layout.ts";
import { wasmTargets } from "./targets.ts";
import type { Toolchain } from "./toolchain.ts";

/** What the pointer of scriptcell's own toolchain says. */
export interface OwnToolchainRecord {
  /** The installation's directory, absolute. */
  directory: string;
  rustc: string;
  /** Size of rustc in bytes: another one is not the one that was tried. */
  rustcBytes: number;
  version: string;
  versionVerbose: string;
  host: string;
  sysroot: string;
  /** Debian packages with their versions, for `doctor` and bug reports. */
  packages: Record<string, string>;
  /** `testing` or `stable`. */
  suite: string;
}

const recordSchema: z.ZodType<OwnToolchainRecord> = z.strictObject({
  directory: z.string(),
  rustc: z.string(),
  rustcBytes: z.number(),
  version: z.string(),
  versionVerbose: z.string(),
  host: z.string(),
  sysroot: z.string(),
  packages: z.record(z.string(), z.string()),
  suite: z.string(),
});

/** The toolchain that `setup` installed below this cache directory; undefined where there is none that is complete. */
export async function ownToolchain(cacheDir: string): Promise<Toolchain | undefined> {
  const record = await readPointer(toolchainLayout(cacheDir).toolchainPointer, recordSchema);
  if (record === undefined) return undefined;
  const rustc = await stat(record.rustc).catch(() => undefined);
  const targets = await wasmTargets(record.sysroot);
  if (rustc?.size !== record.rustcBytes || !targets.includes("wasm32-wasip1")) return undefined;
  const { version, versionVerbose, host, sysroot, directory } = record;
  return {
    rustc: record.rustc,
    version,
    versionVerbose,
    host,
    sysroot,
    targets,
    env: {},
    roots: [directory],
    origin: "scriptcell",
  };
}
