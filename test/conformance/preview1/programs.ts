import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ExecuteOptions, Mount } from "../../../src/index.ts";
import { scratchDirectory } from "../../support/executors.ts";

const FIXTURES = new URL("../../../fixtures/conformance/preview1/", import.meta.url);

/** A program of the suite. */
export interface Program {
  /** Its file in fixtures/conformance/preview1, without the ending. */
  name: string;
  /** What it covers: the title of its test. */
  covers: string;
  /** What it is run with; the mounts are its own for each run. */
  options: () => ExecuteOptions;
  /** Default 0. */
  exitCode?: number;
}

export const PROGRAMS: readonly Program[] = [
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
    name: "descriptors",
    covers: "rights, flags and numbers of descriptors, mounts and sockets",
    options: () => ({ capabilities: { mounts: [furnished(), plain("/mnt/other")] } }),
  },
  {
    name: "polling",
    covers: "waiting for clocks and descriptors",
    options: () => ({ capabilities: { mounts: [furnished()], clock: "real" } }),
  },
  {
    name: "process",
    covers: "arguments, variables, clocks, random bytes and the end",
    options: () => ({
      capabilities: {
        args: ["script", "", "a b=c d", "žluť"],
        env: { LANG: "C", EMPTY: "", A: "b=c" },
        clock: "real",
      },
    }),
    exitCode: 42,
  },
  {
    name: "creating",
    covers: "making and removing files, directories and links",
    options: writable,
  },
  {
    name: "writing",
    covers: "writing, appending, cutting and extending files",
    options: writable,
  },
  {
    name: "moving",
    covers: "names changed and second names given, inside a mount and between mounts",
    options: writable,
  },
  {
    name: "times",
    covers: "times set by path and by descriptor",
    options: writable,
  },
];

/** The source of a program, behind what all of them begin with. */
export function programSource({ name }: Program): string {
  const read = (file: string): string => readFileSync(new URL(`${file}.rs`, FIXTURES), "utf8");
  return `${read("prelude")}\n${read(name)}`;
}

/** Two mounts to write, and one to read. */
function writable(): ExecuteOptions {
  const empty = (guest: string): Mount => ({ host: scratchDirectory(), guest, access: "read-write" });
  return { capabilities: { mounts: [empty("/data"), empty("/other"), plain("/plain")], clock: "real" } };
}

/** A mount to read, of a file and a directory with a file in it. */
function plain(guest: string): Mount {
  const host = scratchDirectory();
  mkdirSync(join(host, "dir"));
  writeFileSync(join(host, "file"), "plain");
  writeFileSync(join(host, "dir/inner"), "inner");
  return { host, guest, access: "read" };
}

/** A mount to read with a bit of everything in it, and a secret beside it. */
function furnished(): Mount {
  const root = scratchDirectory();
  const host = join(root, "data");
  mkdirSync(join(host, "dir/sub"), { recursive: true });
  writeFileSync(join(root, "secret"), "secret");
  writeFileSync(join(host, "file"), "text");
  writeFileSync(join(host, "digits"), "0123456789");
  writeFileSync(join(host, "文件"), "unicode");
  writeFileSync(join(host, "dir/inner"), "inner");
  execFileSync("mkfifo", [join(host, "pipe")]);
  for (const [name, target] of [
    ["to-file", "file"],
    ["to-dir", "dir"],
    ["to-sub", "dir/sub"],
    ["dir/back", "../file"],
    ["chain-1", "dir/../chain-2"],
    ["chain-2", "chain-3"],
    ["chain-3", "to-file"],
    ["dangling", "nothing"],
    ["loop-a", "loop-b"],
    ["loop-b", "loop-a"],
    ["self", "self"],
    ["out", ".."],
    ["to-secret", "../secret"],
    ["absolute", "/etc"],
    ["absolute-inside", "/data/file"],
  ] as const) {
    symlinkSync(target, join(host, name));
  }
  return { host, guest: "/data", access: "read" };
}
