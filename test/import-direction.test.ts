import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SOURCE = fileURLToPath(new URL("../src", import.meta.url));

/** Every import between two files of the project, as paths from src. */
const imports: ReadonlyArray<{ from: string; to: string }> = readdirSync(SOURCE, {
  recursive: true,
  encoding: "utf8",
})
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
  .flatMap((from) => {
    const text = readFileSync(join(SOURCE, from), "utf8");
    const specifiers = text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g);
    return [...specifiers].map(([, to = ""]) => ({
      from,
      to: relative(SOURCE, join(SOURCE, from, "..", to)),
    }));
  });

/** The house, from the street inwards: a file imports from its own ring or from one further in, and never back. */
const folderOf = (file: string): string => (file.includes("/") ? (file.split("/")[0] ?? "") : file);
const STREET = ["cli", "tools"];
const FRONT = ["index.ts", "executor.ts", "script-compiler.ts"];
const found = (wrong: (edge: { from: string; to: string }) => boolean): string[] =>
  imports.filter(wrong).map(({ from, to }) => `${from} -> ${to}`);

test("the imports are seen at all", () => {
  expect(imports.length).toBeGreaterThan(100);
  expect(imports).toContainEqual({ from: "executor.ts", to: "run/runner.ts" });
  expect(imports).toContainEqual({ from: "guest/main.ts", to: "guest/serve.ts" });
});

test("nothing imports the command line or the tools", () => {
  expect(found(({ from, to }) => STREET.includes(folderOf(to)) && folderOf(from) !== folderOf(to))).toEqual(
    [],
  );
});

test("no step imports the executor", () => {
  const outside = [...STREET, ...FRONT];
  expect(found(({ from, to }) => FRONT.includes(to) && !outside.includes(folderOf(from)))).toEqual([]);
});

test("the code in a cell shares with the host the protocol, its framing, its patterns and the wasm format, and nothing else", () => {
  const shared = (to: string): boolean =>
    to.startsWith("guest/") ||
    /^run\/(protocol|framing|artifact-pattern)\.ts$/.test(to) ||
    to.startsWith("wasm/");
  expect(found(({ from, to }) => from.startsWith("guest/") && !shared(to))).toEqual([]);
});

test("the host side never imports the code in a cell", () => {
  expect(found(({ from, to }) => !from.startsWith("guest/") && to.startsWith("guest/"))).toEqual([]);
});

test("the protocol and its patterns import nothing, and its framing only the protocol: both sides have to read them alone", () => {
  expect(found(({ from }) => /^run\/(protocol|artifact-pattern)\.ts$/.test(from))).toEqual([]);
  expect(found(({ from, to }) => from === "run/framing.ts" && to !== "run/protocol.ts")).toEqual([]);
});

test("the wasm format knows no policy and no Node API", () => {
  expect(found(({ from, to }) => from.startsWith("wasm/") && !to.startsWith("wasm/"))).toEqual([]);
  for (const file of readdirSync(join(SOURCE, "wasm"), { encoding: "utf8" })) {
    expect(readFileSync(join(SOURCE, "wasm", file), "utf8"), file).not.toMatch(/from\s+["']node:/);
  }
});

test("compiling, storing and running know nothing of each other", () => {
  const steps = ["compile", "store", "instrument", "run"];
  // Types that a step hands on are the one thing that the next may name.
  const contracts = ["compile/diagnostics.ts"];
  expect(
    found(({ from, to }) => {
      const [a, b] = [folderOf(from), folderOf(to)];
      return steps.includes(a) && steps.includes(b) && a !== b && !contracts.includes(to);
    }).filter((edge) => edge !== "run/runner.ts -> instrument/instrument.ts"),
  ).toEqual([]);
});

test("no file imports itself in a circle", () => {
  const edges = new Map<string, string[]>();
  for (const { from, to } of imports) edges.set(from, [...(edges.get(from) ?? []), to]);
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
    if (done.has(file) || path.includes(file)) return;
    for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  // A type that two files name in turn is erased before it runs; circles of values are what breaks.
  expect(circles.filter((circle) => !isTypeOnly(circle))).toEqual([]);
});

function isTypeOnly(circle: string): boolean {
  const files = circle.split(" -> ");
  return files.slice(1).some((to, i) => {
    const from = files[i] ?? "";
    const text = readFileSync(join(SOURCE, from), "utf8");
    const name = to.split("/").at(-1);
    const statements = text.match(/^import[^;]+;/gm) ?? [];
    return statements
      .filter((line) => line.includes(`/${name}"`))
      .every((line) => line.startsWith("import type"));
  });
}
