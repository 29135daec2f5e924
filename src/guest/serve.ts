import type { CellMessage, HostMessage, RunRequest } from "../run/protocol.ts";
import type { Channel } from "./channel.ts";
import { collectAfter } from "./collect.ts";
import { type CreateHost, openEngine } from "./engine.ts";
import { createMemories, type Memories } from "./memories.ts";
import { type Attached, type CellModules, runGuest } from "./run-guest.ts";
import type { FileToPut } from "./scratch.ts";

/** A cell's whole life: receive, run, answer, until the host is gone. */
export function serve(channel: Channel): void {
  const modules: CellModules = new Map();
  const memories = createMemories();
  let createHost: CreateHost | undefined;
  let files: FileToPut[] = [];
  for (;;) {
    const frame = channel.receive();
    if (frame === undefined) return;
    const { message, payload } = frame;
    switch (message.kind) {
      case "open":
        createHost = open(message, channel);
        break;
      case "module":
        // The payload aliases the receive buffer; the copy is what stays.
        modules.set(message.key, { code: new Uint8Array(payload), memory: message.memory });
        break;
      case "forget":
        modules.delete(message.key);
        break;
      case "file":
        files.push({ mount: message.mount, path: message.path, bytes: payload });
        break;
      case "run": {
        if (createHost === undefined) throw new Error("run before open");
        const attached = { stdin: payload, files };
        files = [];
        const peakBytes = runAndAnswer(message, attached, { modules, memories, createHost }, channel);
        collectAfter(peakBytes);
        break;
      }
      case "stdin":
        throw new Error("stdin that no guest asked for");
    }
  }
}

/** What a cell has for its guests. */
interface CellState {
  modules: CellModules;
  memories: Memories;
  createHost: CreateHost;
}

/** A function of its own, so that nothing holds on to the guest's memory when it comes to collecting. */
function runAndAnswer(
  request: RunRequest,
  attached: Attached,
  { modules, memories, createHost }: CellState,
  channel: Channel,
): number {
  const finished = runGuest(request, attached, modules, createHost, memories, channel);
  const { done, memory, memorySize, peakBytes } = finished;
  channel.send(done);
  // What takes time is done while the cell waits. A guest that did not exit may be anything: its cell is replaced.
  if (done.end.how === "exit") memories.giveBack(memorySize, memory);
  return peakBytes;
}

function open(message: HostMessage & { kind: "open" }, channel: Channel): CreateHost | undefined {
  const answer = (failed: string | null): CellMessage => ({ kind: "ready", failed });
  try {
    const createHost = openEngine(message);
    channel.send(answer(null));
    return createHost;
  } catch (error) {
    channel.send(answer(String(error).slice(0, 1024)));
    return undefined;
  }
}
