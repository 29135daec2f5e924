import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { Errno } from "../../src/guest/filesystem/errno.ts";
import { createPreview1, openPreopens } from "../../src/guest/preview1/create.ts";
import {
  type GuestDenial,
  GuestExit,
  OutputLimit,
  type Preopen,
  type Preview1,
  type Preview1Grants,
} from "../../src/guest/preview1/preview1.ts";
import { compileRust } from "../instrument/rust.ts";

export type ErrnoName = keyof typeof Errno;

const NAMES = new Map<number, ErrnoName>(
  Object.entries(Errno).map(([name, errno]) => [errno, name as ErrnoName]),
);

/** What a test gives a guest; the rest is the default. */
export interface GuestOptions {
  mounts?: ReadonlyArray<Pick<Preopen, "source" | "guest"> & Partial<Preopen>>;
  grants?: Partial<Preview1Grants>;
  stdin?: string;
  /** Stands in for stdin as a whole. */
  readStdin?: (maxBytes: number) => Uint8Array;
}

/** A preview 1 host with what it said and told. */
export interface Witness {
  wasi: Preview1;
  denials: GuestDenial[];
  stdout: () => string;
  stderr: () => string;
}

/** An empty directory for one test. */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), "scriptcell-guest-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Makes a preview 1 host for one test. */
export function openHost({ mounts = [], grants = {}, stdin = "", readStdin }: GuestOptions = {}): Witness {
  const denials: GuestDenial[] = [];
  const output: Record<"stdout" | "stderr", Uint8Array[]> = { stdout: [], stderr: [] };
  let input = new TextEncoder().encode(stdin);
  const preopens = openPreopens(
    mounts.map((mount) => ({ access: "read-write", maxBytes: undefined, ...mount })),
  );
  const wasi = createPreview1(
    preopens,
    {
      args: ["script"],
      env: {},
      clock: { kind: "denied" },
      random: { kind: "secure" },
      outputBytes: 1 << 20,
      diskBytes: 1 << 20,
      openFiles: 64,
      hostCallBytes: 1 << 27,
      terminal: false,
      ...grants,
    },
    {
      readStdin:
        readStdin ??
        ((maxBytes) => {
          const taken = input.slice(0, maxBytes);
          input = input.slice(taken.length);
          return taken;
        }),
      writeOutput: (stream, bytes) => output[stream].push(bytes.slice()),
      deny: (denial) => denials.push(denial),
    },
  );
  onTestFinished(() => {
    wasi.close();
    preopens.close();
  });
  const text = (stream: "stdout" | "stderr") => () => Buffer.concat(output[stream]).toString();
  return { wasi, denials, stdout: text("stdout"), stderr: text("stderr") };
}

/** What came of a whole program. */
export interface ProgramRun extends Witness {
  exitCode: number | undefined;
  /** What it was stopped by, where it did not exit. */
  error: unknown;
}

/** Runs a program from its start to its end. */
export function runModule(bytes: Uint8Array<ArrayBuffer>, options: GuestOptions = {}): ProgramRun {
  const witness = openHost(options);
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
      wasi_snapshot_preview1: witness.wasi.imports,
    });
    witness.wasi.bind(exports.memory as WebAssembly.Memory);
    (exports._start as () => void)();
    return { ...witness, exitCode: 0, error: undefined };
  } catch (error) {
    if (error instanceof GuestExit) return { ...witness, exitCode: error.exitCode, error: undefined };
    if (error instanceof OutputLimit || error instanceof WebAssembly.RuntimeError) {
      return { ...witness, exitCode: undefined, error };
    }
    throw error;
  }
}

const compiled = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

/** Compiles a program of fixtures/attacks/preview1, once per test file. */
export function attackModule(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const source = new URL(`../../fixtures/attacks/preview1/${name}.rs`, import.meta.url);
  return rustModule(readFileSync(source, "utf8"));
}

/** Compiles a Rust program, once per test file. */
export function rustModule(source: string): Promise<Uint8Array<ArrayBuffer>> {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  const module = compileRust(source, ["-C", "strip=debuginfo"]);
  compiled.set(source, module);
  return module;
}

export function errnoName(errno: unknown): ErrnoName {
  const name = NAMES.get(Number(errno));
  if (name === undefined) throw new Error(`no error number: ${errno}`);
  return name;
}
