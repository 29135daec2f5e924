import { describe, expect, it } from "vitest";
import { refuseSource } from "../../src/compile/source-refusal.ts";

const limits = { sourceBytes: 1_000_000 };

describe("a source that is refused", () => {
  it("is shown with its place, in lines and columns from 1 and in bytes", () => {
    const source = 'fn main() {\n    let ü = "ü"; env!("HOME");\n}\n';
    const [span] = refuseSource(source.replace("ü =", "u ="), "2024", false, limits)?.spans ?? [];
    expect(span).toMatchObject({ lineStart: 2, columnStart: 18, lineEnd: 2, columnEnd: 21, primary: true });
    expect(
      Buffer.from(source.replace("ü =", "u =")).subarray(span?.byteStart, span?.byteEnd).toString(),
    ).toBe("env");
    expect(span?.text).toEqual(['    let u = "ü"; env!("HOME");']);
  });

  it("is shown in short where its line is long", () => {
    const diagnostic = refuseSource(
      `${" ".repeat(500_000)}env!("HOME");${" ".repeat(400_000)}`,
      "2024",
      false,
      limits,
    );
    expect(diagnostic?.code).toBe("scriptcell::source-refused");
    expect(JSON.stringify(diagnostic).length).toBeLessThan(4_000);
  });

  it("is refused without a jail only", () => {
    expect(refuseSource('fn main() { env!("HOME"); }', "2024", true, limits)).toBeUndefined();
  });

  it("is refused for its size in bytes, jail or not", () => {
    for (const jailed of [true, false]) {
      expect(refuseSource("ü", "2024", jailed, { sourceBytes: 1 })?.code).toBe(
        "scriptcell::source-too-large",
      );
      expect(refuseSource("//ü", "2024", jailed, { sourceBytes: 4 })).toBeUndefined();
    }
  });
});
