import { stat } from "node:fs/promises";
import { z } from "zod";
import { readPointer } from "../toolchain/installation.ts";
import { toolchainLayout } from "../toolchain/layout.ts";

/** What the pointer of scriptcell's own copy of bubblewrap says. */
export interface OwnBubblewrapRecord {
  /** The installation's directory, absolute. */
  directory: string;
  path: string;
  /** Size of the executable in bytes. */
  bytes: number;
  env: Record<string, string>;
  /** Debian packages with their versions. */
  packages: Record<string, string>;
}

const recordSchema: z.ZodType<OwnBubblewrapRecord> = z.strictObject({
  directory: z.string(),
  path: z.string(),
  bytes: z.number(),
  env: z.record(z.string(), z.string()),
  packages: z.record(z.string(), z.string()),
});

/** The copy that `setup` unpacked below this cache directory; undefined where there is none that is complete. */
export async function ownBubblewrap(cacheDir: string): Promise<OwnBubblewrapRecord | undefined> {
  const record = await readPointer(toolchainLayout(cacheDir).bubblewrapPointer, recordSchema);
  if (record === undefined) return undefined;
  const file = await stat(record.path).catch(() => undefined);
  return file?.size === record.bytes ? record : undefined;
}
