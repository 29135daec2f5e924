import { describe, expect, it } from "vitest";
import { readDepInfo } from "../../src/compile/dep-info.ts";

const OUTPUTS = ["/out/script.d", "/out/script.wasm"];
const PLAIN = "/out/script.d: script.rs\n\n/out/script.wasm: script.rs\n\nscript.rs:\n";

function read(text: string | undefined): string {
  return readDepInfo(text, "script.rs", OUTPUTS);
}

describe("dep-info", () => {
  it("that names the script alone is accepted", () => {
    expect(read(PLAIN)).toBe("script-only");
  });

  it("may say that a variable without value was asked for", () => {
    expect(read(`${PLAIN}\n# env-dep:HOME\n# env-dep:A\\nB\n`)).toBe("script-only");
  });

  it.each([
    ["a variable with a value", `${PLAIN}\n# env-dep:HOME=/home/a\n`],
    ["a variable with an empty value", `${PLAIN}\n# env-dep:HOME=\n`],
    ["another file", "/out/script.d: script.rs /etc/passwd\n\nscript.rs:\n/etc/passwd:\n"],
    ["another file in one rule only", "/out/script.d: script.rs /etc/passwd\n\nscript.rs:\n"],
    ["another file that ends like the script", `${PLAIN}/a\\ script.rs:\n`],
    ["a rule for another output", `${PLAIN}/out/other: script.rs\n`],
    ["a comment that is not known", `${PLAIN}# checksum:x\n`],
    ["no script", "/out/script.d: script.rs\n"],
    ["nonsense", "\0"],
  ])("with %s is foreign", (_, text) => {
    expect(read(text)).toBe("foreign");
  });

  it("that was not written, or is empty, is missing", () => {
    expect(read(undefined)).toBe("missing");
    expect(read("")).toBe("missing");
  });
});
