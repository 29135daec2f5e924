import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { oraclePython } from "./oracle-environment.ts";

const PROGRAM = fileURLToPath(new URL("oracle/oracle.py", import.meta.url));

/** What Wasmtime is to run: a module as it was before anything was put into it. */
export interface OracleRequest {
  /** May import WASI preview 1, and nothing else. */
  module: Uint8Array;
  /** Exports to call, without arguments, one after the other on one instance. Default `_start`. */
  calls?: readonly [string, ...string[]];
  /** What each call may use. Default 10^12. */
  fuel?: bigint;
  /** Default 64 MiB. */
  memoryBytes?: number;
  /** Default empty. */
  stdin?: Uint8Array;
  /** What `random_get` gives, from the first byte on; asking for more ends the run with an error. Default nothing. */
  random?: Uint8Array;
}

export interface OracleCall {
  /** `returned`, `exit N`, or the name of a trap: `unreachable`, `memory-out-of-bounds`, `out-of-fuel`, … */
  end: string;
  /** From the call on: what Wasmtime charges for an instantiation is not in it. */
  fuelUsed: bigint;
}

export interface OracleAnswer {
  /** One for each call that was asked for. */
  calls: readonly [OracleCall, ...OracleCall[]];
  stdout: string;
  stderr: string;
}

type WireCall = { end: string; fuelUsed: string };
type WireAnswer =
  | { error: string }
  | { error?: never; calls: [WireCall, ...WireCall[]]; stdout: string; stderr: string };

/** Wasmtime in a process of its own, which serves any number of runs. */
export class Oracle implements AsyncDisposable {
  readonly #process: ReturnType<typeof startProcess>;
  readonly #waiting: PromiseWithResolvers<string>[] = [];
  #ended: Error | undefined;

  /** Use {@link openOracle}. */
  constructor(python: string) {
    this.#process = startProcess(python);
    // Why it is gone is told by what it said last.
    this.#process.stdin.on("error", () => {});
    createInterface({ input: this.#process.stdout }).on("line", (line) =>
      this.#waiting.shift()?.resolve(line),
    );
    void this.#process.then(({ stderr }) => {
      this.#ended = new Error(`Wasmtime is not running any more: ${stderr}`);
      for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
    });
  }

  /** Runs are answered in the order in which they were asked for. */
  async run(request: OracleRequest): Promise<OracleAnswer> {
    const { module, calls = ["_start"], fuel = 10n ** 12n, memoryBytes = 64 * 1024 * 1024 } = request;
    if (this.#ended !== undefined) throw this.#ended;
    const answer = Promise.withResolvers<string>();
    this.#waiting.push(answer);
    const line = JSON.stringify({
      module: base64(module),
      calls,
      fuel: String(fuel),
      memoryBytes,
      stdin: base64(request.stdin),
      random: base64(request.random),
    });
    this.#process.stdin.write(`${line}\n`);
    const said = JSON.parse(await answer.promise) as WireAnswer;
    if (said.error !== undefined) throw new Error(`Wasmtime did not run the module: ${said.error}`);
    const [first, ...others] = said.calls;
    return {
      calls: [oracleCall(first), ...others.map(oracleCall)],
      stdout: Buffer.from(said.stdout, "base64").toString("utf8"),
      stderr: Buffer.from(said.stderr, "base64").toString("utf8"),
    };
  }

  /** What was asked for is still answered. */
  async close(): Promise<void> {
    this.#process.stdin.end();
    await this.#process;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Starts Wasmtime; the first time on this machine it is downloaded. @throws Error that says what is missing */
export async function openOracle(): Promise<Oracle> {
  return new Oracle(await oraclePython());
}

function startProcess(python: string) {
  return execa(python, ["-I", PROGRAM], { reject: false, stdin: "pipe", buffer: { stdout: false } });
}

function oracleCall({ end, fuelUsed }: WireCall): OracleCall {
  return { end, fuelUsed: BigInt(fuelUsed) };
}

function base64(bytes: Uint8Array = new Uint8Array()): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
