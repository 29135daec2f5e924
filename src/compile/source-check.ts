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

/** One open bracket, and what it says about all that stands in it. */
interface Group {
  /** In `#[…]` or `#![…]`, at any depth. */
  attribute: boolean;
  /** In the input or the definition of a macro, at any depth. */
  macro: boolean;
}

const TOP: Group = { attribute: false, macro: false };

/**
 * Decides, before any compiler sees it, whether a source can make rustc or its linker read (or write) anything but the
 * source. It stands in for a jail where there is none, so it refuses more than it has to:
 *
 * 1. Names that serve nothing else, anywhere: `include_str`, `include_bytes`, `option_env`, `debugger_visualizer`,
 *    `export_name`, `global_asm`, `naked_asm`.
 * 2. `env`, `include` and `asm` followed by `!` or by `as` (an import under another name). `std::env::args()` is fine.
 * 3. The attributes `path`, and `link` with a `name` (the linker opens it: `:../../file`, `@arguments`);
 *    `#[link(wasm_import_module = "…")]` is fine.
 * 4. In a script that defines macros, which can put any tokens together: `env`, `include` and `asm` in what macros are
 *    made of or given; so too `path` together with `mod`, and `link` together with `extern`.
 * 5. What does not lex without doubt.
 *
 * No token means something else by macros than by its name, and a name cannot be put together on stable Rust: that is why
 * looking at tokens is enough.
 */
export function checkSource(source: string, edition: Edition): SourceRefusal | undefined {
  const tokens = lexRust(source, edition);
  const last = tokens.at(-1);
  if (last?.kind === "malformed") {
    return { reason: `has ${last.text}`, start: last.start, end: Math.min(last.start + 1, source.length) };
  }
  const words = new Set(tokens.map((token) => (token.kind === "identifier" ? token.text : "")));
  return inspect(tokens, words.has("macro_rules") || words.has("macro"));
}

function inspect(tokens: readonly RustToken[], definesMacros: boolean): SourceRefusal | undefined {
  const groups: Group[] = [];
  const inMacros = new Map<string, RustToken>();
  const inAttribute = new Map<string, RustToken>();
  for (const [i, token] of tokens.entries()) {
    const within = groups.at(-1) ?? TOP;
    if (token.kind === "punctuation") {
      if ("([{".includes(token.text)) groups.push(openGroup(tokens, i, within));
      else if (")]}".includes(token.text)) groups.pop();
      if (within.attribute && !(groups.at(-1) ?? TOP).attribute) inAttribute.clear();
    }
    if (token.kind !== "identifier") continue;
    if (within.attribute) inAttribute.set(token.text, token);
    if (within.macro && definesMacros) inMacros.set(token.text, token);
    const refusal = refuseName(tokens, i) ?? refuseAttribute(inAttribute) ?? refuseMacroInput(inMacros);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function openGroup(tokens: readonly RustToken[], i: number, within: Group): Group {
  const [before, beforeThat] = [tokens[i - 1], tokens[i - 2]];
  const attribute =
    isPunctuation(before, "#") || (isPunctuation(before, "!") && isPunctuation(beforeThat, "#"));
  // `name!(…)` and `macro_rules! name {…}`; `!(…)` counts too, which does no harm.
  const call =
    isPunctuation(before, "!") || (before?.kind === "identifier" && isPunctuation(beforeThat, "!"));
  return { attribute: within.attribute || attribute, macro: within.macro || (call && !attribute) };
}

function isPunctuation(token: RustToken | undefined, text: string): boolean {
  return token?.kind === "punctuation" && token.text === text;
}

function refuseName(tokens: readonly RustToken[], i: number): SourceRefusal | undefined {
  const [token, next] = [tokens[i], tokens[i + 1]];
  if (token === undefined) return undefined;
  const never = lookUp(NEVER, token.text);
  if (never !== undefined) return refusal(token, `${never} (\`${token.text}\`)`);
  const macro = lookUp(AS_MACRO, token.text);
  if (macro === undefined) return undefined;
  if (isPunctuation(next, "!")) return refusal(token, `${macro} (\`${token.text}!\`)`);
  if (next?.kind !== "identifier" || next.text !== "as") return undefined;
  return refusal(token, `imports \`${token.text}\` under another name, which can be the macro that ${macro}`);
}

function refuseAttribute(names: ReadonlyMap<string, RustToken>): SourceRefusal | undefined {
  const path = names.get("path");
  if (path !== undefined) return refusal(path, "has a `path` attribute, which reads a file at compile time");
  const link = names.get("link");
  if (link === undefined || !names.has("name")) return undefined;
  return refusal(link, "has a `link` attribute with a name, which the linker opens as a file");
}

function refuseMacroInput(names: ReadonlyMap<string, RustToken>): SourceRefusal | undefined {
  for (const [text, token] of names) {
    const macro = lookUp(AS_MACRO, text);
    if (macro !== undefined) {
      const what = `defines macros and uses \`${text}\` within macros, which can come to the macro that ${macro}`;
      return {
        ...refusal(token, what),
        instead: `use \`${text}\` outside of macros, for example in a \`let\` before`,
      };
    }
  }
  const [path, link] = [names.get("path"), names.get("link")];
  if (path !== undefined && names.has("mod")) {
    return refusal(
      path,
      "defines macros and uses `path` and `mod` within macros, which can come to a `path` attribute",
    );
  }
  if (link !== undefined && names.has("extern")) {
    return refusal(
      link,
      "defines macros and uses `link` and `extern` within macros, which can come to a `link` attribute",
    );
  }
  return undefined;
}

function refusal({ text, start }: RustToken, reason: string): SourceRefusal {
  const instead = lookUp(INSTEAD, text);
  return { reason, start, end: start + text.length, ...(instead !== undefined && { instead }) };
}

/** Not `table[name]`: scripts may well name something `constructor`. */
function lookUp(table: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
