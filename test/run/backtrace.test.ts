import { describe, expect, test } from "vitest";
import { demangle } from "../../src/guest/backtrace/demangle.ts";
import type { RunResult, StackFrame } from "../../src/index.ts";
import { type Cursor, readByte, readName, readU32, skipBytes } from "../../src/wasm/cursor.ts";
import { MODES, type Mode, openExecutor } from "../support/executors.ts";
import { attack, script } from "../support/scripts.ts";
import { assemble } from "../wasm/assemble.ts";
import { customSection, leb, name, section, vector } from "../wasm/binary.ts";

const FALL_OVER = attack("fall-over");

const NODE_WASI: Mode = {
  name: "process cells with Node's WASI",
  options: { engine: "node-wasi", jail: "required", capabilities: { clock: "real" } },
  isolation: { cell: "process", jail: "bubblewrap", engine: "node-wasi" },
};

const AREA = "<script::shapes::Square<u8> as script::shapes::Area>::area";

/** What is on the stack, by the way in which the script falls over: with a list, all of it, else the innermost. */
const ENDS: ReadonlyArray<[how: string, end: object, functions: readonly string[]]> = [
  ["index", { status: "panicked" }, [`${AREA}::{closure#0}`, AREA, "script::main"]],
  ["unwrap", { status: "panicked" }, ["core::option::unwrap_failed", "script::größe", "script::main"]],
  ["divide", { status: "panicked" }, ["script::divide", "script::main"]],
  ["assert", { status: "panicked" }, ["script::compare", "script::main"]],
  ["abort", { status: "trapped" }, ["std::process::abort", "script::give_up", "script::main"]],
  ["fuel", { status: "limit-exceeded", limit: "fuel" }, ["script::spin", "script::main"]],
];

function backtrace(result: RunResult): readonly StackFrame[] {
  if (!("backtrace" in result)) throw new Error(`a run that is ${result.status} has no backtrace`);
  return result.backtrace;
}

const functions = (result: RunResult): string[] => backtrace(result).map((frame) => frame.function);

describe.each([...MODES, NODE_WASI])("a script in $name", ({ options, isolation }) => {
  const executor = openExecutor(options);
  const fall = (how: string, profile: "fast-compile" | "fast-run" = "fast-compile") =>
    executor.run(FALL_OVER, {
      profile,
      capabilities: { ...options.capabilities, args: ["script", how] },
      limits: { fuel: 50_000_000, stackBytes: 1024 * 1024 },
    });

  test.each(ENDS)("that falls over by %s says in which functions", async (how, end, expected) => {
    const result = await fall(how);
    expect(result).toMatchObject({ ...end, isolation });
    expect(functions(result)).toEqual(expected);
  });

  test("that is compiled to run fast says in which of the functions that are left", async () => {
    expect(functions(await fall("index", "fast-run"))).toEqual([AREA, "script::main"]);
    expect(functions(await fall("unwrap", "fast-run"))).toEqual([
      "core::option::unwrap_failed",
      "script::größe",
      "script::main",
    ]);
  });

  test("that panics in a closure that std calls shows both", async () => {
    const found = functions(await fall("closure"));
    expect(found[0]).toBe("script::main::{closure#0}");
    expect(found.slice(1, -1).join()).toContain("core::iter::traits::iterator::Iterator>::for_each");
    expect(found.at(-1)).toBe("script::main");
  });

  test("that needs too much memory says who asked for it", async () => {
    const result = await fall("memory");
    expect(result).toMatchObject({ status: "limit-exceeded", limit: "memoryBytes" });
    expect(functions(result).slice(-2)).toEqual(["script::swallow", "script::main"]);
  });

  test("that writes too much says where", async () => {
    const result = await fall("output");
    expect(result).toMatchObject({ status: "limit-exceeded", limit: "outputBytes" });
    expect(functions(result).slice(-2)).toEqual(["script::chatter", "script::main"]);
  });

  test("that reads what is not there says where", async () => {
    const result = await fall("stray");
    expect(result).toMatchObject({ status: "trapped", code: "out-of-bounds-memory" });
    expect(functions(result).slice(-2)).toEqual(["script::stray", "script::main"]);
  });

  test("that panics deep in a recursion has the 64 innermost functions", async () => {
    const result = await fall("deep");
    expect(functions(result)).toEqual([
      "script::divide",
      ...Array.from({ length: 63 }, () => "script::count_down"),
    ]);
  });

  test("whose recursion never ends says which it is", async () => {
    const result = await fall("recursion");
    expect(result.status).toMatch(/^(limit-exceeded|trapped)$/);
    // The last straw may be a function that it calls.
    expect(functions(result).slice(1)).toEqual(Array.from({ length: 63 }, () => "script::count_down"));
  });

  test("that ends by itself has none, and neither has one after it", async () => {
    expect(await fall("exit")).toMatchObject({ status: "failed", exitCode: 3 });
    expect(await fall("exit")).not.toHaveProperty("backtrace");
    expect(await fall("stand")).not.toHaveProperty("backtrace");
  });

  test("that is killed at its deadline has an empty one", async () => {
    const limits = { wallTimeMs: 1_000, fuel: Number.MAX_SAFE_INTEGER };
    const result = await executor.run(attack("spin"), { limits });
    expect(result).toMatchObject({ status: "limit-exceeded", limit: "wallTimeMs", backtrace: [] });
  });
});

