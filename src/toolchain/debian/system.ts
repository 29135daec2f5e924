import { readOsRelease } from "../os-release.ts";
import { findOnPath } from "../path.ts";
import type { PackageSource } from "./apt.ts";
import { type Architecture, systemArchitecture } from "./architecture.ts";
import { debianArchives, debianKeyring, ownSuites, systemSources } from "./mirrors.ts";

/** Where packages come from, and for which machine. */
export interface DebianSystem {
  /** Bases of Debian archives that the system's apt names, best first. */
  archives: readonly string[];
  /** The system's own release with its updates: packages that fit the installed libraries. */
  ownSources: readonly PackageSource[];
  /** File with the keys that sign the archives. */
  keyring: string;
  architecture: Architecture;
}

/** Describes the Debian system that this is, or says why Debian's packages cannot be had here. */
export type DescribeSystem = (signal: AbortSignal | undefined) => Promise<DebianSystem | string>;

const PROGRAMS = ["apt-get", "apt-cache", "apt-config", "dpkg", "dpkg-deb"];

/** Describes this machine. */
export const debianSystem: DescribeSystem = async (signal) => {
  if (process.platform !== "linux") return "there is no apt";
  for (const program of PROGRAMS) {
    if ((await findOnPath(program)).length === 0) return `there is no ${program}`;
  }
  const keyring = debianKeyring();
  if (keyring === undefined) return "Debian's archive keys are not installed";
  const release = await readOsRelease();
  const sources = await systemSources(signal);
  const archives = debianArchives(sources, release);
  if (archives.length === 0) return "its apt names no Debian archive";
  return {
    archives,
    ownSources: ownSuites(sources, release),
    keyring,
    architecture: await systemArchitecture(signal),
  };
};
