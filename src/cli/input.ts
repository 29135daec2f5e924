import { createReadStream } from "node:fs";
import { isatty } from "node:tty";
import { MiB } from "../limits.ts";
import type { InputFile } from "./artifacts.ts";
import { EXIT } from "./exit-codes.ts";
import { CommandFailure } from "./failure.ts";
import { unlessAborted } from "./interruption.ts";

/** What stands for stdin where a file is asked for. */
export const STDIN = "-";

/** A file as messages name it. */
export function nameOf(file: string): string {
  return file === STDIN ? "stdin" : file;
}

/** Bytes of a script, module or JSON input that are read: far above what the library takes, far below what hurts. */
const MAX_BYTES = 64 * MiB;

/** What `run` was pointed at. */
export type Program = { kind: "script"; source: string } | { kind: "module"; bytes: Uint8Array };

/** Reads a script or a wasm module, told apart by their first bytes. @throws CommandFailure */
export async function readProgram(file: string, signal: AbortSignal): Promise<Program> {
  const bytes = await readAll(file, "the script", signal);
  if (isWasm(bytes) || file.endsWith(".wasm")) return { kind: "module", bytes };
  return { kind: "script", source: decodeText(bytes, file) };
}

/** Reads a script. @throws CommandFailure */
export async function readScript(file: string, signal: AbortSignal): Promise<string> {
  const program = await readProgram(file, signal);
  if (program.kind === "script") return program.source;
  throw new CommandFailure(
    EXIT.rejected,
    `${nameOf(file)} is a WebAssembly module already: \`scriptcell run\` takes it as it is`,
  );
}

/**
 * The text of `--input`: JSON itself, `@file`, or `@-` for stdin. As it was written: parsing it and writing it again
 * would round large numbers.
 * @throws CommandFailure
 */
export async function readJsonInput(argument: string, signal: AbortSignal): Promise<string> {
  const file = argument.startsWith("@") ? argument.slice(1) : undefined;
  const text = file === undefined ? argument : decodeText(await readAll(file, "the input", signal), file);
  try {
    JSON.parse(text);
  } catch (cause) {
    const what = file === undefined ? "--input" : nameOf(file);
    throw new CommandFailure(
      EXIT.usage,
      `${what} is not JSON (${(cause as Error).message}): quote text as "text", name a file as @FILE, or pipe anything else into the script`,
      { cause },
    );
  }
  return text;
}

/** The files of `--file`, by guest path. @throws CommandFailure */
export async function readFiles(
  files: readonly InputFile[],
  signal: AbortSignal,
): Promise<Record<string, Uint8Array>> {
  const contents: [string, Uint8Array][] = [];
  for (const { host, guest } of files) {
    contents.push([guest, await readAll(host, `the file ${nameOf(host)}`, signal)]);
  }
  return Object.fromEntries(contents);
}

/** What is piped into the command, read as the script reads; undefined where a person sits at stdin. */
export function pipedStdin(): AsyncIterable<Uint8Array> | undefined {
  return isatty(0) ? undefined : readStdin();
}

// A generator, so that stdin is not touched before the script reads.
async function* readStdin(): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of process.stdin) yield chunk as Buffer;
  } catch (cause) {
    throw unreadable("stdin", cause);
  }
}

async function readAll(file: string, what: string, signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const read = async (): Promise<Uint8Array> => {
    for await (const chunk of file === STDIN ? readStdin() : createReadStream(file)) {
      chunks.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length > MAX_BYTES)
        throw new CommandFailure(
          EXIT.noInput,
          `${what} is larger than ${MAX_BYTES / MiB} MiB: make it smaller`,
        );
    }
    return Buffer.concat(chunks);
  };
  try {
    return await unlessAborted(signal, read());
  } catch (error) {
    if (error instanceof CommandFailure || error === signal.reason) throw error;
    throw unreadable(file, error);
  }
}

function unreadable(what: string, cause: unknown): CommandFailure {
  const why = { ENOENT: "there is no such file", EISDIR: "it is a directory", EACCES: "permission denied" }[
    (cause as NodeJS.ErrnoException).code ?? ""
  ];
  return new CommandFailure(EXIT.noInput, `cannot read ${what}: ${why ?? (cause as Error).message}`, {
    cause,
  });
}

function isWasm(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d;
}

function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new CommandFailure(EXIT.rejected, `${nameOf(file)} is not UTF-8 text`, {
      cause,
    });
  }
}
