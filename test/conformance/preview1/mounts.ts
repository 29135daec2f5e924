import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Mount } from "../../../src/index.ts";
import { scratchDirectory } from "../../support/executors.ts";

/** Where a mount that can be written lies. */
export type Place = "disk" | "memory";

/** Two empty mounts to write, and one to read. */
export function writable(place: Place): Mount[] {
  const empty = (guest: string): Mount =>
    place === "disk"
      ? { host: scratchDirectory(), guest, access: "read-write" }
      : { guest, access: "scratch" };
  return [empty("/data"), empty("/mnt/other"), plain("/plain")];
}

/** A mount to read, of a file and a directory with a file in it. */
export function plain(guest: string): Mount {
  const host = scratchDirectory();
  mkdirSync(join(host, "dir"));
  writeFileSync(join(host, "file"), "plain");
  writeFileSync(join(host, "dir/inner"), "inner");
  return { host, guest, access: "read" };
}

/** A mount to read with a bit of everything in it, and a secret beside it. */
export function furnished(): Mount {
  const root = scratchDirectory();
  const host = join(root, "data");
  mkdirSync(join(host, "dir/sub"), { recursive: true });
  writeFileSync(join(root, "secret"), "secret");
  writeFileSync(join(host, "file"), "text");
  writeFileSync(join(host, "digits"), "0123456789");
  writeFileSync(join(host, "文件"), "unicode");
  writeFileSync(join(host, "dir/inner"), "inner");
  execFileSync("mkfifo", [join(host, "pipe")]);
  for (const [name, target] of LINKS) symlinkSync(target, join(host, name));
  return { host, guest: "/data", access: "read" };
}

const LINKS = [
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
] as const;
