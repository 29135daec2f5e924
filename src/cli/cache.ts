import type { Command } from "commander";
import { modulesDirectory } from "../store/layout.ts";
import {
  DEFAULT_STORE_OPTIONS,
  type PruneReport,
  type StoreEntry,
  type TieredStore,
} from "../store/store.ts";
import { openStore } from "../store/tiered.ts";
import { addCacheDirOption, cacheDirOf, defined } from "./executor-options.ts";
import { EXIT } from "./exit-codes.ts";
import { conclude } from "./failure.ts";
import { unlessAborted } from "./interruption.ts";
import { parseDuration, parseSize } from "./parse.ts";
import { columns, formatAge, formatBytes, printJson } from "./print.ts";

interface CacheFlags {
  cacheDir?: string;
  json?: true;
  maxSize?: number;
  maxAge?: number;
}

interface CacheCommand<T> {
  summary: string;
  work(store: TieredStore, flags: CacheFlags): Promise<T>;
  /** For people. */
  print(found: T): void;
}

const DAY_MS = 24 * 3_600_000;

/** Digits of a hash that tell entries apart for a person. */
const SHORT_HASH = 16;

export function defineCache(command: Command, signal: AbortSignal): void {
  const { diskBytes, maxAgeMs } = DEFAULT_STORE_OPTIONS;
  const add = <T>(name: string, { summary, work, print }: CacheCommand<T>): Command => {
    const subcommand = command.command(name).description(summary);
    addCacheDirOption(subcommand);
    return subcommand.option("--json", "print JSON").action((flags: CacheFlags) =>
      conclude(flags.json === true, async () => {
        const found = await unlessAborted(
          signal,
          work(openStore({ directory: modulesDirectory(cacheDirOf(flags)) }), flags),
        );
        if (flags.json === true) printJson(found);
        else print(found);
        return EXIT.ok;
      }),
    );
  };
  add("ls", {
    summary: "list the compiled modules, last used first",
    work: (store) => store.list(),
    print: printEntries,
  });
  add("prune", {
    summary: "remove old modules until the rest is within the bounds",
    work: (store, { maxSize, maxAge }) => store.prune(defined({ maxBytes: maxSize, maxAgeMs: maxAge })),
    print: printReport,
  })
    .option(
      "--max-size <size>",
      `what may stay, least recently used out first (default: ${formatBytes(diskBytes)})`,
      parseSize,
    )
    .option(
      "--max-age <duration>",
      `time since its last use after which a module goes (default: ${maxAgeMs / DAY_MS}d)`,
      parseDuration,
    );
  add("clear", {
    summary: "remove all modules; the toolchain stays",
    work: (store) => store.clear(),
    print: printReport,
  });
  add("path", {
    summary: "print the directory",
    work: async ({ path }) => ({ path }),
    print: ({ path }) => process.stdout.write(`${path}\n`),
  });
}

function printEntries(entries: readonly StoreEntry[]): void {
  const rows = entries.map(({ key, bytes, usedAt }) => [
    key.slice(0, SHORT_HASH),
    formatBytes(bytes),
    `used ${formatAge(usedAt)}`,
  ]);
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  if (rows.length > 0) process.stdout.write(`${columns(rows)}\n`);
  process.stdout.write(`${count(entries.length)}, ${formatBytes(total)}\n`);
}

function printReport({ removedEntries, removedBytes, keptEntries, keptBytes }: PruneReport): void {
  process.stdout.write(
    `removed ${count(removedEntries)}, ${formatBytes(removedBytes)}; kept ${count(keptEntries)}, ${formatBytes(keptBytes)}\n`,
  );
}

function count(entries: number): string {
  return `${entries} module${entries === 1 ? "" : "s"}`;
}
