import { describe, expect, it } from "vitest";
import type { Applicability, Diagnostic, Suggestion } from "../../src/compile/diagnostics.ts";
import { applySuggestions } from "../../src/compile/suggestions.ts";
import { compile } from "./support.ts";

type Edit = Suggestion["replacements"][number];

/** Replaces what stands at UTF-8 offsets. */
function edit(byteStart: number, byteEnd: number, text: string): Edit {
  return { byteStart, byteEnd, text };
}

/** Replaces the only occurrence of a text. */
function replace(source: string, old: string, text: string): Edit {
  const at = source.indexOf(old);
  expect([at >= 0, source.indexOf(old, at + 1)]).toEqual([true, -1]);
  const byteStart = Buffer.byteLength(source.slice(0, at));
  return edit(byteStart, byteStart + Buffer.byteLength(old), text);
}

function suggest(
  replacements: readonly Edit[],
  applicability: Applicability = "machine-applicable",
  message = "try",
): Suggestion {
  return { message, applicability, replacements };
}

function diagnostic(...suggestions: Suggestion[]): Diagnostic {
  return {
    level: "error",
    code: "E0000",
    message: "wrong",
    spans: [],
    children: [],
    suggestions,
    rendered: "error: wrong",
  };
}

/** One diagnostic for each list of replacements. */
function applied(source: string, ...replacements: Edit[][]): string {
  return applySuggestions(
    source,
    replacements.map((edits) => diagnostic(suggest(edits))),
  ).source;
}

describe("what is applied", () => {
  it("is what rustc is sure of, if nothing else is asked for", () => {
    const source = "one two three four";
    const all = diagnosticsOf(source);
    expect(applySuggestions(source, all).source).toBe("1 two three four");
    expect(applySuggestions(source, all, { applicability: "maybe-incorrect" }).source).toBe(
      "one 2 three four",
    );
    expect(
      applySuggestions(source, all, { applicability: ["machine-applicable", "has-placeholders"] }).source,
    ).toBe("1 two 3 four");
    expect(applySuggestions(source, all, { applicability: [] })).toEqual({ source, applied: [] });

    function diagnosticsOf(text: string): Diagnostic[] {
      return (
        [
          ["one", "1", "machine-applicable"],
          ["two", "2", "maybe-incorrect"],
          ["three", "3", "has-placeholders"],
          ["four", "4", "unspecified"],
        ] as const
      ).map(([old, digit, sure]) => diagnostic(suggest([replace(text, old, digit)], sure)));
    }
  });

  it("is told with rustc's words, the code and the line that it begins in", () => {
    const source = "a\nb\r\nc";
    const { code: _, ...withoutCode } = diagnostic(
      suggest([edit(5, 6, "z")], "machine-applicable", "change c"),
    );
    const first = diagnostic(suggest([edit(2, 3, "y"), edit(0, 0, "x")], "machine-applicable", "change b"));
    const second = diagnostic(suggest([edit(2, 2, "!")]));
    expect(applySuggestions(source, [withoutCode, first, second])).toEqual({
      source: "xa\ny\r\nz",
      applied: [
        { message: "change c", line: 3 },
        { message: "change b", code: "E0000", line: 1 },
      ],
    });
  });

  it("is a suggestion as a whole, its parts in any order", () => {
    expect(applied("f(a, b)", [edit(6, 7, "]"), edit(0, 1, "g"), edit(3, 5, ""), edit(1, 2, "[")])).toBe(
      "g[ab]",
    );
  });

  it("is none of a suggestion where one part collides with another suggestion", () => {
    expect(applied("abc", [edit(1, 2, "B")], [edit(0, 1, "A"), edit(1, 2, "x")])).toBe("aBc");
  });

  it("is the first alternative that a diagnostic has, and only that", () => {
    const several = diagnostic(
      suggest([edit(0, 1, "no")], "maybe-incorrect"),
      suggest([edit(0, 1, "first")]),
      suggest([edit(1, 2, "second")]),
    );
    expect(applySuggestions("ab", [several]).source).toBe("firstb");
  });

  it("is the surest alternative, of several kinds that are asked for", () => {
    const several = diagnostic(
      suggest([edit(0, 1, "has-placeholders")], "has-placeholders"),
      suggest([edit(0, 1, "maybe-incorrect")], "maybe-incorrect"),
      suggest([edit(0, 1, "machine-applicable")]),
    );
    const kinds = ["machine-applicable", "maybe-incorrect", "has-placeholders"] as const;
    for (const [i, surest] of kinds.entries()) {
      const options = { applicability: kinds.slice(i) };
      expect(applySuggestions("ab", [several], options).source).toBe(`${surest}b`);
    }
  });

  it("is no second-best alternative because the best collides: it waits for the next time", () => {
    const waiting = diagnostic(suggest([edit(0, 1, "x")]), suggest([edit(1, 2, "y")]));
    expect(applySuggestions("ab", [diagnostic(suggest([edit(0, 1, "A")])), waiting]).source).toBe("Ab");
  });

  it("is the same suggestion once, however often and in whatever order of its parts it is made", () => {
    const parts = [edit(0, 0, "("), edit(1, 1, ")")];
    const { source, applied: told } = applySuggestions("ab", [
      diagnostic(suggest(parts)),
      diagnostic(suggest([...parts].reverse())),
    ]);
    expect(source).toBe("(a)b");
    expect(told).toHaveLength(1);
  });
});

