import { existsSync } from "node:fs";
import { runCommand } from "../command.ts";
import type { OsRelease } from "../os-release.ts";
import type { PackageSource } from "./apt.ts";

const KEYRINGS = [
  "/usr/share/keyrings/debian-archive-keyring.pgp",
  "/usr/share/keyrings/debian-archive-keyring.gpg",
];

/** The keys that Debian signs its archive with; undefined where the system does not have them. */
export function debianKeyring(): string | undefined {
  return KEYRINGS.find((path) => existsSync(path));
}

/**
 * The package sources that the system's apt is configured with. With downloaded lists `indextargets` knows them; on a fresh
 * system, which has none, apt says what it would fetch.
 */
export async function systemSources(signal?: AbortSignal): Promise<readonly PackageSource[]> {
  const targets = await runCommand(
    "apt-get",
    ["indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
    { signal, timeoutMs: 60_000 },
  );
  const known = parseIndexTargets(targets);
  if (known.length > 0) return known;
  const uris = await runCommand("apt-get", ["update", "--print-uris"], {
    signal,
    timeoutMs: 60_000,
    accept: [0, 100],
  });
  return parsePrintedUris(uris);
}

/** Sources in lines of `URI suite component`. */
export function parseIndexTargets(text: string): readonly PackageSource[] {
  return distinct(
    text.split("\n").flatMap((line) => {
      const [uri, suite, component] = line.trim().split(/\s+/);
      return uri !== undefined && suite !== undefined && component === "main"
        ? [{ uri: trimSlash(uri), suite }]
        : [];
    }),
  );
}

/** Sources in the output of `apt-get update --print-uris`: `'http://host/debian/dists/bookworm/InRelease' file 0`. */
export function parsePrintedUris(text: string): readonly PackageSource[] {
  return distinct(
    [...text.matchAll(/^'([^']+?)\/dists\/([^']+)\/InRelease' /gm)].map(([, uri = "", suite = ""]) => ({
      uri: trimSlash(uri),
      suite,
    })),
  );
}

const trimSlash = (uri: string): string => uri.replace(/\/+$/, "");

function distinct(sources: readonly PackageSource[]): readonly PackageSource[] {
  // Discs and local directories do not hold other suites; a source is used in a sources.list, so it must be one word.
  const usable = sources.filter(
    ({ uri, suite }) => /^(?!cdrom:)[a-z+]+:\S+$/.test(uri) && /^[\w./-]+$/.test(suite),
  );
  return [...new Map(usable.map((source) => [`${source.uri} ${source.suite}`, source])).values()];
}

const SUITES = ["oldoldstable", "oldstable", "stable", "testing", "unstable", "sid"];

/**
 * Archives of Debian among the sources, the one first that carries the system's own suite. Which of them really are
 * Debian's, and hold other suites, only their signatures tell.
 */
export function debianArchives(sources: readonly PackageSource[], system: OsRelease): readonly string[] {
  // A derivative's codename names a suite of its own archive, which is not Debian's.
  const codename = system.id === "debian" ? system.codename : undefined;
  const isMainSuite = (suite: string) => suite === codename || SUITES.includes(suite);
  return [...new Set(sources.filter(({ suite }) => isMainSuite(suite)).map(({ uri }) => uri))];
}

/** The sources of the system's own release with its updates: what fits the libraries that are installed. */
export function ownSuites(sources: readonly PackageSource[], system: OsRelease): readonly PackageSource[] {
  const archives = new Set(debianArchives(sources, system));
  const base = sources.filter(({ uri }) => archives.has(uri));
  const security = sources.filter(({ suite }) => suite.endsWith("-security"));
  return [...new Set([...base, ...security])].filter(
    ({ suite }) => !suite.includes("backports") && !suite.includes("proposed"),
  );
}
