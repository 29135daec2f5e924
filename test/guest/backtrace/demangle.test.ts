import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { demangle } from "../../../src/guest/backtrace/demangle.ts";
import { randomNumbers } from "../../instrument/mutate.ts";

/** Symbols as rustc wrote them, and what they are called in Rust; names.rs beside it says how they were recorded. */
const RECORDED = JSON.parse(
  readFileSync(new URL("../../../fixtures/symbols/names.json", import.meta.url), "utf8"),
) as Record<"v0" | "legacy", Record<string, string>>;
const V0 = Object.keys(RECORDED.v0);
const ALL = [...V0, ...Object.keys(RECORDED.legacy)];
const MAX = 256;

describe("symbols of rustc", () => {
  test.each(Object.entries(RECORDED.v0))("of mangling v0 read as they do in Rust: %s", (symbol, name) => {
    expect(demangle(symbol, 10_000)).toBe(name);
  });

  test.each(Object.entries(RECORDED.legacy))(
    "of the older mangling read as they do in Rust: %s",
    (symbol, name) => {
      expect(demangle(symbol, 10_000)).toBe(name);
    },
  );

  test("of the older mangling that a linker has taken for C++ read the same", () => {
    const linked = "_$LT$script..Square$LT$T$GT$$u20$as$u20$script..Area$GT$::area::h0123456789abcdef";
    expect(demangle(linked, MAX)).toBe("<script::Square<T> as script::Area>::area");
    expect(demangle("script::main::_$u7b$$u7b$closure$u7d$$u7d$::h0123456789abcdef", MAX)).toBe(
      "script::main::{{closure}}",
    );
  });

  test.each([
    ["_RNvCs123_6script4main.llvm.1A2B3C", "script::main"],
    ["_RNvCs123_6script4main.cold", "script::main.cold"],
    ["_ZN6script4main17h0123456789abcdefE.llvm.1A2B3C", "script::main"],
  ])("may have a suffix of LLVM's: %s", (symbol, name) => {
    expect(demangle(symbol, MAX)).toBe(name);
  });
});

test.each([
  ["empty", ""],
  ["of C", "memcpy"],
  ["of C++", "_ZN3foo3barEv"],
  ["of C++ without a hash", "_ZN3foo3barE"],
  ["of a later mangling", "_R1NvC6script4main"],
  ["of a crate alone that ends early", "_RC9script"],
  ["without its last name", "_RNvC6script"],
  ["with something behind", "_RNvC6script4main!"],
  ["with a reference to itself", "_RB_"],
  ["with a reference forward", "_RNvB9_4main"],
  ["with a reference to a reference to itself", "_RNvB1_4main"],
  ["with an unknown type", "_RINvC6script4mainGE"],
  ["with a boolean that is none", "_RINvC6script4mainKb2_E"],
  ["with a character that is none", "_RINvC6script4mainKcd800_E"],
  ["with a character beyond all", "_RINvC6script4mainKc110000_E"],
  ["with half a byte of text", "_RINvC6script4mainKRe123_E"],
  ["with text that is not UTF-8", "_RINvC6script4mainKReff_E"],
  ["with a lifetime that nobody introduced", "_RINvC6script4mainRL0_hE"],
  ["with characters that no symbol has", "_RNvC6scrípt4main"],
  ["of a hash alone", "_ZN17h0123456789abcdefE"],
  ["with a prototype's name", "__proto__"],
  ["that looks like a place in a stack", "main (wasm://wasm/script:wasm-function[7]:0x1)"],
])("a name %s comes back as it was", (_, name) => {
  expect(demangle(name, MAX)).toBe(name);
});

test("a name in punycode that is broken or too long shows its code", () => {
  expect(demangle("_RNvC6scriptu4a_99", MAX)).toBe("script::punycode{a-99}");
  const long = `${"a".repeat(150)}_wya`;
  expect(demangle(`_RNvC6scriptu${long.length}_${long}`, MAX)).toBe(
    `script::punycode{${"a".repeat(150)}-wya}`,
  );
});

describe("a name that is too long", () => {
  test("is cut with an ellipsis at exactly the bound", () => {
    const symbol = (length: number): string => `_RNvC6script${length}_${"x".repeat(length)}`;
    expect(demangle(symbol(MAX - 8), MAX)).toBe(`script::${"x".repeat(MAX - 8)}`);
    expect(demangle(symbol(MAX - 7), MAX)).toBe(`script::${"x".repeat(MAX - 9)}…`);
    expect(demangle("y".repeat(MAX), MAX)).toBe("y".repeat(MAX));
    expect(demangle("y".repeat(MAX + 1), MAX)).toBe(`${"y".repeat(MAX - 1)}…`);
  });

  test("is not cut through a character", () => {
    const name = `${"y".repeat(MAX - 2)}🦀🦀`;
    expect(demangle(name, MAX)).toBe(`${"y".repeat(MAX - 2)}…`);
    for (let max = 1; max < 12; max += 1) expect(demangle("🦀🦀🦀🦀🦀🦀", max).isWellFormed()).toBe(true);
  });
});