describe("suggestions that touch the same text", () => {
  it("overlap: the first one is applied", () => {
    expect(applied("abcdef", [edit(1, 4, "X")], [edit(3, 5, "Y")])).toBe("aXef");
    expect(applied("abcdef", [edit(3, 5, "Y")], [edit(1, 4, "X")])).toBe("abcYf");
    expect(applied("abcdef", [edit(0, 6, "X")], [edit(3, 3, "Y")])).toBe("X");
    expect(applied("abcdef", [edit(2, 3, "X"), edit(4, 5, "X")], [edit(0, 6, "Y")])).toBe("abXdXf");
  });

  it("insert where the other replaces or inserts: the first one is applied", () => {
    expect(applied("abc", [edit(1, 2, "B")], [edit(1, 1, "x")])).toBe("aBc");
    expect(applied("abc", [edit(1, 2, "B")], [edit(2, 2, "x")])).toBe("aBc");
    expect(applied("abc", [edit(1, 1, "x")], [edit(1, 2, "B")])).toBe("axbc");
    expect(applied("abc", [edit(1, 1, "x")], [edit(1, 1, "y")])).toBe("axbc");
  });

  it("replace texts that lie side by side: both are applied", () => {
    expect(applied("abc", [edit(1, 2, "B")], [edit(0, 1, "A")], [edit(2, 3, "C")])).toBe("ABC");
  });

  it("insert whole lines at one place, as imports are: both are applied", () => {
    const source = "fn main() {}";
    expect(
      applied(source, [edit(0, 0, "use std::fs;\n")], [edit(0, 0, "use std::io;\n")], [edit(0, 0, "pub ")]),
    ).toBe("use std::fs;\nuse std::io;\nfn main() {}");
  });
});

describe("a suggestion that does not fit the source", () => {
  const SOURCE = "aé😀\r\nb";

  it.each<[string, Edit[]]>([
    ["lies beyond the end", [edit(10, 11, "x")]],
    ["begins beyond the end", [edit(11, 11, "x")]],
    ["begins before the beginning", [edit(-1, 1, "x")]],
    ["goes backwards", [edit(3, 1, "x")]],
    ["begins in the middle of a character", [edit(2, 3, "x")]],
    ["ends in the middle of a character", [edit(3, 5, "x")]],
    ["has offsets that are no whole numbers", [edit(0.5, 1, "x")]],
    ["has offsets that are no numbers", [edit(Number.NaN, Number.NaN, "x")]],
    ["has offsets without end", [edit(0, Number.POSITIVE_INFINITY, "x")]],
    ["replaces one place twice", [edit(0, 1, "x"), edit(0, 1, "y")]],
    ["inserts twice at one place", [edit(1, 1, "x"), edit(1, 1, "y")]],
    ["has overlapping parts", [edit(0, 3, "x"), edit(1, 7, "y")]],
    ["has one part that fits and one that does not", [edit(0, 1, "x"), edit(99, 99, "y")]],
    ["changes nothing", [edit(1, 3, "é")]],
    ["is empty", []],
  ])("%s: it is left out", (_, edits) => {
    expect(Buffer.byteLength(SOURCE)).toBe(10);
    expect(applied(SOURCE, edits)).toBe(SOURCE);
    const alternatives = diagnostic(suggest(edits), suggest([edit(9, 10, "B")]));
    expect(applySuggestions(SOURCE, [alternatives]).source).toBe("aé😀\r\nB");
  });

  it("would stand before the byte order mark: it is left out", () => {
    expect(applied("\ufeffab", [edit(0, 0, "x")], [edit(0, 4, "y")])).toBe("\ufeffab");
    expect(applied("\ufeffab", [edit(3, 4, "A")])).toBe("\ufeffAb");
  });
});

