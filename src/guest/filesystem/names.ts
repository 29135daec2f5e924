import { Errno, Failure } from "./errno.ts";

// Without ignoreBOM a name that starts with U+FEFF would lose it and become another file's name.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes as text. Preview 1 strings are UTF-8; others are `EILSEQ`. */
export function decodeName(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    // Anything else is no matter of the bytes: an exhausted stack, for one, has to end the guest.
    throw error instanceof TypeError ? new Failure(Errno.ILSEQ) : error;
  }
}
