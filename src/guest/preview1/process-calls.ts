import { Errno, Failure } from "../filesystem/errno.ts";
import { call, type HostCalls } from "./call.ts";
import type { Host } from "./host.ts";
import { GuestExit } from "./preview1.ts";
import { createRandom } from "./random.ts";

/** Arguments, environment, clocks, random bytes, and the end of the run. */
export function processCalls(host: Host): HostCalls {
  const { memory, clock, grants } = host;
  const random = createRandom(grants.random);
  const args = textTable(() => grants.args);
  const environment = textTable(() => Object.entries(grants.env).map(([name, value]) => `${name}=${value}`));

  function writeSizes(texts: readonly Uint8Array[], count: number, size: number): void {
    memory.check(count, 4);
    memory.setU32(
      size,
      texts.reduce((sum, text) => sum + text.length, 0),
    );
    memory.setU32(count, texts.length);
  }

  function writeTexts(texts: readonly Uint8Array[], pointers: number, buffer: number): void {
    let pointer = pointers;
    let address = buffer;
    for (const text of texts) {
      memory.set(address, text);
      memory.setU32(pointer, address);
      pointer += 4;
      address += text.length;
    }
  }

  return {
    args_get: call("ii", (pointers, buffer) => writeTexts(args(), pointers, buffer)),
    args_sizes_get: call("ii", (count, size) => writeSizes(args(), count, size)),
    environ_get: call("ii", (pointers, buffer) => writeTexts(environment(), pointers, buffer)),
    environ_sizes_get: call("ii", (count, size) => writeSizes(environment(), count, size)),

    clock_res_get: call("ii", (id, result) => memory.setU64(result, clock.resolution(id))),
    clock_time_get: call("iIi", (id, _precision, result) => {
      memory.check(result, 8);
      memory.setU64(result, clock.now(id));
    }),

    random_get: call("ii", (buffer, length) => random(memory.slice(buffer, length))),

    proc_exit: call("i", (code) => {
      throw new GuestExit(code);
    }),
    proc_raise: call("i", () => {
      throw new Failure(Errno.NOTSUP);
    }),
    sched_yield: call("", () => {}),
  };
}

/** Texts as the guest reads them, with a NUL at the end; encoded when they are first asked for. */
function textTable(texts: () => readonly string[]): () => readonly Uint8Array[] {
  let encoded: readonly Uint8Array[] | undefined;
  return () => {
    encoded ??= texts().map((text) => new TextEncoder().encode(`${text}\0`));
    return encoded;
  };
}
