import type { Edition } from "./rustc-flags.ts";

/** A token of Rust source, as far as it matters for deciding what a source can name. Comments and whitespace are gone. */
export interface RustToken {
  /**
   * The last token can be `unterminated` (a string or comment without end, at which every rustc stops at once), or
   * `malformed` (at which rustc may read on).
   */
  kind: "identifier" | "lifetime" | "literal" | "punctuation" | "unterminated" | "malformed";
  /**
   * Identifiers: without `r#`. Punctuation: one character, except `!=`.
   * Malformed: what is wrong. Empty for all others.
   */
  text: string;
  /** Offset in UTF-16 code units. */
  start: number;
}

const SLASH = 0x2f;
const BLANK = 0x20;
const WHITESPACE = /[\t-\r ]+/y;
const IDENTIFIER = /[A-Za-z_][0-9A-Za-z_]*/y;
const IDENTIFIER_START = /[A-Za-z_]/y;
const PUNCTUATION = new Set("!#$%&()*+,-./:;<=>?@[]^{|}~");
// `1.max(2)` and `1..2` are an integer and something else; `1.` and `1.5e3` are floats.
const NUMBER =
  /(?:0x[0-9a-fA-F_]*|0[bo]?[0-9_]*|[1-9][0-9_]*)(?:\.(?![.A-Za-z_])(?:[0-9][0-9_]*(?:[eE][+-]?_*[0-9][0-9_]*)?)?|[eE][+-]?_*[0-9][0-9_]*)?/y;
