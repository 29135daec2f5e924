import { TerminalFilter } from "./terminal.ts";

/** Where a script's output goes as it comes. */
export interface LiveOutput {
  write(chunk: Uint8Array): void;
  end(): void;
}

/**
 * Passes a script's output on: to a terminal without what could take it over, to a pipe or file byte for byte.
 * A reader that is slower than the script costs no more memory than the output limit.
 */
export function liveOutput(stream: NodeJS.WriteStream): LiveOutput {
  const send = (data: Uint8Array | string): void => {
    if (data.length > 0 && stream.errored === null) stream.write(data);
  };
  if (!stream.isTTY) return { write: send, end() {} };
  const filter = new TerminalFilter();
  return { write: (chunk) => send(filter.push(chunk)), end: () => send(filter.end()) };
}
