import {
  type CellMessage,
  type GuestEnd,
  MAX_CHUNK_BYTES,
  MAX_DENIAL_TEXT,
  MAX_DENIALS,
  type MemorySize,
  type RunRequest,
  type WireClock,
  type WireStackFrame,
} from "../run/protocol.ts";
import { FUEL_EXPORT, GROW_REFUSALS_EXPORT, MEMORY_IMPORT } from "../wasm/reserved.ts";
import { sendArtifacts } from "./artifacts.ts";
import { enterGuest, guestStack, leaveGuest } from "./backtrace/stack.ts";
import type { Channel } from "./channel.ts";
import type { CreateHost } from "./engine.ts";
import type { Memories } from "./memories.ts";
import {
  type GuestClock,
  type GuestDenial,
  GuestExit,
  OutputLimit,
  type Preview1,
  type Preview1Io,
} from "./preview1/preview1.ts";
import { type FileToPut, openScratch } from "./scratch.ts";
import { trapCode } from "./traps.ts";

/** Modules of this cell by key. */
export type CellModules = Map<string, CellModule>;

/** A module of this cell; bytes until its first run. */
export interface CellModule {
  code: Uint8Array<ArrayBuffer> | CompiledModule;
  memory: MemorySize;
}

interface CompiledModule {
  module: WebAssembly.Module;
  /** The WASI functions that it imports. */
  imports: readonly string[];
}

/** What came with a run. */
export interface Attached {
  stdin: Uint8Array;
  files: readonly FileToPut[];
}

/** A guest that has ended: what to answer, and the memory it leaves. */
export interface FinishedGuest {
  done: CellMessage & { kind: "done" };
  memory: WebAssembly.Memory;
  memorySize: MemorySize;
  /** Bytes of memory, the linear one and that of files, that were in use at a time. */
  peakBytes: number;
}

/** Runs one guest, from a fresh instance to its end, and says how it ended. Output and refusals are sent on the way. */
export function runGuest(
  request: RunRequest,
  { stdin, files }: Attached,
  modules: CellModules,
  createHost: CreateHost,
  memories: Memories,
  channel: Channel,
): FinishedGuest {
  const denials = denialLog(channel);
  const io: Preview1Io = {
    readStdin: stdinReader(request, stdin, channel),
    writeOutput(stream, bytes) {
      for (let start = 0; start < bytes.length; start += MAX_CHUNK_BYTES) {
        channel.send({ kind: stream }, bytes.subarray(start, start + MAX_CHUNK_BYTES));
      }
    },
    deny: denials.deny,
  };
  const clock = guestClock(request.clock);
  const scratch = request.scratch && openScratch(request.scratch, files, clock);
  const grants = { ...request, clock, memory: scratch?.preopens ?? [] };
  let wasi: Preview1 | undefined;
  let exports: WebAssembly.Exports = {};
  const known = sent(request.module, modules);
  const memory = memories.take(known.memory);
  let end: GuestEnd;
  let stack: readonly WireStackFrame[] = [];
  try {
    const { module, imports } = compiled(known);
    wasi = createHost(grants, io, imports);
    exports = new WebAssembly.Instance(module, {
      wasi_snapshot_preview1: wasi.imports,
      [MEMORY_IMPORT.module]: { [MEMORY_IMPORT.name]: memory },
    }).exports;
    wasi.bind(memory);
    fuelOf(exports).value = BigInt(request.fuel);
    enterGuest();
    (exports._start as () => void)();
    end = { how: "exit", exitCode: 0 };
  } catch (error) {
    end = guestEnd(error);
    if (end.how !== "exit") stack = guestStack(error);
  } finally {
    leaveGuest();
    wasi?.close();
  }
  if (request.scratch !== undefined && scratch !== undefined) {
    sendArtifacts(request.scratch, scratch.preopens, denials.deny, channel);
  }
  for (const frame of stack) channel.send({ kind: "stack-frame", ...frame });
  const refused = exports[GROW_REFUSALS_EXPORT] as WebAssembly.Global<"i32"> | undefined;
  const done = {
    kind: "done",
    end,
    // A module that did not load has used none.
    fuelLeft: FUEL_EXPORT in exports ? Number(fuelOf(exports).value) : request.fuel,
    peakMemoryBytes: memory.buffer.byteLength,
    refusedGrowths: (refused?.value ?? 0) >>> 0,
    denialCounts: denials.counts(),
  } as const;
  const peakBytes = done.peakMemoryBytes + (scratch?.peakBytes() ?? 0);
  return { done, memory, memorySize: known.memory, peakBytes };
}

