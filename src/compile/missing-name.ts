import type { Diagnostic } from "./diagnostics.ts";

/** What rustc looked for and did not find, where nothing but its name is to blame. */
export interface MissingName {
  /**
   * `module`: the first name of a path, so a crate, a module or nothing at all. `macro`, `derive`, `attribute`: as used.
   * `item`: any other name, without a path before it.
   */
  kind: "module" | "macro" | "derive" | "attribute" | "item";
  name: string;
}

// rustc from 1.85 on; what differs between its versions stands side by side.
const UNLINKED =
  /use of (?:unresolved module or unlinked crate|undeclared crate or module) `(?:r#)?(\w{1,64})`/;
const CRATE = /^can't find crate for `(\w{1,64})`/;
const TYPE = /use of undeclared type `(?:r#)?(\w{1,256})`/;
const IN_SCOPE = /^cannot find ([a-z][a-z,/ -]{1,80}?) `(?:r#)?(\w{1,256})`[^\n]{0,20} in this scope/;
const IMPORT = /^unresolved import `(?:[\w#]+::)*(?:r#)?(\w{1,256})`$/;

const KINDS: Readonly<Record<string, MissingName["kind"]>> = {
  macro: "macro",
  "derive macro": "derive",
  attribute: "attribute",
  "attribute macro": "attribute",
  "module or crate": "module",
};

/** The name that an error says does not exist; undefined for every other error, and for names within something that does exist. */
export function missingName({ level, message, spans }: Diagnostic): MissingName | undefined {
  if (level !== "error") return undefined;
  const said = [message, ...spans.filter(({ primary }) => primary).map(({ label }) => label ?? "")];
  const crate = CRATE.exec(message)?.[1] ?? firstMatch(UNLINKED, said);
  if (crate !== undefined) return { kind: "module", name: crate };
  const [, what, name] = IN_SCOPE.exec(message) ?? [];
  if (what !== undefined && name !== undefined) return { kind: KINDS[what] ?? "item", name };
  const item = firstMatch(TYPE, said) ?? IMPORT.exec(message)?.[1];
  return item === undefined ? undefined : { kind: "item", name: item };
}

function firstMatch(pattern: RegExp, texts: readonly string[]): string | undefined {
  for (const text of texts) {
    const found = pattern.exec(text)?.[1];
    if (found !== undefined) return found;
  }
  return undefined;
}
