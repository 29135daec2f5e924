import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import type { ClockGrant, CompiledModule, ExecuteOptions, ScriptExecutor } from "../../../src/index.ts";
import { assemble } from "../../wasm/assemble.ts";
import { furnished, type Place, plain, writable } from "./mounts.ts";

const FIXTURES = new URL("../../../fixtures/conformance/preview1/", import.meta.url);

/** A program of the suite. */
export interface Program {
  /** Its file in fixtures/conformance/preview1, without the ending. */
  name: string;
  /** What it covers: the title of its test. */
  covers: string;
  /** What it is run with; mounts are made anew for each run. The clock is the real one where nothing is said of it. */
  options: () => ExecuteOptions;
  /** Default 0. */
  exitCode?: number;
}

/** Programs that write nothing. */
export const READING: readonly Program[] = [
  {
    name: "opening",
    covers: "path_open of what is there",
    options: () => ({ capabilities: { mounts: [furnished()] } }),
  },
  {
    name: "reading",
    covers: "reading, positions and facts of files, directories and streams",
    options: () => ({ stdin: "input", capabilities: { mounts: [furnished()] } }),
  },
  {
    name: "looking",
    covers: "facts by path, targets of links, names in directories",
    options: () => ({ capabilities: { mounts: [furnished()] } }),
  },
  {
    name: "terminal",
    covers: "streams that pass for a terminal",
    options: () => ({ stdin: "input", capabilities: { terminal: true } }),
  },
  {
    name: "descriptors",
    covers: "rights, flags and numbers of descriptors, mounts and sockets",
    options: () => ({ capabilities: { mounts: [furnished(), plain("/mnt/other")] } }),
  },
  {
    name: "special-files",
    covers: "what is neither file, directory nor link",
    options: () => ({ capabilities: { mounts: [furnished()] } }),
  },
  {
    name: "polling",
    covers: "waiting for clocks and descriptors",
    options: () => ({ capabilities: { mounts: [furnished()] } }),
  },
  {
    name: "polling-nobody",
    covers: "waiting for descriptors that are none",
    options: () => ({}),
  },
  {
    name: "waiting-until",
    covers: "waiting for moments and dates",
    options: () => ({}),
  },
  {
    name: "process",
    covers: "arguments, variables, clocks, random bytes and the end",
    options: () => ({
      capabilities: {
        args: ["script", "", "a b=c d", "žluť"],
        env: { LANG: "C", EMPTY: "", A: "b=c" },
      },
    }),
    exitCode: 42,
  },
  {
    name: "std-reading",
    covers: "Rust's std without writing",
    options: () => ({
      stdin: "first\nsecond",
      capabilities: {
        mounts: [furnished()],
        args: ["program", "one two", "drei"],
        env: { A: "1", B: "" },
      },
    }),
    exitCode: 7,
  },
  {
    name: "empty-memory",
    covers: "a memory that is empty at first",
    options: () => ({}),
    exitCode: 17,
  },
];

/** Programs that write, for mounts of this kind. */
export function writingTo(place: Place): Program[] {
  const where = place === "disk" ? "on the disk" : "in memory";
  const options = () => ({ capabilities: { mounts: writable(place) } });
  return [
    { name: "creating", covers: `making and removing files, directories and links ${where}`, options },
    { name: "writing", covers: `writing, appending to, cutting and extending files ${where}`, options },
    { name: "moving", covers: `changing names and giving second ones ${where}`, options },
    { name: "times", covers: `setting times ${where}`, options },
    { name: "std-writing", covers: `Rust's std writing ${where}`, options },
  ];
}

/** A program for each clock that is not the real one. */
export const CLOCKS: readonly Program[] = Object.entries({
  denied: "denied",
  monotonic: "monotonic",
  frozen: { frozen: "2001-02-03T04:05:06Z" },
} satisfies Record<string, ClockGrant>).map(([name, clock]) => ({
  name: "clocks",
  covers: `clocks where the grant is ${name}`,
  options: () => ({ capabilities: { clock, env: { CLOCK: name } } }),
}));

const built = new Map<string, Promise<CompiledModule>>();

/** Compiles a program behind what all of them begin with, or assembles it; once. */
export function buildProgram(compiler: ScriptExecutor, { name }: Program): Promise<CompiledModule> {
  const module = built.get(name) ?? build(compiler, name);
  built.set(name, module);
  return module;
}

async function build(compiler: ScriptExecutor, name: string): Promise<CompiledModule> {
  const read = (file: string): string => readFileSync(new URL(file, FIXTURES), "utf8");
  if (existsSync(new URL(`${name}.wat`, FIXTURES))) {
    const bytes = assemble(read(`${name}.wat`));
    return { hash: createHash("sha256").update(bytes).digest("hex"), bytes, target: "wasm32-wasip1" };
  }
  const parts = ["imports", "checks", "calls", "time"].map((part) => read(`prelude/${part}.rs`));
  const result = await compiler.compile([...parts, read(`${name}.rs`)].join("\n"));
  if (result.ok) return result.module;
  throw new Error(result.diagnostics.map(({ rendered }) => rendered).join("\n"));
}
