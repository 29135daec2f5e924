import { readFile } from "node:fs/promises";

/** What os-release(5) says about a Linux system. */
export interface OsRelease {
  /** `debian`, `fedora`. */
  id: string;
  /** Systems that it derives from, nearest first. */
  like: readonly string[];
  /** `bookworm`; empty where there is none. */
  codename: string;
  /** For people: `Debian GNU/Linux 12 (bookworm)`. */
  name: string;
}

/** Reads `/etc/os-release`, else `/usr/lib/os-release`; `linux` where there is neither. */
export async function readOsRelease(): Promise<OsRelease> {
  for (const path of ["/etc/os-release", "/usr/lib/os-release"]) {
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text !== undefined) return parseOsRelease(text);
  }
  return { id: "linux", like: [], codename: "", name: "Linux" };
}

/** Parses the variables of os-release(5). */
export function parseOsRelease(text: string): OsRelease {
  const variables = new Map(
    [...text.matchAll(/^([A-Z_0-9]+)=(?:"((?:\\.|[^"])*)"|'([^']*)'|(\S*))\s*$/gm)].map(
      ([, name = "", double, single, plain]) => [
        name,
        double?.replace(/\\(.)/g, "$1") ?? single ?? plain ?? "",
      ],
    ),
  );
  const id = variables.get("ID") ?? "linux";
  return {
    id,
    like: (variables.get("ID_LIKE") ?? "").split(/\s+/).filter((name) => name !== ""),
    codename: variables.get("VERSION_CODENAME") ?? "",
    name: variables.get("PRETTY_NAME") ?? id,
  };
}
