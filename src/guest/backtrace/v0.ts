import { printConstant, printConstantArgument } from "./v0-constants.ts";
import {
  base62,
  createV0Reader,
  disambiguator,
  eat,
  Full,
  identifier,
  list,
  Malformed,
  nested,
  next,
  optionalBase62,
  peek,
  print,
  reference,
  silently,
  type V0Reader,
} from "./v0-reader.ts";

const BASIC_TYPES: ReadonlyMap<string, string> = new Map([
  ["a", "i8"],
  ["b", "bool"],
  ["c", "char"],
  ["d", "f64"],
  ["e", "str"],
  ["f", "f32"],
  ["h", "u8"],
  ["i", "isize"],
  ["j", "usize"],
  ["l", "i32"],
  ["m", "u32"],
  ["n", "i128"],
  ["o", "u128"],
  ["p", "_"],
  ["s", "i16"],
  ["t", "u16"],
  ["u", "()"],
  ["v", "..."],
  ["x", "i64"],
  ["y", "u64"],
  ["z", "!"],
]);

/** In a value `a::<T>`, in a type `a<T>`. */
type Place = "value" | "type";

/**
 * Demangles a symbol of Rust's mangling v0 (RFC 2603) without its hashes; undefined where it is none. It is at most one
 * character longer than asked for: then it is not all there is.
 */
export function demangleV0(symbol: string, maxCharacters: number): string | undefined {
  // A digit would be the version of a later mangling.
  if (!/^_R[A-Z][!-~]*$/.test(symbol)) return undefined;
  const reader = createV0Reader(symbol.slice(2), maxCharacters);
  try {
    printPath(reader, "value");
    // The crate that this copy of a generic function was made for.
    if (/^[A-Z]$/.test(peek(reader))) silently(reader, () => printPath(reader, "type"));
    const suffix = reader.text.slice(reader.at);
    if (suffix !== "" && !/^\.[!-~]*$/.test(suffix)) return undefined;
    print(reader, suffix);
  } catch (error) {
    if (error instanceof Full) return reader.out.slice(0, maxCharacters + 1);
    if (error instanceof Malformed) return undefined;
    throw error;
  }
  return reader.out;
}

function printPath(reader: V0Reader, place: Place): void {
  nested(reader, () => {
    const tag = next(reader);
    switch (tag) {
      case "C":
        disambiguator(reader);
        return print(reader, identifier(reader));
      case "N":
        return printNested(reader, place);
      case "M":
      case "X":
      case "Y":
        return printImplementation(reader, tag);
      case "I":
        printPath(reader, place);
        if (place === "value") print(reader, "::");
        print(reader, "<");
        list(reader, ", ", () => printArgument(reader));
        return print(reader, ">");
      case "B":
        return reference(reader, () => printPath(reader, place));
      default:
        throw new Malformed();
    }
  });
}

/** `path::name`; of what has no name, `path::{closure#0}`. */
function printNested(reader: V0Reader, place: Place): void {
  const namespace = next(reader);
  if (!/^[A-Za-z]$/.test(namespace)) throw new Malformed();
  printPath(reader, place);
  const number = disambiguator(reader);
  const name = identifier(reader);
  if (/^[a-z]$/.test(namespace)) {
    if (name !== "") print(reader, `::${name}`);
    return;
  }
  const kind = namespace === "C" ? "closure" : namespace === "S" ? "shim" : namespace;
  print(reader, `::{${name === "" ? kind : `${kind}:${name}`}#${number}}`);
}

/** `<type>`, `<type as trait>`. */
function printImplementation(reader: V0Reader, tag: "M" | "X" | "Y"): void {
  if (tag !== "Y") {
    // Where the `impl` block stands says nothing to a reader.
    disambiguator(reader);
    silently(reader, () => printPath(reader, "type"));
  }
  print(reader, "<");
  printType(reader);
  if (tag !== "M") {
    print(reader, " as ");
    printPath(reader, "type");
  }
  print(reader, ">");
}

function printArgument(reader: V0Reader): void {
  if (eat(reader, "L")) printLifetime(reader, base62(reader));
  else if (eat(reader, "K")) printConstantArgument(reader, printConstantPath);
  else printType(reader);
}

function printConstantPath(reader: V0Reader): void {
  printPath(reader, "value");
}

