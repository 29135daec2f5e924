import type { CompileLimits } from "./compile-limits.ts";
import { type Diagnostic, ownDiagnostic } from "./diagnostics.ts";
import type { Edition } from "./rustc-flags.ts";
import { checkSource } from "./source-check.ts";
import { spanAt } from "./source-span.ts";

/** Why a source is not given to the compiler at all; undefined where it is. */
export function refuseSource(
  source: string,
  edition: Edition,
  jailed: boolean,
  { sourceBytes }: Pick<CompileLimits, "sourceBytes">,
): Diagnostic | undefined {
  const bytes = Buffer.byteLength(source);
  if (bytes > sourceBytes) {
    return ownDiagnostic("source-too-large", `the source has ${bytes} bytes; ${sourceBytes} are allowed`, {
      help: "give data as input or in a mount, or raise `compileLimits.sourceBytes`",
    });
  }
  const refusal = jailed ? undefined : checkSource(source, edition);
  if (refusal === undefined) return undefined;
  const { reason, instead, start, end } = refusal;
  return ownDiagnostic(
    "source-refused",
    `the script ${reason}; without a jail around the compiler it is refused`,
    {
      span: spanAt(source, start, end),
      ...(instead !== undefined && { help: instead }),
    },
  );
}
