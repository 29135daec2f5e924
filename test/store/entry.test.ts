import { hash } from "node:crypto";
import { expect, test } from "vitest";
import { decodeEntry, encodeEntry } from "../../src/store/entry.ts";
import { sampleKey, sampleModule } from "./samples.ts";

const key = sampleKey(1);
const module = sampleModule(1, 200);
const file = encodeEntry(key, module);

/** With a digest that fits, as somebody would make it who knows the format. */
function forged(change: (file: Buffer) => void): Buffer {
  const copy = Buffer.from(file);
  change(copy);
  hash("sha256", copy.subarray(48), "buffer").copy(copy, 16);
  return copy;
}

function withDiagnostics(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.byteLength(text));
  return hashed(Buffer.concat([file.subarray(0, 80), length, Buffer.from(text), module.bytes]));
}

function hashed(copy: Buffer): Buffer {
  hash("sha256", copy.subarray(48), "buffer").copy(copy, 16);
  return copy;
}

test("gives back what was put in", () => {
  expect(decodeEntry(key, file)).toStrictEqual(module);
});

test("refuses a file in which any one bit is flipped", () => {
  const accepted: number[] = [];
  for (let bit = 0; bit < file.length * 8; bit += 1) {
    const copy = Buffer.from(file);
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if (decodeEntry(key, copy) !== undefined) accepted.push(bit);
  }
  expect(accepted).toEqual([]);
});

test("refuses a file that was cut anywhere", () => {
  for (let length = 0; length < file.length; length += 1) {
    expect(decodeEntry(key, file.subarray(0, length)), `${length} bytes`).toBeUndefined();
  }
});

test("refuses a file with something behind its end", () => {
  expect(decodeEntry(key, Buffer.concat([file, Buffer.alloc(1)]))).toBeUndefined();
  expect(decodeEntry(key, Buffer.concat([file, file]))).toBeUndefined();
});

test("refuses the entry of another key", () => {
  expect(decodeEntry(sampleKey(2), file)).toBeUndefined();
});

test("refuses a length of diagnostics beyond the file, though the digest fits", () => {
  expect(
    decodeEntry(
      key,
      forged((copy) => copy.writeUInt32LE(0xffff_ffff, 80)),
    ),
  ).toBeUndefined();
  expect(
    decodeEntry(
      key,
      forged((copy) => copy.writeUInt32LE(file.length - 83, 80)),
    ),
  ).toBeUndefined();
});

test("refuses the magic of another version, though the digest fits", () => {
  expect(
    decodeEntry(
      key,
      forged((copy) => copy.write("2", 15)),
    ),
  ).toBeUndefined();
});

test.each([
  ["no JSON", "not json"],
  ["no list", "{}"],
  ["a list of something else", "[1]"],
  ["a diagnostic without its text", '[{"level":"warning"}]'],
  ["a level that there is none", JSON.stringify([{ ...module.diagnostics[0], level: "fatal" }])],
  ["a field that there is none", JSON.stringify([{ ...module.diagnostics[0], extra: 1 }])],
  ["a nested bomb", "[".repeat(200_000)],
])("refuses diagnostics that are %s, though the digest fits", (_, text) => {
  expect(decodeEntry(key, withDiagnostics(text))).toBeUndefined();
});

test("takes diagnostics that are what they should be, by the same road as the refused ones", () => {
  expect(decodeEntry(key, withDiagnostics(JSON.stringify(module.diagnostics)))).toStrictEqual(module);
});
