import type { WASI } from "node:wasi";
import { fs } from "./builtins.ts";
import { Errno, Failure } from "./filesystem/errno.ts";
import { trackDescriptors } from "./node-wasi-descriptors.ts";
import { waitsForStreams } from "./node-wasi-poll.ts";
import { createGate } from "./preview1/call.ts";
import { limitCallBytes } from "./preview1/call-bytes.ts";
import { createPreview1, openPreopens, signatureOf } from "./preview1/create.ts";
import { GuestMemory } from "./preview1/memory.ts";
import type { Preopen, Preview1, Preview1Grants, Preview1Io } from "./preview1/preview1.ts";
import { Refusal } from "./preview1/refusal.ts";
import { FileType } from "./preview1/stat.ts";

type Argument = number | bigint;
type Call = (...args: Argument[]) => number;

const FDSTAT_BYTES = 24;

/**
 * The same interface over Node's own `node:wasi`, which is no sandbox: for cells in a jail alone, and for one run of each,
 * because what a guest may have done to it cannot be undone. It holds its guest to `openFiles`, `outputBytes` and
 * `hostCallBytes`, tells it of a `terminal`, and knows no other grant or limit; whoever asks for it has seen to it that no mount
 * can be written to and that the clock is real.
 *
 * The standard streams are those of {@link createPreview1}: a guest that had the cell's own would speak to the host in the
 * cell's name, and its output could be neither counted nor passed on as it comes. In `node:wasi`'s own table a file that
 * can only be read stands for them, so that their numbers are taken, and can be closed and given to others.
 */
export function openNodeWasi(
  preopens: readonly Preopen[],
): (grants: Preview1Grants, io: Preview1Io, names: readonly string[]) => Preview1 {
  const { WASI } = process.getBuiltinModule("node:wasi");
  // One for each: what the guest closes under one number must stay open under the others.
  const placeholder = (): number => fs.openSync(import.meta.filename, "r");
  const streams = { stdin: placeholder(), stdout: placeholder(), stderr: placeholder() };
  return (grants, io, names) => {
    const wasi = new WASI({
      version: "preview1",
      args: [...grants.args],
      env: { ...grants.env },
      preopens: Object.fromEntries(preopens.map(({ guest, source }) => [guest, source])),
      returnOnExit: true,
      ...streams,
    });
    return createHost(wasi, grants, io, names);
  };
}

function createHost(wasi: WASI, grants: Preview1Grants, io: Preview1Io, names: readonly string[]): Preview1 {
  const own = createPreview1(openPreopens([]), grants, io, names);
  const descriptors = trackDescriptors(grants.openFiles);
  const gate = createGate(io);
  const natives = wasi.wasiImport as Record<string, Call>;
  const memory = new GuestMemory();
  // `node:wasi` reads and writes all that it is asked to at once.
  const allowBytes = limitCallBytes(grants.hostCallBytes, Number.POSITIVE_INFINITY, memory);
  let bound = false;

  const answer = (name: string, args: Argument[]): number | undefined => {
    const stream = nameTakesDescriptor(name) ? descriptors.stream(Number(args[0])) : undefined;
    const ownCall = own.imports[name] as Call;
    if (name === "proc_exit") return ownCall(...args);
    if (stream !== undefined && !MOVES_DESCRIPTORS.has(name)) return ownCall(stream, ...args.slice(1));
    if (!bound) throw new Failure(Errno.FAULT);
    allowBytes(name)?.(...args);
    const [first = 0, second = 0, third = 0, fourth = 0] = args.map(Number);
    if (name === "path_open") descriptors.allowOne(() => memory.path(third, fourth));
    if (name === "poll_oneoff" && waitsForStreams(first, third, memory, descriptors)) return ownCall(...args);
    const errno = natives[name]?.(...args);
    if (errno !== Errno.SUCCESS) return errno;
    if (name === "path_open") keepOpened(memory.getU32(Number(args[8])), () => memory.path(third, fourth));
    if (name === "fd_close") descriptors.closed(first);
    if (name === "fd_renumber") descriptors.renumbered(first, second);
    return errno;
  };

  /** A FIFO in a mount leads to whoever has its other end, also where the mount can only be read. */
  const keepOpened = (fd: number, target: () => string): void => {
    const type = fileType(fd);
    if (type !== FileType.file && type !== FileType.directory) {
      natives.fd_close?.(fd);
      throw new Refusal(Errno.PERM, target(), "only regular files and directories can be opened", null);
    }
    descriptors.opened(fd);
  };

  /** The answer comes by way of the guest's memory, which is as before when the guest runs again. */
  const fileType = (fd: number): number => {
    const borrowed = memory.slice(0, FDSTAT_BYTES);
    const before = borrowed.slice();
    natives.fd_fdstat_get?.(fd, 0);
    const type = memory.getU8(0);
    borrowed.set(before);
    return type;
  };

  const imports: WebAssembly.ModuleImports = {};
  for (const name of Object.keys(own.imports)) {
    // A closure for each, although it does little: Node 20 and 22 crash where a module imports the native functions themselves.
    const signature = signatureOf(name);
    const run = (...args: Argument[]): void => {
      const errno = answer(name, args.slice(0, signature.length));
      if (errno !== undefined && errno !== Errno.SUCCESS) throw new Failure(errno);
    };
    imports[name] = gate(name, { signature, run });
  }
  return {
    imports,
    bind(guestMemory) {
      memory.bind(guestMemory);
      own.bind(guestMemory);
      // All that `start` does before it calls `_start` is to take the memory.
      wasi.start({ exports: { memory: guestMemory, _start() {} } });
      bound = true;
    },
    close: () => own.close(),
  };
}

/** Of the functions that take a descriptor, those that change what stands at its number. */
const MOVES_DESCRIPTORS: ReadonlySet<string> = new Set(["fd_close", "fd_renumber"]);

/** Whether the function's first argument is a descriptor that may be a stream: relative to one there are no paths. */
function nameTakesDescriptor(name: string): boolean {
  return name.startsWith("fd_") || name.startsWith("sock_");
}
