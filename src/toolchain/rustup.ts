import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, parse } from "node:path";
import { findOnPath } from "./path.ts";

/** Milliseconds that rustup's server has to answer before it counts as out of reach. */
const SERVER_TIMEOUT_MS = 5_000;

/**
 * Where rustup and its proxies are run: at the root, because in any other directory a `rust-toolchain.toml` could name
 * a compiler, and scriptcell may be started in a directory that a stranger filled.
 */
export const RUSTUP_DIRECTORY = parse(homedir()).root;

/** Everything that decides which compiler rustup's proxy starts there (rustup's book, "Overrides"), as a cache key. */
export async function rustupContext(): Promise<readonly unknown[]> {
  const home = process.env.RUSTUP_HOME ?? join(homedir(), ".rustup");
  return [process.env.RUSTUP_TOOLCHAIN ?? null, home, await stamp(join(home, "settings.toml"))];
}

async function stamp(path: string): Promise<readonly number[] | null> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? null : [found.size, found.mtimeMs];
}

/** Absolute path of rustup, where it is on PATH. */
export async function findRustup(): Promise<string | undefined> {
  return (await findOnPath("rustup"))[0];
}

/** The server that rustup downloads from. */
export function rustupServer(): string {
  return (process.env.RUSTUP_DIST_SERVER || "https://static.rust-lang.org").replace(/\/+$/, "");
}

/**
 * Whether rustup's server answers within five seconds with what rustup would ask for first.
 * The content is looked at, because a captive portal or a filter answers everything with a page of its own.
 */
export async function rustupServerAnswers(signal?: AbortSignal): Promise<boolean> {
  const timeout = AbortSignal.timeout(SERVER_TIMEOUT_MS);
  try {
    const response = await fetch(`${rustupServer()}/dist/channel-rust-stable.toml.sha256`, {
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
    return response.ok && /^[0-9a-f]{64}\b/.test(await response.text());
  } catch {
    signal?.throwIfAborted();
    return false;
  }
}