describe("a hostile name", () => {
  /** Every tuple holds the one before it, as often as it is wide. */
  const bomb = (levels: number, width: number): string => {
    let symbol = "INvC1a1b";
    let last = symbol.length;
    symbol += "TuE";
    for (let level = 0; level < levels; level += 1) {
      const at = symbol.length;
      symbol += `T${`B${base62(last)}`.repeat(width)}E`;
      last = at;
    }
    return `_R${symbol}E`;
  };
  const base62 = (value: number): string => {
    if (value === 0) return "_";
    let rest = value - 1;
    let digits = "";
    do {
      digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".charAt(rest % 62) + digits;
      rest = Math.floor(rest / 62);
    } while (rest > 0);
    return `${digits}_`;
  };
  /** Paths that print nothing, each a reference to the one before it, nested and read again. */
  const silentBomb = (): string => {
    let symbol = "INvC1a1b";
    let last = symbol.length;
    symbol += "C0";
    for (let level = 0; level < 5_000; level += 1) {
      const at = symbol.length;
      symbol += `NvB${base62(last)}0`;
      last = at;
    }
    return `_R${symbol}E`;
  };
  const HUGE = 1_000_000;
  const HOSTILE: ReadonlyArray<[string, string]> = [
    ["that refers back to twice as much sixty times", bomb(60, 2)],
    ["that refers back to ten times as much thousands of times", bomb(3_000, 10)],
    ["of references that print nothing", silentBomb()],
    ["of a million nested paths", `_R${"Nv".repeat(HUGE)}`],
    ["of a million nested types", `_RINvC1a1b${"R".repeat(HUGE)}hE`],
    ["of a million nested constants", `_RINvC1a1bK${"R".repeat(HUGE)}h0_E`],
    ["of a million nested implementations", `_R${"M".repeat(HUGE)}`],
    ["of a million nested binders", `_RINvC1a1b${"FG_".repeat(HUGE)}EuE`],
    ["of more lifetimes than there are numbers", "_RINvC1a1bFGzzzzzzzzzz_EuE"],
    ["of a number without an end", `_RNvC6scripts${"0".repeat(HUGE)}`],
    ["of a number of a million zeros", `_RNvC6scripts${"0".repeat(HUGE)}_4main`],
    ["of a length without an end", `_RNvC${"9".repeat(HUGE)}`],
    ["of a length that lies", "_RNvC6script999999main"],
    ["of a constant without an end", `_RINvC1a1bKh${"0".repeat(HUGE)}`],
    ["of a constant of a million zeros", `_RINvC1a1bKh${"0".repeat(HUGE)}_E`],
    ["of a text of a million characters", `_RINvC1a1bKRe${"61".repeat(HUGE)}_E`],
    ["of a million characters in punycode", `_RNvC6scriptu${HUGE}_${"a".repeat(HUGE)}`],
    ["of a million lengths of zero", `_ZN${"0".repeat(HUGE)}E`],
    ["of a million parts", `_ZN${"1a".repeat(HUGE)}17h0123456789abcdefE`],
    ["of a million escapes", `_ZN${"$u20$".length * 1_000}_${"$u20$".repeat(HUGE)}E`],
    ["of a million dollars", `${"$".repeat(HUGE)}::h0123456789abcdef`],
    ["of a million colons", ":".repeat(HUGE)],
    ["of a million suffixes", `_RNvC6script4main${".llvm.A".repeat(HUGE)}!`],
    ["of a million zero bytes", "\0".repeat(HUGE)],
    ["of half characters", "\ud800".repeat(HUGE)],
  ];

  // Quadratic time over a million characters would be hours, not the seconds that a test may take.
  test.each(HOSTILE)("%s is answered at once and within the bound", (_, name) => {
    expect(demangle(name, MAX).length).toBeLessThanOrEqual(MAX);
  });

  test("that is deeper than any of rustc's comes back as it was, and one as deep as those does not", () => {
    const deep = (levels: number): string => `_RINvC1a1b${"R".repeat(levels)}hE`;
    expect(demangle(deep(150), MAX)).toBe(`a::b::<${"&".repeat(150)}u8>`);
    expect(demangle(deep(250), 1_000)).toBe(deep(250));
  });

  test("of random characters never throws and never grows beyond the bound", () => {
    const random = randomNumbers(20_261_122);
    const telling = "_RNvCMXYIBsuLKTEFDAGQROPp0123456789abcxyzhjZN$.:é\0🦀";
    for (let round = 0; round < 20_000; round += 1) {
      let name = round % 4 === 0 ? "_ZN" : "_R";
      for (let left = random(60); left > 0; left -= 1) name += telling.charAt(random(telling.length));
      const max = 1 + random(64);
      expect(demangle(name, max).length).toBeLessThanOrEqual(max);
    }
  });

  test("that is a damaged one of rustc's never throws and never grows beyond the bound", () => {
    const random = randomNumbers(7);
    const pick = (): string => ALL[random(ALL.length)] ?? "";
    let read = 0;
    for (let round = 0; round < 30_000; round += 1) {
      const symbol = pick();
      const at = 2 + random(symbol.length - 2);
      const end = Math.min(symbol.length, at + random(6));
      const other = pick();
      const from = random(other.length);
      const name = [
        symbol.slice(0, at) + symbol.slice(end),
        symbol.slice(0, at) + other.slice(from, from + random(8)) + symbol.slice(end),
        symbol.slice(0, at) + symbol.slice(at, end).repeat(3) + symbol.slice(end),
        `${symbol.slice(0, at)}B${base62(random(symbol.length))}${symbol.slice(end)}`,
      ][random(4)];
      const shown = demangle(name ?? "", MAX);
      expect(shown.length).toBeLessThanOrEqual(MAX);
      if (shown !== name) read += 1;
    }
    // Most changes hit a name or a hash: what is never read was not tested.
    expect(read).toBeGreaterThan(1_000);
  });
});
