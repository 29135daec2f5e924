import { ScriptcellError } from "../../errors.ts";
import type { CommandOptions } from "../command.ts";
import type { Apt } from "./apt.ts";

/** One package as the signed index describes it. */
export interface DebianPackage {
  name: string;
  version: string;
  architecture: string;
  section: string;
  /** Names that it depends on, the first of each list of alternatives. */
  depends: readonly string[];
  /** Size of the `.deb` in bytes. */
  bytes: number;
  /** Unpacked size in bytes, as estimated by Debian. */
  installedBytes: number;
  sha256: string;
}

/** Parses the stanzas that `apt-cache show` prints. */
export function parsePackages(text: string): readonly DebianPackage[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string): string =>
      new RegExp(`^${name}: *(.*)$`, "m").exec(stanza)?.[1]?.trim() ?? "";
    const name = field("Package");
    if (name === "" || field("SHA256") === "") return [];
    return [
      {
        name,
        version: field("Version"),
        architecture: field("Architecture"),
        section: field("Section"),
        depends: [field("Pre-Depends"), field("Depends")].flatMap(dependencyNames),
        bytes: Number(field("Size")),
        installedBytes: Number(field("Installed-Size")) * 1024,
        sha256: field("SHA256").toLowerCase(),
      },
    ];
  });
}

function dependencyNames(field: string): readonly string[] {
  return field.split(",").flatMap((entry) => /^\s*([a-z0-9][a-z0-9+.-]*)/.exec(entry)?.[1] ?? []);
}

/**
 * The packages of these names with every library that they need, in the versions that apt would choose.
 * Only packages of the section `libs` are followed: a compiler's `Depends` also name what links native programs
 * (gcc, binutils, clang), and none of that is needed to make WebAssembly.
 * @throws ScriptcellError `SETUP_FAILED` where a package is not in the index.
 */
export async function resolvePackages(
  apt: Apt,
  names: readonly string[],
  options: CommandOptions,
): Promise<readonly DebianPackage[]> {
  const chosen = new Map<string, DebianPackage>();
  const passedOver = new Set<string>();
  for (let wanted: readonly string[] = names; wanted.length > 0; ) {
    const found = await showPackages(apt, wanted, options);
    for (const name of wanted) {
      const entry = found.find((candidate) => candidate.name === name);
      const required = names.includes(name);
      if (entry === undefined && required) {
        throw new ScriptcellError(
          "SETUP_FAILED",
          `the package ${name} is not in the archive: try again later, or install rustup (https://rustup.rs)`,
        );
      }
      if (entry !== undefined && (required || entry.section === "libs")) chosen.set(name, entry);
      else passedOver.add(name);
    }
    const next = [...chosen.values()].flatMap((entry) => entry.depends);
    wanted = [...new Set(next)].filter((name) => !chosen.has(name) && !passedOver.has(name));
  }
  return [...chosen.values()];
}

/** What the index says about packages of these names; those that it does not have are left out. */
export async function showPackages(
  apt: Apt,
  names: readonly string[],
  options: CommandOptions,
): Promise<readonly DebianPackage[]> {
  return parsePackages(
    await apt.run("apt-cache", ["show", "--no-all-versions", ...names], { ...options, accept: [0, 100] }),
  );
}
