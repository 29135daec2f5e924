import { isUtf8 } from "node:buffer";
import type { RunResult } from "../result.ts";

/** For `--help`. */
export const RESULT_JSON_HELP = `The document of --json is the library's RunResult: status, exitCode, output, message … by how the run ended, and
stdout, stderr, truncated, durationMs, fuelUsed, peakMemoryBytes, denials, hints, artifacts (bytes of each), moduleFrom, compileMs, fix, isolation. Output that is not UTF-8
stands, as base64, in stdoutBase64 or stderrBase64 as well. Where no result exists: {"status":"error","code":…,"message":…}.`;

/** A result as JSON has it. Bytes are left out where the text says it all. */
export function resultDocument(result: RunResult): Record<string, unknown> {
  const { stdoutBytes, stderrBytes, artifacts, ...rest } = result;
  return {
    ...rest,
    // The files themselves are where --artifacts-dir put them.
    artifacts: Object.fromEntries(Object.entries(artifacts).map(([path, bytes]) => [path, bytes.length])),
    ...("reason" in rest && {
      reason: rest.reason instanceof Error ? rest.reason.message : String(rest.reason),
    }),
    ...(!isUtf8(stdoutBytes) && { stdoutBase64: toBase64(stdoutBytes) }),
    ...(!isUtf8(stderrBytes) && { stderrBase64: toBase64(stderrBytes) }),
  };
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
