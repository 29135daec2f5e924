import { MAX_FRAMES, MAX_FUNCTION_NAME, type WireStackFrame } from "../../run/protocol.ts";
import { withoutMachinery } from "./machinery.ts";

/** Frames that V8 has to keep of a stack: what Rust's panics put on top of it, and ours below it, comes off again. */
const KEPT_FRAMES = MAX_FRAMES + 32;

/** Characters of all mangled names of a stack that are read: names are as long as a module's author likes. */
const MAX_NAMES = 1_000_000;

/** Where V8 says that a function of WebAssembly is, behind the name that its author gave it. */
const PLACE = /:wasm-function\[(\d{1,10})\]:0x[0-9a-f]{1,8}\)?$/;
const MAX_PLACE = 64;

/** Frames that V8 keeps of the stack of an error of this host's own. */
const HOST_FRAMES = Error.stackTraceLimit;

/** With this file's own extension: sources and built package differ in it. */
const DEMANGLE = import.meta.url.replace(/stack(\.\w+)$/, "demangle$1");

/** Loaded when the first guest falls over: its six files would cost the start of every cell 5 ms. */
function loadDemangler(): typeof import("./demangle.ts") {
  const { createRequire } = process.getBuiltinModule("node:module");
  const { fileURLToPath } = process.getBuiltinModule("node:url");
  return createRequire(import.meta.url)(fileURLToPath(DEMANGLE)) as typeof import("./demangle.ts");
}

/** From here on the guest runs: an error that ends it has its stack. */
export function enterGuest(): void {
  Error.stackTraceLimit = KEPT_FRAMES;
}

/** From here on the host runs: it fails for every file that a guest looks for in vain, and a deep stack costs more than the call. */
export function leaveGuest(): void {
  Error.stackTraceLimit = HOST_FRAMES;
}

/** Gives an error of the host's that ends the guest the guest's stack. To be called in a call of the guest's. */
export function captureGuest(error: Error): void {
  Error.stackTraceLimit = KEPT_FRAMES;
  Error.captureStackTrace(error);
}

/**
 * The guest's functions that were running when this error was made, the innermost first, without those of Rust's runtime.
 * Functions without a name are left out. Never throws: how a guest ended must be told, with or without this.
 */
export function guestStack(error: unknown): WireStackFrame[] {
  if (!(error instanceof Error)) return [];
  try {
    return withoutMachinery(namedFrames(callSites(error))).slice(0, MAX_FRAMES);
  } catch {
    return [];
  }
}

/** V8's own list: a text with names in it that a stranger chose cannot be taken apart again. */
function callSites(error: Error): readonly NodeJS.CallSite[] {
  const original = Error.prepareStackTrace;
  let found: readonly NodeJS.CallSite[] = [];
  Error.prepareStackTrace = (_, sites) => {
    found = sites;
  };
  try {
    // The first look at a stack is when V8 asks how to write it.
    void error.stack;
  } finally {
    Reflect.set(Error, "prepareStackTrace", original);
  }
  return found;
}

function namedFrames(sites: readonly NodeJS.CallSite[]): WireStackFrame[] {
  const { demangle } = loadDemangler();
  const frames: WireStackFrame[] = [];
  let left = MAX_NAMES;
  for (const site of sites) {
    const name = site.getFunctionName();
    left -= name?.length ?? 0;
    if (left < 0) break;
    const place = PLACE.exec(site.toString().slice(-MAX_PLACE));
    if (place === null || name === null || name === "") continue;
    frames.push({ function: demangle(name, MAX_FUNCTION_NAME), index: Number(place[1]) });
  }
  return frames;
}