describe("the source", () => {
  it("keeps every character that no suggestion is about", () => {
    const source = '\ufefflet größe = "😀\u0000";\r\nlet x = 1;\r\n\u2028';
    expect(applied(source, [replace(source, "größe", "mut größe")], [replace(source, "1", "2")])).toBe(
      '\ufefflet mut größe = "😀\u0000";\r\nlet x = 2;\r\n\u2028',
    );
  });

  it("comes back as it was, to the code unit, where nothing is applied", () => {
    expect(applySuggestions("a\ud800b", []).source).toBe("a\ud800b");
  });

  it("is what a compiler sees where something is applied: what UTF-8 cannot hold is U+FFFD", () => {
    expect(applied("a\ud800b", [edit(0, 1, "x")])).toBe("x\ufffdb");
  });

  it.each([
    ["with CRLF", (source: string) => source.replaceAll("\n", "\r\n")],
    ["with a byte order mark", (source: string) => `\ufeff${source}`],
    ["with characters of two, three and four bytes", (source: string) => `// é € 😀\n/* é € 😀 */${source}`],
    ["with all of it", (source: string) => `\ufeff// é € 😀\r\n/* 😀 */${source.replaceAll("\n", "\r\n")}`],
  ])("is corrected at the place that rustc means: %s", async (_, written) => {
    const source = written('fn main() {\n    let größe = 1;\n    größe += 1; println!("{größe} 😀");\n}\n');
    const first = await compile(source);
    expect(first.ok).toBe(false);
    const fixed = applySuggestions(source, first.diagnostics);
    expect(fixed.source).toBe(source.replace("let größe", "let mut größe"));
    expect(fixed.applied).toMatchObject([{ code: "E0384", line: source.includes("//") ? 3 : 2 }]);
    expect((await compile(fixed.source)).ok).toBe(true);
  });
});

describe("many suggestions", () => {
  it("are each applied unless they collide with an earlier one, wherever they are", () => {
    const source = ".".repeat(12_000);
    let state = 1;
    const random = (below: number) => {
      state = (state * 48_271) % 2_147_483_647;
      return state % below;
    };
    const edits = Array.from({ length: 6_000 }, (_, i) => {
      const start = random(source.length);
      return edit(start, Math.min(source.length, start + random(4)), `<${i}>${random(3) === 0 ? "\n" : ""}`);
    });
    const kept: Edit[] = [];
    for (const one of edits) if (!kept.some((other) => collide(one, other))) kept.push(one);
    kept.sort((a, b) => a.byteStart - b.byteStart || a.byteEnd - b.byteEnd);
    let [expected, end] = ["", 0];
    for (const { byteStart, byteEnd, text } of kept) {
      expected += source.slice(end, byteStart) + text;
      end = byteEnd;
    }
    expect(applied(source, ...edits.map((one) => [one]))).toBe(expected + source.slice(end));
    expect(kept.length).toBeGreaterThan(2_000);
    expect(kept.length).toBeLessThan(5_000);

    function collide(a: Edit, b: Edit): boolean {
      const [aIsEmpty, bIsEmpty] = [a.byteStart === a.byteEnd, b.byteStart === b.byteEnd];
      if (aIsEmpty && bIsEmpty)
        return a.byteStart === b.byteStart && !(a.text.endsWith("\n") && b.text.endsWith("\n"));
      return aIsEmpty || bIsEmpty
        ? Math.max(a.byteStart, b.byteStart) <= Math.min(a.byteEnd, b.byteEnd)
        : Math.max(a.byteStart, b.byteStart) < Math.min(a.byteEnd, b.byteEnd);
    }
  });

  it("are applied to a megabyte of source, those that collide among them left out", () => {
    const lines = 20_000;
    const line = `${"é".repeat(24)} x\n`;
    const source = line.repeat(lines);
    const length = Buffer.byteLength(line);
    const at = (i: number) => i * length + length - 2;
    const diagnostics = Array.from({ length: lines }, (_, i) => {
      // Neither from first to last nor from last to first.
      const place = at((i * 7_919) % lines);
      return [
        diagnostic(suggest([edit(place, place + 1, "y")])),
        diagnostic(suggest([edit(place, place + 1, "z")])),
      ];
    }).flat();
    const { source: changed, applied: told } = applySuggestions(source, diagnostics);
    expect(changed).toBe(source.replaceAll("x", "y"));
    expect(told).toHaveLength(lines);
    expect(told[1]?.line).toBe(7_920);
  });
});

describe("the options", () => {
  it.each([{ applicability: "machine" }, { applicability: ["sure"] }, { applicabillity: [] }])(
    "are checked: %j",
    (options) => {
      // @ts-expect-error: the types say so too, for most of them
      expect(() => applySuggestions("", [], options)).toThrow(
        expect.objectContaining({ code: "INVALID_OPTIONS" }),
      );
    },
  );
});
