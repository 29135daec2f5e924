import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * Where scriptcell keeps its toolchain and compiled modules unless told otherwise:
 * `$XDG_CACHE_HOME/scriptcell`, else `~/.cache/scriptcell`.
 * A relative `XDG_CACHE_HOME` is ignored, as the XDG base directory specification asks.
 */
export function defaultCacheDir(): string {
  const xdg = process.env.XDG_CACHE_HOME;
  const base = xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), ".cache");
  return join(base, "scriptcell");
}
