import { ScriptcellError } from "../errors.ts";
import { findOnPath } from "../toolchain/path.ts";

/** Programs of util-linux; absolute paths. */
export interface ProcessTools {
  prlimit: string;
  /** Absent where it is not installed: a killed scriptcell then leaves a compiler behind until its processor time is used up. */
  setpriv?: string | undefined;
}

let tools: Promise<ProcessTools> | undefined;

/**
 * Looks once, and again where it found nothing.
 * @throws ScriptcellError `COMPILER_FAILED`: without `prlimit` nothing bounds the compiler's memory.
 */
export function findProcessTools(): Promise<ProcessTools> {
  tools ??= locateTools();
  tools.catch(() => {
    tools = undefined;
  });
  return tools;
}

async function locateTools(): Promise<ProcessTools> {
  const [[prlimit], [setpriv]] = await Promise.all([findOnPath("prlimit"), findOnPath("setpriv")]);
  if (prlimit !== undefined) return { prlimit, setpriv };
  const remedy =
    "install util-linux (`apt install util-linux`); other systems than Linux cannot bound a compiler yet";
  throw new ScriptcellError(
    "COMPILER_FAILED",
    `there is no prlimit on PATH to bound the compiler's memory: ${remedy}`,
  );
}
