import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ScriptcellError } from "../../errors.ts";
import type { OnProgress } from "../progress.ts";
import type { Apt } from "./apt.ts";
import type { DebianPackage } from "./packages.ts";

/**
 * Downloads packages and returns their files. What an interrupted set-up downloaded is used again, if its digest is the
 * one in the signed index; a partial or damaged file is fetched anew.
 * @throws ScriptcellError `SETUP_FAILED`.
 */
export async function downloadPackages(
  apt: Apt,
  packages: readonly DebianPackage[],
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const missing: DebianPackage[] = [];
  for (const entry of packages) if ((await intactFile(apt, entry)) === undefined) missing.push(entry);
  const megabytes = Math.ceil(missing.reduce((sum, entry) => sum + entry.bytes, 0) / 1e6);
  const kept = packages.length - missing.length;
  onProgress({
    step: "download",
    message:
      missing.length === 0
        ? `all ${kept} packages are in ${apt.archives} already`
        : `downloading ${missing.length} packages, ${megabytes} MB, to ${apt.archives}${kept > 0 ? ` (${kept} are there already)` : ""}`,
  });
  if (missing.length > 0) {
    await apt.run(
      "apt-get",
      ["download", "--quiet", ...missing.map(({ name, version }) => `${name}=${version}`)],
      {
        cwd: apt.archives,
        signal,
        onLine: (line) => {
          const got = /^Get:\d+ .* (\S+) \S+ (\S+) \[(.*)\]$/.exec(line);
          if (got !== null) onProgress({ step: "download", message: `  ${got[1]} ${got[2]} (${got[3]})` });
        },
      },
    );
  }
  return await Promise.all(
    packages.map(async (entry) => {
      const file = await intactFile(apt, entry);
      if (file !== undefined) return file;
      throw new ScriptcellError(
        "SETUP_FAILED",
        `the download of ${entry.name} ${entry.version} does not match the signed index: run \`scriptcell setup\` again`,
      );
    }),
  );
}

/** The package's file if its digest is right. A file of its name that is not right is removed. */
async function intactFile(apt: Apt, entry: DebianPackage): Promise<string | undefined> {
  // apt names files after the package, with the version's colon escaped.
  const name = `${entry.name}_${entry.version.replaceAll(":", "%3a")}_${entry.architecture}.deb`;
  if (!(await readdir(apt.archives)).includes(name)) return undefined;
  const file = join(apt.archives, name);
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  if (hash.digest("hex") === entry.sha256) return file;
  await rm(file);
  return undefined;
}
