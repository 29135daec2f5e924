import { crateOfMacro, insteadOfCrate } from "./crate-hints.ts";
import type { Diagnostic } from "./diagnostics.ts";
import { missingName } from "./missing-name.ts";

const FOREIGN_OS =
  /(?:cannot find|could not find|no) `(unix|linux|windows|macos|android)` in `os`|^unresolved import `std::os::(unix|linux|windows|macos|android)\b/;
const UNSTABLE_LIBRARY = /^use of unstable library feature /;
const PROC_MACRO = /^the `#\[proc_macro(?:_\w+)?\]` attribute is only usable with crates of/;

/** What rustc's message does not say: that a script has no crates, no second file, no operating system, and a stable compiler. */
export function addHint(diagnostic: Diagnostic): Diagnostic {
  const hint = hintFor(diagnostic);
  if (hint === undefined) return diagnostic;
  return {
    ...diagnostic,
    children: [...diagnostic.children, { level: "help", message: hint, spans: [] }],
    rendered: `${diagnostic.rendered}\n${gutterOf(diagnostic.rendered)}= help: ${hint}`,
  };
}

function hintFor(diagnostic: Diagnostic): string | undefined {
  if (diagnostic.level !== "error") return undefined;
  return hintForPlace(diagnostic) ?? hintForCode(diagnostic) ?? hintForMissing(diagnostic);
}

/** Names of other systems, which std's path leads to nowhere here. */
function hintForPlace({ message, spans }: Diagnostic): string | undefined {
  const said = [message, ...spans.map(({ label }) => label ?? "")];
  const found = said.map((text) => FOREIGN_OS.exec(text)).find((match) => match !== null);
  if (found === undefined)
    return PROC_MACRO.test(message)
      ? "a script is a program and cannot define procedural macros: use `macro_rules!`, or write the code out"
      : undefined;
  const system = found[1] ?? found[2];
  return `scripts run on wasm32-wasip1, which has no \`std::os::${system}\`: use what std offers on every system, \`std::fs\`, \`std::io\` and \`std::path\``;
}

function hintForCode({ code, message }: Diagnostic): string | undefined {
  switch (code) {
    case "E0601":
      return "a script is a whole program: add `fn main()`, which reads its input from stdin and prints its result to stdout";
    case "E0752":
      return "there is no async runtime: make it a plain `fn main()` and call plain functions";
    case "E0583":
      return "a script is one file: write the module into it, `mod name { … }`";
    case "E0554":
      return "scripts are compiled by a stable rustc: remove the attribute, and what needs it";
    case "E0658":
      return UNSTABLE_LIBRARY.test(message)
        ? "scripts are compiled by a stable rustc, where this cannot be switched on: write it with what is stable"
        : undefined;
    default:
      return undefined;
  }
}

/** Crates; by their own name, or by that of what they are known for. */
function hintForMissing(diagnostic: Diagnostic): string | undefined {
  const missing = missingName(diagnostic);
  // Where rustc has an edit to propose, an `use` for one, it is no crate that is missing.
  if (missing === undefined || missing.kind === "item" || diagnostic.suggestions.length > 0) return undefined;
  const { kind, name } = missing;
  if (kind === "module") {
    const instead = insteadOfCrate(name);
    if (instead !== undefined) return withoutCrate(instead);
    return `no crates but std are available: if \`${name}\` is one, write what you need of it; if it is a module, define it in the script`;
  }
  const crate = crateOfMacro(name, kind);
  const instead = crate === undefined ? undefined : insteadOfCrate(crate);
  if (instead !== undefined) return withoutCrate(instead);
  if (kind === "macro") return undefined;
  return `no crates but std are available, and with them none of their derives and attributes: remove \`${name}\` and write the code out`;
}

function withoutCrate(instead: string): string {
  return `no crates but std are available: ${instead}`;
}

/** The blanks before the `|` and `=` of rustc's own lines. */
function gutterOf(rendered: string): string {
  return /^ +(?=[|=])/m.exec(rendered)?.[0] ?? "  ";
}
