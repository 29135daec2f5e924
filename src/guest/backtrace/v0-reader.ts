import { decodePunycode } from "./punycode.ts";

/** Thrown where a text is no name of Rust's. Not an `Error`: nobody looks at where it came from. */
export class Malformed {}

/** Thrown once there is more than anybody wants to read. */
export class Full {}

/** Paths, types and constants inside each other, at most. */
const MAX_DEPTH = 200;
/** Paths, types and constants of one name, at most, those that are read again through a reference included. */
const MAX_PARTS = 10_000;
/** Of a number in base 62: what 64 bits take. Of the larger ones the last digits are lost, as of any number in JavaScript. */
const MAX_BASE62_DIGITS = 11;

/**
 * A mangled name while it is read, and what it reads as so far. The name is whatever a stranger wrote: references may make a
 * short one stand for an endless text, so output, depth and the number of parts are bounded, each by itself.
 */
export interface V0Reader {
  /** Without `_R`. ASCII. */
  readonly text: string;
  at: number;
  out: string;
  readonly maxOutput: number;
  /** What is read is not printed. */
  silent: boolean;
  depth: number;
  parts: number;
  /** Lifetimes that the binders around this place have introduced. */
  lifetimes: number;
}

export function createV0Reader(text: string, maxOutput: number): V0Reader {
  return { text, at: 0, out: "", maxOutput, silent: false, depth: 0, parts: 0, lifetimes: 0 };
}

export function print(reader: V0Reader, text: string): void {
  if (reader.silent) return;
  reader.out += text;
  if (reader.out.length > reader.maxOutput) throw new Full();
}

/** The next character; the empty text at the end. */
export function peek(reader: V0Reader): string {
  return reader.text.charAt(reader.at);
}

export function next(reader: V0Reader): string {
  const character = peek(reader);
  if (character === "") throw new Malformed();
  reader.at += 1;
  return character;
}

/** Whether this character comes next; if so, it is taken. */
export function eat(reader: V0Reader, character: string): boolean {
  if (peek(reader) !== character) return false;
  reader.at += 1;
  return true;
}

/** Reads one path, type or constant, which may have others inside. */
export function nested(reader: V0Reader, read: () => void): void {
  reader.depth += 1;
  reader.parts += 1;
  if (reader.depth > MAX_DEPTH || reader.parts > MAX_PARTS) throw new Malformed();
  read();
  reader.depth -= 1;
}

/** Reads what is not printed, such as the path of an `impl` block. */
export function silently(reader: V0Reader, read: () => void): void {
  const { silent } = reader;
  reader.silent = true;
  read();
  reader.silent = silent;
}

/** Items up to an `E`; their number. */
export function list(reader: V0Reader, separator: string, readItem: () => void): number {
  let count = 0;
  for (; !eat(reader, "E"); count += 1) {
    if (count > 0) print(reader, separator);
    readItem();
  }
  return count;
}

/** What a reference, its `B` taken already, stands for: something before it. What is not printed is not read again. */
export function reference(reader: V0Reader, read: () => void): void {
  const from = reader.at - 1;
  const to = base62(reader);
  if (to >= from) throw new Malformed();
  if (reader.silent) return;
  const { at } = reader;
  reader.at = to;
  nested(reader, read);
  reader.at = at;
}

/** `_` is 0, `0_` is 1, and so on. */
export function base62(reader: V0Reader): number {
  if (eat(reader, "_")) return 0;
  const { at } = reader;
  let value = 0;
  while (!eat(reader, "_")) {
    value = value * 62 + base62Digit(next(reader));
    if (reader.at - at > MAX_BASE62_DIGITS) throw new Malformed();
  }
  return value + 1;
}

/** Zero where the tag does not come next, else one more than the number behind it. */
export function optionalBase62(reader: V0Reader, tag: string): number {
  return eat(reader, tag) ? base62(reader) + 1 : 0;
}

/** What tells things of the same name apart. */
export function disambiguator(reader: V0Reader): number {
  return optionalBase62(reader, "s");
}

/** A name as it was in the source. */
export function identifier(reader: V0Reader): string {
  const encoded = eat(reader, "u");
  const length = decimal(reader);
  eat(reader, "_");
  const end = reader.at + length;
  if (end > reader.text.length) throw new Malformed();
  const name = reader.text.slice(reader.at, end);
  reader.at = end;
  if (!encoded) return name;
  const split = name.lastIndexOf("_");
  const basic = split === -1 ? "" : name.slice(0, split);
  const rest = name.slice(split + 1);
  if (rest === "") throw new Malformed();
  return decodePunycode(basic, rest) ?? `punycode{${split === -1 ? rest : `${basic}-${rest}`}}`;
}

/** Hexadecimal digits up to a `_`. */
export function hexadecimal(reader: V0Reader): string {
  const end = reader.text.indexOf("_", reader.at);
  const digits = end === -1 ? "" : reader.text.slice(reader.at, end);
  if (end === -1 || !/^[0-9a-f]*$/.test(digits)) throw new Malformed();
  reader.at = end + 1;
  return digits;
}

function decimal(reader: V0Reader): number {
  let value = decimalDigit(next(reader));
  // No number has a zero in front.
  while (value !== 0 && /^[0-9]$/.test(peek(reader))) {
    value = value * 10 + decimalDigit(next(reader));
    if (value > reader.text.length) throw new Malformed();
  }
  return value;
}

function decimalDigit(character: string): number {
  if (!/^[0-9]$/.test(character)) throw new Malformed();
  return Number(character);
}

function base62Digit(character: string): number {
  if (/^[0-9a-z]$/.test(character)) return Number.parseInt(character, 36);
  if (/^[A-Z]$/.test(character)) return Number.parseInt(character, 36) + 26;
  throw new Malformed();
}