function sent(key: string, modules: CellModules): CellModule {
  const module = modules.get(key);
  if (module === undefined) throw new Error("the module was not sent");
  return module;
}

function compiled(known: CellModule): CompiledModule {
  if (!(known.code instanceof Uint8Array)) return known.code;
  const module = new WebAssembly.Module(known.code);
  const functions = WebAssembly.Module.imports(module).filter(({ kind }) => kind === "function");
  const code = { module, imports: functions.map(({ name }) => name) };
  known.code = code;
  return code;
}

function fuelOf(exports: WebAssembly.Exports): WebAssembly.Global<"i64"> {
  return exports[FUEL_EXPORT] as WebAssembly.Global<"i64">;
}

function guestEnd(error: unknown): GuestEnd {
  if (error instanceof GuestExit) return { how: "exit", exitCode: error.exitCode };
  if (error instanceof OutputLimit) return { how: "output-limit", stream: error.stream };
  if (error instanceof WebAssembly.RuntimeError) {
    return { how: "trap", code: trapCode(error.message), message: error.message };
  }
  // V8 reports an exhausted stack as a RangeError, in wasm as in JavaScript.
  if (error instanceof RangeError && error.message.startsWith("Maximum call stack"))
    return { how: "stack-overflow" };
  if (
    error instanceof WebAssembly.CompileError ||
    error instanceof WebAssembly.LinkError ||
    error instanceof RangeError
  ) {
    return { how: "load-failed", message: error.message };
  }
  // A fault of this host. The cell must not go on as if nothing had happened.
  throw error;
}

function guestClock(clock: WireClock): GuestClock {
  return clock.kind === "frozen" ? { kind: "frozen", epochNs: BigInt(clock.epochNs) } : { kind: clock.kind };
}

function stdinReader(request: RunRequest, attached: Uint8Array, channel: Channel): Preview1Io["readStdin"] {
  let rest = attached;
  let ended = request.stdin === "attached";
  return (maxBytes) => {
    while (rest.length === 0 && !ended && maxBytes > 0) {
      channel.send({ kind: "pull", maxBytes: Math.min(maxBytes, MAX_CHUNK_BYTES) });
      const answer = channel.receive();
      if (answer?.message.kind !== "stdin") throw new Error("expected stdin");
      ended = answer.message.end;
      rest = answer.payload;
    }
    const taken = rest.subarray(0, maxBytes);
    rest = rest.subarray(taken.length);
    return taken;
  };
}

/** Folds repeats and caps the number, so that a guest cannot make the host keep, or read, an endless list. */
function denialLog(channel: Channel): { deny: (denial: GuestDenial) => void; counts: () => number[] } {
  const counts = new Map<string, number>();
  return {
    deny(denial) {
      const clip = (text: string): string => text.slice(0, MAX_DENIAL_TEXT);
      const { call, reason, grant } = denial;
      const target = clip(denial.target);
      const key = JSON.stringify([call, target, reason, grant]);
      const count = counts.get(key);
      if (count === undefined && counts.size === MAX_DENIALS) return;
      counts.set(key, (count ?? 0) + 1);
      if (count !== undefined) return;
      channel.send({
        kind: "denial",
        call: clip(call),
        target,
        reason: clip(reason),
        grant: grant && clip(grant),
      });
    },
    counts: () => [...counts.values()],
  };
}
