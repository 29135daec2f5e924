import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ScriptcellError } from "../../errors.ts";
import { type CommandOptions, runCommand } from "../command.ts";
import type { Architecture } from "./architecture.ts";

/** Where packages come from: one line of a sources.list. */
export interface PackageSource {
  /** The archive's base, `http://mirror.example.org/debian`. */
  uri: string;
  /** `testing`, `bookworm-updates`. */
  suite: string;
}

/** An apt that keeps everything it writes in one directory, knows no installed package, and needs no root. */
export interface Apt {
  /** Where `download` puts packages. */
  archives: string;
  /** Runs one of apt's programs with this configuration; returns its standard output. */
  run(program: "apt-get" | "apt-cache", args: readonly string[], options?: CommandOptions): Promise<string>;
}

/** The system's settings on how to reach its mirrors; nothing that weakens signatures, no hooks, no extra indexes. */
const KEPT_SETTINGS =
  /^Acquire::(?:https?::|tor::|ForceIPv[46] |Check-Valid-Until |Check-Date |Max-ValidTime)/i;

/**
 * Prepares an apt of scriptcell's own in `directory` that reads only these sources and trusts only this keyring.
 * The lists are kept per directory: use one per set of sources.
 */
export async function privateApt(
  directory: string,
  sources: readonly PackageSource[],
  keyring: string,
  architecture: Architecture,
): Promise<Apt> {
  assertQuotable(directory);
  const archives = join(directory, "archives");
  const lists = join(directory, "lists");
  await mkdir(join(lists, "partial"), { recursive: true });
  await mkdir(join(directory, "cache", "archives", "partial"), { recursive: true });
  const temporary = join(directory, "tmp");
  await mkdir(archives, { recursive: true });
  await mkdir(temporary, { recursive: true });
  await writeFile(join(directory, "status"), "");
  const sourcesList = join(directory, "sources.list");
  await writeFile(
    sourcesList,
    sources.map(({ uri, suite }) => `deb [signed-by=${keyring}] ${uri} ${suite} main\n`).join(""),
  );
  const configuration = join(directory, "apt.conf");
  const settings = [
    // The system's own configuration is not read: its hooks would run as this user, on the system's files.
    ["Dir::Etc::main", "/dev/null"],
    ["Dir::Etc::parts", "/dev/null"],
    ["Dir::Etc::sourcelist", sourcesList],
    ["Dir::Etc::sourceparts", "/dev/null"],
    ["Dir::Etc::preferences", "/dev/null"],
    ["Dir::Etc::preferencesparts", "/dev/null"],
    ["Dir::State", directory],
    ["Dir::State::lists", lists],
    ["Dir::State::status", join(directory, "status")],
    ["Dir::Cache", join(directory, "cache")],
    ["Dir::Log", "/dev/null"],
    ["APT::Architecture", architecture.name],
    ["APT::Architectures", architecture.name],
    // As root, apt would download as the user _apt, who cannot enter a private directory.
    ["APT::Sandbox::User", "root"],
    ["APT::Get::AllowUnauthenticated", "false"],
    ["Acquire::AllowInsecureRepositories", "false"],
    ["Acquire::AllowWeakRepositories", "false"],
    ["Acquire::AllowDowngradeToInsecureRepositories", "false"],
    ["Acquire::Languages", "none"],
    ["Acquire::GzipIndexes", "true"],
    ["Acquire::Retries", "3"],
    // Some mirrors and proxies lose pipelined requests, which then cost a timeout each.
    ["Acquire::http::Pipeline-Depth", "0"],
    ["Acquire::http::Timeout", "30"],
    ["Acquire::https::Timeout", "30"],
  ];
  const own = settings.map(([name, value]) => `${name} "${value}";\n`).join("");
  await writeFile(configuration, (await systemSettings()) + own);
  return {
    archives,
    run: (program, args, options = {}) =>
      runCommand(program, args, {
        ...options,
        env: { ...options.env, APT_CONFIG: configuration, TMPDIR: temporary },
      }),
  };
}

async function systemSettings(): Promise<string> {
  const dump = await runCommand("apt-config", ["dump", "Acquire"], { timeoutMs: 30_000 });
  return dump
    .split("\n")
    .filter((line) => KEPT_SETTINGS.test(line))
    .map((line) => `${line}\n`)
    .join("");
}

// These paths stand in apt's configuration, in sources.list and in the RPATH of programs, none of which can quote everything.
function assertQuotable(directory: string): void {
  if (!/["\\$:;\p{Cc}]/u.test(directory)) return;
  throw new ScriptcellError(
    "SETUP_FAILED",
    `the cache directory's path has characters that apt or the dynamic loader cannot take (${directory}): set XDG_CACHE_HOME to a plain path`,
  );
}