const BROKEN_EXPONENT = /[eE][+\-_]/y;
const LINE_COMMENT = /\/\/[^\n]*/y;
const COMMENT_EDGE = /\/\*|\*\//g;
const SHEBANG = /#!\/[A-Za-z][^\n]*/y;
const ATTRIBUTE_START = /#!\s*\[/y;
const FRONTMATTER = /\s*---/y;
const AFTER_LITERAL = /[0-9A-Za-z_"'#]/y;
const RAW_STRING_START = /#{0,255}"/y;

/** Where a lexer stands. */
interface Cursor {
  readonly source: string;
  readonly edition: Edition;
  at: number;
}

class Malformed extends Error {}
class Unterminated extends Error {}

/**
 * Splits Rust source into tokens exactly where rustc splits it. What rustc would reject, and what versions of rustc or of
 * Unicode disagree about (every character beyond ASCII outside of literals and comments), ends the list with a `malformed`
 * token: rustc skips characters that it does not know and reads on, so a source with a second reading must not pass.
 */
export function lexRust(source: string, edition: Edition): RustToken[] {
  const cursor: Cursor = { source, edition, at: 0 };
  const tokens: RustToken[] = [];
  try {
    skipPrologue(cursor);
    while (skipBlank(cursor) < source.length) tokens.push(readToken(cursor));
  } catch (error) {
    if (error instanceof Unterminated) tokens.push({ kind: "unterminated", text: "", start: cursor.at });
    else if (error instanceof Malformed)
      tokens.push({ kind: "malformed", text: error.message, start: cursor.at });
    else throw error;
  }
  return tokens;
}

/** Moves past a match at the cursor and returns it; undefined where there is none. */
function take(cursor: Cursor, pattern: RegExp): string | undefined {
  pattern.lastIndex = cursor.at;
  const text = pattern.exec(cursor.source)?.[0];
  cursor.at += text?.length ?? 0;
  return text;
}

function sees(cursor: Cursor, pattern: RegExp, offset = 0): boolean {
  pattern.lastIndex = cursor.at + offset;
  return pattern.test(cursor.source);
}

/** Length in UTF-16 code units of what stands before the first token of a file: a byte order mark and a shebang line. */
export function prologueLength(source: string): number {
  const cursor: Cursor = { source, edition: "2024", at: 0 };
  skipPrologue(cursor);
  return cursor.at;
}

/** A byte order mark and a shebang line. */
function skipPrologue(cursor: Cursor): void {
  if (cursor.source.startsWith("\ufeff")) cursor.at = 1;
  if (
    cursor.source.startsWith("#!", cursor.at) &&
    !sees(cursor, ATTRIBUTE_START) &&
    take(cursor, SHEBANG) === undefined
  ) {
    throw new Malformed("a first line that starts with `#!` but names no interpreter");
  }
  if (sees(cursor, FRONTMATTER)) throw new Malformed("a frontmatter block");
}

/** Moves past whitespace and comments; returns the new position. */
function skipBlank(cursor: Cursor): number {
  for (;;) {
    // Most tokens follow each other, or a single blank: the patterns are only asked where they can match.
    const code = cursor.source.charCodeAt(cursor.at);
    const skipped =
      code === SLASH
        ? take(cursor, LINE_COMMENT) !== undefined || skipBlockComment(cursor)
        : code <= BLANK && take(cursor, WHITESPACE) !== undefined;
    if (!skipped) return cursor.at;
  }
}

function skipBlockComment(cursor: Cursor): boolean {
  if (!cursor.source.startsWith("/*", cursor.at)) return false;
  let depth = 1;
  COMMENT_EDGE.lastIndex = cursor.at + 2;
  while (depth > 0) {
    const edge = COMMENT_EDGE.exec(cursor.source);
    if (edge === null) throw new Unterminated();
    depth += edge[0] === "/*" ? 1 : -1;
  }
  cursor.at = COMMENT_EDGE.lastIndex;
  return true;
}

function readToken(cursor: Cursor): RustToken {
  const start = cursor.at;
  const character = cursor.source.charAt(start);
  if (PUNCTUATION.has(character)) return readPunctuation(cursor, character);
  const name = take(cursor, IDENTIFIER);
  if (name !== undefined) return afterName(cursor, name, start);
  if (character === '"') return readString(cursor, start);
  if (character === "'") return readQuote(cursor, start);
  if (take(cursor, NUMBER) === undefined) {
    const codePoint = cursor.source.codePointAt(start) ?? 0;
    const name = codePoint.toString(16).toUpperCase().padStart(4, "0");
    throw new Malformed(`the character U+${name} outside of a literal or comment`);
  }
  if (sees(cursor, BROKEN_EXPONENT)) throw new Malformed("a number with an exponent that has no digits");
  return literal(cursor, start);
}

function readPunctuation(cursor: Cursor, character: string): RustToken {
  const start = cursor.at;
  const text = character === "!" && cursor.source[start + 1] === "=" ? "!=" : character;
  cursor.at += text.length;
  return { kind: "punctuation", text, start };
}

/** An identifier may be the prefix of a literal, or of a raw identifier. */
function afterName(cursor: Cursor, name: string, start: number): RustToken {
  const next = cursor.source[cursor.at];
  if (name === "r" && next === "#" && sees(cursor, IDENTIFIER_START, 1)) {
    cursor.at += 1;
    return { kind: "identifier", text: take(cursor, IDENTIFIER) ?? "", start };
  }
  // Before the edition of 2021 there were no C strings: `cr"\"` is a name and the start of a string.
  const raw = name === "r" || name === "br" || (name === "cr" && cursor.edition >= "2021");
  if (raw && (next === '"' || next === "#")) return readRawString(cursor, start);
  if (name === "b" && next === "'") return readCharacter(cursor, start);
  if ((name === "b" || name === "c") && next === '"') return readString(cursor, start);
  return { kind: "identifier", text: name, start };
}

/** Ends a literal: a name that follows it directly is its suffix, and never the prefix of the next literal. */
function literal(cursor: Cursor, start: number): RustToken {
  take(cursor, IDENTIFIER);
  return { kind: "literal", text: "", start };
}

function readString(cursor: Cursor, start: number): RustToken {
  let at = cursor.at + 1;
  for (;;) {
    const character = cursor.source[at];
    if (character === undefined) throw new Unterminated();
    if (character === '"') break;
    at += character === "\\" ? 2 : 1;
  }
  cursor.at = at + 1;
  return literal(cursor, start);
}

function readRawString(cursor: Cursor, start: number): RustToken {
  const opening = take(cursor, RAW_STRING_START);
  if (opening === undefined) throw new Malformed("a raw string that does not begin with a quote");
  const closing = `"${"#".repeat(opening.length - 1)}`;
  const end = cursor.source.indexOf(closing, cursor.at);
  if (end < 0) throw new Unterminated();
  cursor.at = end + closing.length;
  return literal(cursor, start);
}

/** `'a'` is a character, `'a` a lifetime. */
function readQuote(cursor: Cursor, start: number): RustToken {
  const [first = ""] = cursor.source.slice(start + 1, start + 3);
  if (cursor.source[start + 1 + first.length] === "'" || !sees(cursor, IDENTIFIER_START, 1))
    return readCharacter(cursor, start);
  cursor.at += 1;
  take(cursor, IDENTIFIER);
  if (cursor.source[cursor.at] !== "'") return { kind: "lifetime", text: "", start };
  // `'abc'`: rustc says that strings take double quotes, and whether a suffix may follow is nothing to rely on.
  cursor.at += 1;
  if (sees(cursor, AFTER_LITERAL)) throw new Malformed("a character literal with more than one character");
  return { kind: "literal", text: "", start };
}

const CHARACTER = /'(?:\\(?:x[0-9a-fA-F]{2}|u\{[0-9a-fA-F_]{1,16}\}|[nrt\\0'"])|[^\\'\n\r\t])'/uy;

function readCharacter(cursor: Cursor, start: number): RustToken {
  if (take(cursor, CHARACTER) === undefined)
    throw new Malformed("a character literal that is not one character");
  return literal(cursor, start);
}
