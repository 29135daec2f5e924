import { createBudget } from "./budget.ts";
import { MAX_MOVED_BYTES } from "./buffers.ts";
import { createGate, type HostCalls } from "./call.ts";
import { limitCallBytes } from "./call-bytes.ts";
import { createClock } from "./clock.ts";
import { descriptorCalls } from "./descriptor-calls.ts";
import { Descriptors } from "./descriptors.ts";
import { fileCalls } from "./file-calls.ts";
import type { Host } from "./host.ts";
import { GuestMemory } from "./memory.ts";
import { openCalls } from "./open-call.ts";
import { pathCalls } from "./path-calls.ts";
import { pollCalls } from "./poll.ts";
import { type OpenPreopens, openPreopens, withMemory } from "./preopens.ts";
import type { Preview1, Preview1Grants, Preview1Io } from "./preview1.ts";
import { processCalls } from "./process-calls.ts";
import { socketCalls } from "./socket-calls.ts";

export { type OpenPreopens, openPreopens } from "./preopens.ts";

type MakeCalls = (host: Host) => HostCalls;

/** What makes each function, and its arguments: learnt from a host that no guest ever meets. */
const makers: ReadonlyMap<string, { make: MakeCalls; signature: string }> = new Map(
  [processCalls, descriptorCalls, fileCalls, openCalls, pathCalls, pollCalls, socketCalls].flatMap((make) =>
    Object.entries(make(idleHost())).map(([name, { signature }]) => [name, { make, signature }] as const),
  ),
);

/** The functions of `wasi_snapshot_preview1`, all 46. */
export const PREVIEW1_NAMES: readonly string[] = [...makers.keys()];

/** The arguments of a function: `i` for each of 32 bits, `I` for each of 64. */
export function signatureOf(name: string): string {
  return makers.get(name)?.signature ?? "";
}

/**
 * Makes the preview 1 host of one run: cheap enough to be made afresh for each. The directories stay open for the next run;
 * all else ends with `close`. Of the functions it makes those in `names`: a program uses a few, and what a cell leaves behind
 * with each run is what its garbage collector has to find again.
 */
export function createPreview1(
  preopens: OpenPreopens,
  grants: Preview1Grants,
  io: Preview1Io,
  names: readonly string[] = PREVIEW1_NAMES,
): Preview1 {
  const host = createHost(preopens, grants, io);
  const gate = createGate(io, limitCallBytes(grants.hostCallBytes, MAX_MOVED_BYTES, host.memory));
  const made = new Map<MakeCalls, HostCalls>();
  const imports: WebAssembly.ModuleImports = {};
  for (const name of names) {
    const make = makers.get(name)?.make;
    if (make === undefined) continue;
    const calls = made.get(make) ?? make(host);
    made.set(make, calls);
    const hostCall = calls[name];
    if (hostCall !== undefined) imports[name] = gate(name, hostCall);
  }
  return {
    imports,
    bind: (memory) => host.memory.bind(memory),
    close: () => host.descriptors.closeAll(),
  };
}

function createHost(preopens: OpenPreopens, grants: Preview1Grants, io: Preview1Io): Host {
  return {
    memory: new GuestMemory(),
    descriptors: new Descriptors(withMemory(preopens.list, grants.memory ?? []), grants.openFiles),
    budget: createBudget(grants.diskBytes),
    clock: createClock(grants.clock),
    grants,
    io,
  };
}

function idleHost(): Host {
  const grants: Preview1Grants = {
    args: [],
    env: {},
    clock: { kind: "denied" },
    random: { kind: "secure" },
    outputBytes: 0,
    diskBytes: 0,
    openFiles: 0,
    hostCallBytes: 0,
    terminal: false,
  };
  const io: Preview1Io = { readStdin: () => new Uint8Array(0), writeOutput() {}, deny() {} };
  return createHost(openPreopens([]), grants, io);
}
