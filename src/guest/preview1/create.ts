import { createBudget } from "./budget.ts";
import { createGate } from "./call.ts";
import { createClock } from "./clock.ts";
import { descriptorCalls } from "./descriptor-calls.ts";
import { Descriptors } from "./descriptors.ts";
import { fileCalls } from "./file-calls.ts";
import type { Host } from "./host.ts";
import { GuestMemory } from "./memory.ts";
import { openCalls } from "./open-call.ts";
import { pathCalls } from "./path-calls.ts";
import { pollCalls } from "./poll.ts";
import type { OpenPreopens } from "./preopens.ts";
import type { Preview1, Preview1Grants, Preview1Io } from "./preview1.ts";
import { processCalls } from "./process-calls.ts";
import { socketCalls } from "./socket-calls.ts";

export { type OpenPreopens, openPreopens } from "./preopens.ts";

/**
 * Makes the preview 1 host of one run: cheap enough to be made afresh for each. The directories stay open for the next run;
 * all else ends with `close`.
 */
export function createPreview1(preopens: OpenPreopens, grants: Preview1Grants, io: Preview1Io): Preview1 {
  const host: Host = {
    memory: new GuestMemory(),
    descriptors: new Descriptors(preopens, grants.openFiles),
    budget: createBudget(grants.diskBytes),
    clock: createClock(grants.clock),
    grants,
    io,
  };
  const gate = createGate(io);
  const imports: WebAssembly.ModuleImports = {};
  for (const makeCalls of [
    processCalls,
    descriptorCalls,
    fileCalls,
    openCalls,
    pathCalls,
    pollCalls,
    socketCalls,
  ]) {
    for (const [name, hostCall] of Object.entries(makeCalls(host))) imports[name] = gate(name, hostCall);
  }
  return {
    imports,
    bind: (memory) => host.memory.bind(memory),
    close: () => host.descriptors.closeAll(),
  };
}
