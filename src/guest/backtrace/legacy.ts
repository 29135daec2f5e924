/** Parts of a path by what stands for them in a symbol. */
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["SP", "@"],
  ["BP", "*"],
  ["RF", "&"],
  ["LT", "<"],
  ["GT", ">"],
  ["LP", "("],
  ["RP", ")"],
  ["C", ","],
]);

const HASH = /^h[0-9a-f]{16}$/;

/**
 * Demangles a symbol of Rust's older mangling without its hash, or what a linker that knows only C++ has made of one;
 * undefined where it is none.
 */
export function demangleLegacy(symbol: string): string | undefined {
  const parts = symbol.startsWith("_ZN") ? mangledParts(symbol) : symbol.split("::");
  // C++ is mangled alike, but without a hash.
  const hash = parts?.pop();
  if (parts === undefined || parts.length === 0 || hash === undefined || !HASH.test(hash)) return undefined;
  return parts.map(unescaped).join("::");
}

/** Of `_ZN3foo3barE`: `foo`, `bar`. */
function mangledParts(symbol: string): string[] | undefined {
  const parts: string[] = [];
  const length = /(\d{1,6})/y;
  let at = 3;
  for (;;) {
    length.lastIndex = at;
    const digits = length.exec(symbol)?.[0];
    if (digits === undefined) break;
    const start = at + digits.length;
    at = start + Number(digits);
    if (at > symbol.length) return undefined;
    parts.push(symbol.slice(start, at));
  }
  return /^E(?:\.[!-~]*)?$/.test(symbol.slice(at)) ? parts : undefined;
}

function unescaped(part: string): string {
  // A part never starts with an escape: an underscore is put in front.
  return part
    .replace(/^_\$/, "$")
    .replace(/\.\.|\$([A-Z]{1,2}|u[0-9a-f]{1,6})\$/g, (whole, named?: string) => {
      if (named === undefined) return "::";
      const known = ESCAPES.get(named);
      if (known !== undefined) return known;
      const code = Number.parseInt(named.slice(1), 16);
      return named.startsWith("u") && code <= 0x10_ffff ? String.fromCodePoint(code) : whole;
    });
}
