import { lexRust, type RustToken } from "./rust-lexer.ts";
import type { Edition } from "./rustc-flags.ts";

/** Why a source is not given to a compiler that sees the host's files. */
export interface SourceRefusal {
  /** Ends a sentence that begins with "the script ". */
  reason: string;
  /** What to write instead; absent where there is nothing. */
  instead?: string;
  /** Where, in UTF-16 code units. */
  start: number;
  end: number;
}

/** Names with no other use than to bring files, variables or linker arguments in. */
const NEVER: Readonly<Record<string, string>> = {
  include_str: "reads a file at compile time",
  include_bytes: "reads a file at compile time",
  option_env: "reads an environment variable at compile time",
  debugger_visualizer: "reads a file at compile time",
  export_name: "hands a text of its own to the linker, which takes `@file` for a list of arguments",
  global_asm: "contains assembly, which can read files at compile time",
  naked_asm: "contains assembly, which can read files at compile time",
};

/** Macros whose names mean something harmless too. */
const AS_MACRO: Readonly<Record<string, string>> = {
  include: "reads a file at compile time",
  env: "reads an environment variable at compile time",
  asm: "contains assembly, which can read files at compile time",
};

const INSTEAD: Readonly<Record<string, string>> = {
  include: "read the file at run time, from a mount",
  include_str: "read the file at run time, from a mount",
  include_bytes: "read the file at run time, from a mount",
  env: "use `std::env::var`, which reads the variables that the run was granted",
  option_env: "use `std::env::var`, which reads the variables that the run was granted",
};

/** Names that are harmless alone, and an attribute that reads files once a macro has put them together. */
const TOGETHER: ReadonlyArray<readonly [name: string, keyword: string]> = [
  ["path", "mod"],
  ["link", "extern"],
];

/**
 * Decides, before any compiler sees it, whether a source can make rustc or its linker read (or write) anything but the
 * source. It stands in for a jail where there is none, so it refuses more than it has to:
 *
 * 1. Names that serve nothing else, anywhere: `include_str`, `include_bytes`, `option_env`, `debugger_visualizer`,
 *    `export_name`, `global_asm`, `naked_asm`.
 * 2. `env`, `include` and `asm` followed by `!` or by `as` (an import under another name). `std::env::args()` is fine.
 * 3. The attributes `path`, and `link` with a `name` (the linker opens it: `:../../file`, `@arguments`);
 *    `#[link(wasm_import_module = "…")]` is fine.
 * 4. In a script that defines macros, which can put any of its tokens next to each other: `env`, `include` and `asm`
 *    anywhere; `path` where there is a `mod`; `link` where there is an `extern`; and metavariable expressions (a dollar
 *    sign before a brace), which put names together.
 *    That some of this is not stable is no help: rustc expands first and complains afterwards.
 * 5. What does not lex without doubt.
 *
 * Every way to a file, a variable or the linker begins with one of these names in the source, which is why looking at
 * tokens is enough.
 */
export function checkSource(source: string, edition: Edition): SourceRefusal | undefined {
  const tokens = lexRust(source, edition);
  const last = tokens.at(-1);
  if (last?.kind === "malformed") {
    return { reason: `has ${last.text}`, start: last.start, end: Math.min(last.start + 1, source.length) };
  }
  return refuseNames(tokens) ?? refuseAttributes(tokens) ?? refuseMacros(tokens);
}

/** Rules 1 and 2. */
function refuseNames(tokens: readonly RustToken[]): SourceRefusal | undefined {
  for (const [i, token] of tokens.entries()) {
    if (token.kind !== "identifier") continue;
    const never = lookUp(NEVER, token.text);
    if (never !== undefined) return refusal(token, `${never} (\`${token.text}\`)`);
    const macro = lookUp(AS_MACRO, token.text);
    if (macro === undefined) continue;
    const next = tokens[i + 1];
    if (isPunctuation(next, "!")) return refusal(token, `${macro} (\`${token.text}!\`)`);
    if (next?.kind === "identifier" && next.text === "as") {
      return refusal(
        token,
        `imports \`${token.text}\` under another name, which can be the macro that ${macro}`,
      );
    }
  }
  return undefined;
}

/** Rule 3. */
function refuseAttributes(tokens: readonly RustToken[]): SourceRefusal | undefined {
  for (const names of attributesIn(tokens)) {
    const [path, link] = [names.get("path"), names.get("link")];
    if (path !== undefined)
      return refusal(path, "has a `path` attribute, which reads a file at compile time");
    if (link !== undefined && names.has("name")) {
      return refusal(link, "has a `link` attribute with a name, which the linker opens as a file");
    }
  }
  return undefined;
}

/** The names in each outermost `#[…]` and `#![…]`. */
function* attributesIn(tokens: readonly RustToken[]): Generator<ReadonlyMap<string, RustToken>> {
  let names: Map<string, RustToken> | undefined;
  let depth = 0;
  for (const [i, token] of tokens.entries()) {
    if (names === undefined) {
      if (!opensAttribute(tokens, i)) continue;
      names = new Map();
      depth = 0;
    }
    if (token.kind === "identifier") names.set(token.text, token);
    if (token.kind !== "punctuation") continue;
    if ("([{".includes(token.text)) depth += 1;
    else if (")]}".includes(token.text)) depth -= 1;
    if (depth > 0) continue;
    yield names;
    names = undefined;
  }
  if (names !== undefined) yield names;
}

function opensAttribute(tokens: readonly RustToken[], i: number): boolean {
  if (!isPunctuation(tokens[i], "[")) return false;
  const before = tokens[i - 1];
  return isPunctuation(before, "#") || (isPunctuation(before, "!") && isPunctuation(tokens[i - 2], "#"));
}

/** Rule 4. */
function refuseMacros(tokens: readonly RustToken[]): SourceRefusal | undefined {
  const names = new Map(
    tokens.flatMap((token) => (token.kind === "identifier" ? [[token.text, token] as const] : [])),
  );
  if (!names.has("macro_rules") && !names.has("macro")) return undefined;
  for (const [name, token] of names) {
    const macro = lookUp(AS_MACRO, name);
    if (macro === undefined) continue;
    const what = `defines macros and uses \`${name}\`, from which they can make the macro that ${macro}`;
    return {
      ...refusal(token, what),
      instead: `write the script without \`macro_rules!\`, or without \`${name}\``,
    };
  }
  for (const [name, keyword] of TOGETHER) {
    const token = names.get(name);
    if (token === undefined || !names.has(keyword)) continue;
    return refusal(
      token,
      `defines macros and uses \`${name}\` and \`${keyword}\`, from which they can make a \`${name}\` attribute`,
    );
  }
  const dollar = tokens.find((token, i) => isPunctuation(token, "$") && isPunctuation(tokens[i + 1], "{"));
  return (
    dollar && refusal(dollar, "defines macros with metavariable expressions, which can put any name together")
  );
}

function isPunctuation(token: RustToken | undefined, text: string): boolean {
  return token?.kind === "punctuation" && token.text === text;
}

function refusal({ text, start }: RustToken, reason: string): SourceRefusal {
  const instead = lookUp(INSTEAD, text);
  return { reason, start, end: start + text.length, ...(instead !== undefined && { instead }) };
}

/** Not `table[name]`: scripts may well name something `constructor`. */
function lookUp(table: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