describe("the index of a function", () => {
  const executor = openExecutor();

  test.each(["fast-compile", "fast-run"] as const)(
    "is the one in the module as it was compiled, though another runs (%s)",
    async (profile) => {
      const compiled = await executor.compile(FALL_OVER, { profile });
      if (!compiled.ok) throw new Error("fall-over.rs does not compile");
      const names = functionNames(compiled.module.bytes);
      for (const how of ["index", "unwrap", "abort", "memory", "output", "deep"]) {
        const result = await executor.execute(compiled.module, { capabilities: { args: ["script", how] } });
        expect(backtrace(result).length).toBeGreaterThan(1);
        for (const frame of backtrace(result)) {
          expect(frame.function).toBe(demangle(names.get(frame.index ?? -1) ?? "", 256));
        }
      }
    },
  );
});

describe("a module of somebody else's", () => {
  const executor = openExecutor();
  /** `_start` calls `$middle`, which calls `$inner`, which traps. Functions 1, 2 and 3, below one import. */
  const TEXT = `(module
    (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
    (memory (export "memory") 1)
    (func $inner unreachable)
    (func $middle (drop (call $yield)) (call $inner))
    (func (export "_start") (call $middle)))`;

  /** The module with a name section that says this. */
  const named = (names: ReadonlyArray<[index: number, encoded: readonly number[]]>) => {
    const map = vector(names.map(([index, encoded]) => [...leb(index), ...encoded]));
    return new Uint8Array([...assemble(TEXT), ...customSection("name", section(1, map))]);
  };
  const run = async (module: Uint8Array) => {
    const result = await executor.execute(module);
    expect(result).toMatchObject({ status: "trapped", code: "unreachable" });
    return backtrace(result);
  };

  test("without names has an empty backtrace", async () => {
    expect(await run(assemble(TEXT))).toEqual([]);
  });

  test("with names has them as they are", async () => {
    expect(await run(assemble(TEXT, { names: true }))).toEqual([
      { function: "inner", index: 1 },
      { function: "middle", index: 2 },
    ]);
  });

  test("with names for some of its functions has those", async () => {
    expect(await run(named([[2, name("_RNvC6script4main")]]))).toEqual([
      { function: "script::main", index: 2 },
    ]);
  });

  test.each([
    ["control characters", "a\u0000\u001b[2J\nat main\u202e", "a\ufffd\ufffd[2J\ufffdat main\ufffd"],
    [
      "a place in a stack",
      "f (wasm://wasm/x:wasm-function[99]:0x1)",
      "f (wasm://wasm/x:wasm-function[99]:0x1)",
    ],
    ["a place and a line's end", "x:wasm-function[99]:0x1)\n", "x:wasm-function[99]:0x1)\ufffd"],
    ["the name of a prototype", "__proto__", "__proto__"],
    ["a method of all objects", "toString", "toString"],
    ["an emoji", "🦀", "🦀"],
    ["a name for ever", "n".repeat(90_000), `${"n".repeat(255)}…`],
  ])("may name its functions with %s", async (_, given, shown) => {
    expect(await run(named([[1, name(given)]]))).toEqual([{ function: shown, index: 1 }]);
  });

  test.each([
    ["of a megabyte", [[1, name("n".repeat(1024 * 1024))]]],
    ["that is not UTF-8", [[1, [...leb(3), 0xc3, 0x28, 0xff]]]],
    ["that is half a character", [[1, [...leb(3), 0xed, 0xa0, 0x80]]]],
    ["that is empty", [[1, name("")]]],
    ["of a function that it does not have", [[4_000_000_000, name("ghost")]]],
    [
      "of one function twice",
      [
        [1, name("a")],
        [1, name("b")],
      ],
    ],
    [
      "in the wrong order",
      [
        [2, name("b")],
        [1, name("a")],
      ],
    ],
  ] as ReadonlyArray<[string, ReadonlyArray<[number, number[]]>]>)(
    "may have a name %s: it traps as any other",
    async (_, names) => {
      for (const frame of await run(named(names))) {
        expect(frame.function.length).toBeLessThanOrEqual(256);
        expect(frame.function.isWellFormed()).toBe(true);
        expect([1, 2, 3]).toContain(frame.index);
      }
    },
  );

  test("may have a hundred long names on its stack: the answer stays small and comes", async () => {
    const calls = Array.from({ length: 100 }, (_, i) => `(func $f${i + 1} (call $f${i}))`).join("\n");
    const text = `(module (memory (export "memory") 1) (func $f0 unreachable) ${calls}
      (func (export "_start") (call $f100)))`;
    const long = vector(
      Array.from({ length: 101 }, (_, i) => [...leb(i), ...name(`${i}${"x".repeat(9_000)}`)]),
    );
    const result = await executor.execute(
      new Uint8Array([...assemble(text), ...customSection("name", section(1, long))]),
    );
    const frames = backtrace(result);
    expect(frames.map((frame) => frame.index)).toEqual(Array.from({ length: 64 }, (_, i) => i));
    for (const frame of frames) expect(frame.function.length).toBe(256);
  });

  test("leaves the cell as it was: a script after it runs as ever", async () => {
    await run(named([[1, name("__proto__")]]));
    expect(await executor.run(script("hello"))).toMatchObject({ status: "ok", output: { hello: "world" } });
  });
});

/** The names of a module's functions by index, read here from its name section. */
function functionNames(bytes: Uint8Array): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  const cursor: Cursor = { bytes, at: 8, end: bytes.length };
  while (cursor.at < bytes.length) {
    const id = readByte(cursor);
    const size = readU32(cursor);
    const section: Cursor = { bytes, at: cursor.at, end: cursor.at + size };
    skipBytes(cursor, size);
    if (id !== 0 || readName(section, 1_000) !== "name") continue;
    while (section.at < section.end) {
      const part = readByte(section);
      const partSize = readU32(section);
      const map: Cursor = { bytes, at: section.at, end: section.at + partSize };
      skipBytes(section, partSize);
      if (part !== 1) continue;
      for (let left = readU32(map); left > 0; left -= 1) names.set(readU32(map), readName(map, 100_000));
    }
  }
  return names;
}
