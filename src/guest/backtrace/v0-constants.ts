import {
  disambiguator,
  eat,
  hexadecimal,
  identifier,
  list,
  Malformed,
  nested,
  next,
  print,
  reference,
  type V0Reader,
} from "./v0-reader.ts";

const UNSIGNED = "htmyoj";
const SIGNED = "aslxni";
/** Hexadecimal digits of the largest integer, of 128 bits. */
const MAX_INTEGER_DIGITS = 32;
const MAX_CODE_POINT = 0x10_ffff;

type PrintPath = (reader: V0Reader) => void;

/** Prints a constant that is an argument of generics: in braces where it is more than a literal. */
export function printConstantArgument(reader: V0Reader, printPath: PrintPath): void {
  printIn("argument", reader, printPath);
}

/** Prints a constant in a place for an expression, such as the length of an array. */
export function printConstant(reader: V0Reader, printPath: PrintPath): void {
  printIn("expression", reader, printPath);
}

function printIn(place: "argument" | "expression", reader: V0Reader, printPath: PrintPath): void {
  const inner = (): void => printConstant(reader, printPath);
  const braced = (body: () => void): void => {
    if (place === "argument") print(reader, "{");
    body();
    if (place === "argument") print(reader, "}");
  };
  nested(reader, () => {
    const tag = next(reader);
    if (UNSIGNED.includes(tag)) return printInteger(reader);
    if (SIGNED.includes(tag)) {
      if (eat(reader, "n")) print(reader, "-");
      return printInteger(reader);
    }
    switch (tag) {
      case "p":
        return print(reader, "_");
      case "b":
        return printBoolean(reader);
      case "c":
        return printCharacter(reader);
      case "e":
        // A literal is a reference: the text itself is what it refers to.
        return braced(() => {
          print(reader, "*");
          printText(reader);
        });
      case "R":
        if (eat(reader, "e")) return printText(reader);
        return braced(() => {
          print(reader, "&");
          inner();
        });
      case "Q":
        return braced(() => {
          print(reader, "&mut ");
          inner();
        });
      case "A":
        return braced(() => {
          print(reader, "[");
          list(reader, ", ", inner);
          print(reader, "]");
        });
      case "T":
        return braced(() => {
          print(reader, "(");
          const count = list(reader, ", ", inner);
          print(reader, count === 1 ? ",)" : ")");
        });
      case "V":
        return braced(() => {
          printPath(reader);
          printFields(reader, inner);
        });
      case "B":
        return reference(reader, () => printIn(place, reader, printPath));
      default:
        throw new Malformed();
    }
  });
}

/** What is behind the path of a struct or variant. */
function printFields(reader: V0Reader, printValue: () => void): void {
  switch (next(reader)) {
    case "U":
      return;
    case "T":
      print(reader, "(");
      list(reader, ", ", printValue);
      print(reader, ")");
      return;
    case "S":
      print(reader, " { ");
      list(reader, ", ", () => {
        disambiguator(reader);
        print(reader, `${identifier(reader)}: `);
        printValue();
      });
      print(reader, " }");
      return;
    default:
      throw new Malformed();
  }
}

function printInteger(reader: V0Reader): void {
  const digits = hexadecimal(reader);
  if (digits.length > MAX_INTEGER_DIGITS) throw new Malformed();
  const significant = digits.replace(/^0+/, "");
  // Decimal as far as 64 bits go: beyond, hexadecimal is what a person can compare.
  print(reader, significant.length > 16 ? `0x${digits}` : BigInt(`0x0${significant}`).toString());
}

function printBoolean(reader: V0Reader): void {
  const value = Number.parseInt(`0${hexadecimal(reader)}`, 16);
  if (value > 1) throw new Malformed();
  print(reader, value === 1 ? "true" : "false");
}

function printCharacter(reader: V0Reader): void {
  const code = Number.parseInt(`0${hexadecimal(reader)}`, 16);
  if (code > MAX_CODE_POINT || (code >= 0xd800 && code <= 0xdfff)) throw new Malformed();
  print(reader, quoted(String.fromCodePoint(code), "'"));
}

function printText(reader: V0Reader): void {
  const digits = hexadecimal(reader);
  if (digits.length % 2 !== 0) throw new Malformed();
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(digits, "hex"));
  } catch {
    throw new Malformed();
  }
  print(reader, quoted(text, '"'));
}

const NAMED_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\0", "\\0"],
  ["\t", "\\t"],
  ["\r", "\\r"],
  ["\n", "\\n"],
  ["\\", "\\\\"],
]);

/** A literal as Rust writes it: what does not print, and what would change the character before it, is escaped. */
function quoted(text: string, quote: "'" | '"'): string {
  const body = text.replace(/[\\'"\p{C}\p{Z}\p{Mn}\p{Me}]/gu, (character) => {
    if (character === "'" || character === '"') return character === quote ? `\\${character}` : character;
    if (character === " ") return character;
    const code = character.codePointAt(0) ?? 0;
    return NAMED_ESCAPES.get(character) ?? `\\u{${code.toString(16)}}`;
  });
  return `${quote}${body}${quote}`;
}
