/** Characters of the longest name that is decoded: inserting into a list takes quadratic time. */
const MAX_CHARACTERS = 128;

const BASE = 36;
const T_MIN = 1;
const T_MAX = 26;
const SKEW = 38;
const DAMP = 700;
const INITIAL_BIAS = 72;
const INITIAL_CODE = 0x80;
const MAX_CODE = 0x10_ffff;
const MAX_INDEX = 0xffff_ffff;

/** Decodes punycode (RFC 3492), its two parts already apart; undefined where it is none, or too long. */
export function decodePunycode(basic: string, encoded: string): string | undefined {
  const characters = [...basic];
  let code = INITIAL_CODE;
  let bias = INITIAL_BIAS;
  let index = 0;
  for (let at = 0; at < encoded.length; ) {
    const before = index;
    let weight = 1;
    for (let k = BASE; ; k += BASE) {
      const digit = digitOf(encoded.charCodeAt(at));
      at += 1;
      if (digit === undefined) return undefined;
      index += digit * weight;
      // Of a weight that is beyond this no digit can be told any more; no name comes near.
      if (index > MAX_INDEX || weight > MAX_INDEX) return undefined;
      const threshold = Math.min(Math.max(k - bias, T_MIN), T_MAX);
      if (digit < threshold) break;
      weight *= BASE - threshold;
    }
    const length = characters.length + 1;
    if (length > MAX_CHARACTERS) return undefined;
    bias = adapt(index - before, length, before === 0);
    code += Math.floor(index / length);
    index %= length;
    if (code > MAX_CODE || (code >= 0xd800 && code <= 0xdfff)) return undefined;
    characters.splice(index, 0, String.fromCodePoint(code));
    index += 1;
  }
  return characters.join("");
}

/** Rust writes small letters only. Past the end of the text: undefined. */
function digitOf(charCode: number): number | undefined {
  if (charCode >= 0x61 && charCode <= 0x7a) return charCode - 0x61;
  if (charCode >= 0x30 && charCode <= 0x39) return charCode - 0x30 + 26;
  return undefined;
}

function adapt(delta: number, length: number, first: boolean): number {
  let rest = Math.floor(delta / (first ? DAMP : 2));
  rest += Math.floor(rest / length);
  let k = 0;
  for (; rest > ((BASE - T_MIN) * T_MAX) / 2; k += BASE) rest = Math.floor(rest / (BASE - T_MIN));
  return k + Math.floor(((BASE - T_MIN + 1) * rest) / (rest + SKEW));
}
