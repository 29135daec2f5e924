import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { type StoreKeyInputs, storeKey } from "../../src/store/key.ts";
import { STORE_FORMAT_VERSION } from "../../src/store/layout.ts";

const inputs: StoreKeyInputs = {
  source: "fn main() {}",
  edition: "2024",
  flags: ["-O", "-C", "strip=debuginfo"],
  target: "wasm32-wasip1",
  rustc: "rustc 1.97.1 (abc 2026-07-01)\nhost: x86_64-unknown-linux-gnu\nLLVM version: 22.1.0\n",
};

test("is SHA-256 over the format version and every input, in 64 hex digits", () => {
  const { source, edition, flags, target, rustc } = inputs;
  const encoded = JSON.stringify([
    "scriptcell module",
    STORE_FORMAT_VERSION,
    target,
    edition,
    rustc,
    flags,
    source,
  ]);
  expect(storeKey(inputs)).toBe(createHash("sha256").update(encoded).digest("hex"));
});

test("is the same for the same inputs", () => {
  expect(storeKey(structuredClone(inputs))).toBe(storeKey(inputs));
});

test.each<[string, Partial<StoreKeyInputs>]>([
  ["one character of the source", { source: "fn main() { }" }],
  ["the end of line in the source", { source: "fn main() {}\r\n" }],
  ["the edition", { edition: "2021" }],
  ["the value of a flag", { flags: ["-O", "-C", "strip=symbols"] }],
  ["the order of flags", { flags: ["-C", "strip=debuginfo", "-O"] }],
  ["a flag more", { flags: [...inputs.flags, ""] }],
  ["a flag less", { flags: ["-C", "strip=debuginfo"] }],
  ["the target", { target: "wasm32-wasip2" }],
  ["the compiler's version", { rustc: inputs.rustc.replace("1.97.1", "1.97.2") }],
  ["the compiler's commit", { rustc: inputs.rustc.replace("abc", "abd") }],
  ["the compiler's host", { rustc: inputs.rustc.replace("x86_64", "aarch64") }],
  ["the compiler's LLVM", { rustc: inputs.rustc.replace("22.1.0", "22.1.1") }],
])("changes with %s", (_, change) => {
  expect(storeKey({ ...inputs, ...change })).not.toBe(storeKey(inputs));
});

test("does not confuse inputs whose texts run together in the same way", () => {
  const keys = [
    storeKey({ ...inputs, flags: ["a", "b"] }),
    storeKey({ ...inputs, flags: ["ab"] }),
    storeKey({ ...inputs, flags: ["a,b"] }),
    storeKey({ ...inputs, flags: ['a","b'] }),
    storeKey({ ...inputs, flags: ["a\0b"] }),
    storeKey({ ...inputs, flags: [], source: 'a"],"b' }),
    storeKey({ ...inputs, flags: ["a"], source: "b" }),
    storeKey({ ...inputs, flags: [], edition: "a", source: "b" }),
    storeKey({ ...inputs, flags: [], edition: "b", source: "a" }),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});

test("does not confuse sources that differ only in a lone surrogate", () => {
  const keys = ["\ud800", "\ud801", "\udc00", "\ufffd"].map((source) => storeKey({ ...inputs, source }));
  expect(new Set(keys).size).toBe(4);
});
