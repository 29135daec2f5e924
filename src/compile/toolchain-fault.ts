import { isLinkFailure, linkerOutput } from "./link-failure.ts";
import type { RustcMessage } from "./rustc-messages.ts";

/** What rustc says when a part of the toolchain is not there or does not run. None of it points into the script. */
const FAULTS: readonly RegExp[] = [
  /^linker `.*` not found/,
  /^could not exec the linker/,
  /^can't find crate for `(?:core|std)`/,
  /^(?:error loading target specification|failed to find a `codegen-backends` folder)/,
];

/** What a linker leaves behind that did not start. */
const LINKER_FAULT = /error while loading shared libraries|exit status: 12[67]\b/;

/** What is wrong with the toolchain, where rustc failed because of it; undefined where it is the script that is wrong. */
export function toolchainFault(messages: readonly RustcMessage[]): string | undefined {
  for (const message of messages) {
    if (message.spans.length > 0) continue;
    if (FAULTS.some((fault) => fault.test(message.message))) return message.message;
    if (isLinkFailure(message) && LINKER_FAULT.test(linkerOutput(message))) return linkerOutput(message);
  }
  return undefined;
}