function printType(reader: V0Reader): void {
  nested(reader, () => {
    const tag = next(reader);
    const basic = BASIC_TYPES.get(tag);
    if (basic !== undefined) return print(reader, basic);
    switch (tag) {
      case "R":
      case "Q":
        return printReference(reader, tag === "R" ? "" : "mut ");
      case "P":
      case "O":
        print(reader, tag === "P" ? "*const " : "*mut ");
        return printType(reader);
      case "A":
        print(reader, "[");
        printType(reader);
        print(reader, "; ");
        printConstant(reader, printConstantPath);
        return print(reader, "]");
      case "S":
        print(reader, "[");
        printType(reader);
        return print(reader, "]");
      case "T": {
        print(reader, "(");
        const count = list(reader, ", ", () => printType(reader));
        return print(reader, count === 1 ? ",)" : ")");
      }
      case "F":
        return inBinder(reader, () => printFunctionType(reader));
      case "D":
        return printTraitObject(reader);
      case "B":
        return reference(reader, () => printType(reader));
      default:
        reader.at -= 1;
        return printPath(reader, "type");
    }
  });
}

function printReference(reader: V0Reader, mutable: "" | "mut "): void {
  print(reader, "&");
  const lifetime = eat(reader, "L") ? base62(reader) : 0;
  if (lifetime !== 0) {
    printLifetime(reader, lifetime);
    print(reader, " ");
  }
  print(reader, mutable);
  printType(reader);
}

function printFunctionType(reader: V0Reader): void {
  if (eat(reader, "U")) print(reader, "unsafe ");
  if (eat(reader, "K")) {
    // Names of calling conventions have hyphens, which no identifier can have.
    const convention = eat(reader, "C") ? "C" : identifier(reader).replaceAll("_", "-");
    if (convention === "") throw new Malformed();
    print(reader, `extern "${convention}" `);
  }
  print(reader, "fn(");
  list(reader, ", ", () => printType(reader));
  print(reader, ")");
  if (eat(reader, "u")) return;
  print(reader, " -> ");
  printType(reader);
}

function printTraitObject(reader: V0Reader): void {
  print(reader, "dyn ");
  inBinder(reader, () => list(reader, " + ", () => printObjectTrait(reader)));
  if (!eat(reader, "L")) throw new Malformed();
  const lifetime = base62(reader);
  if (lifetime === 0) return;
  print(reader, " + ");
  printLifetime(reader, lifetime);
}

/** `Trait<T, Item = U>`: the associated types come after the arguments, in the same brackets. */
function printObjectTrait(reader: V0Reader): void {
  let open = printOpenPath(reader);
  while (eat(reader, "p")) {
    print(reader, `${open ? ", " : "<"}${identifier(reader)} = `);
    open = true;
    printType(reader);
  }
  if (open) print(reader, ">");
}

/** A path whose arguments are not closed yet, if it has any. */
function printOpenPath(reader: V0Reader): boolean {
  let open = false;
  if (eat(reader, "B")) {
    reference(reader, () => {
      open = printOpenPath(reader);
    });
  } else if (eat(reader, "I")) {
    printPath(reader, "type");
    print(reader, "<");
    list(reader, ", ", () => printArgument(reader));
    open = true;
  } else {
    printPath(reader, "type");
  }
  return open;
}

/** `for<'a, 'b> …`. */
function inBinder(reader: V0Reader, read: () => void): void {
  const count = optionalBase62(reader, "G");
  // What is not printed needs no names for its lifetimes.
  const named = reader.silent ? 0 : count;
  for (let i = 0; i < named; i += 1) {
    print(reader, i === 0 ? "for<" : ", ");
    reader.lifetimes += 1;
    printLifetime(reader, 1);
  }
  if (named > 0) print(reader, "> ");
  read();
  reader.lifetimes -= named;
}

/** 0 is a lifetime without a name, 1 the innermost that a binder has introduced. */
function printLifetime(reader: V0Reader, index: number): void {
  if (reader.silent) return;
  const number = reader.lifetimes - index;
  if (number < 0) throw new Malformed();
  if (index === 0) print(reader, "'_");
  else print(reader, number < 26 ? `'${String.fromCharCode(0x61 + number)}` : `'_${number}`);
}
