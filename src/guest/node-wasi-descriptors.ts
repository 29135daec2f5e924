import { Errno } from "./filesystem/errno.ts";
import { Refusal } from "./preview1/refusal.ts";

/** What a run of `node:wasi` has under which number, learnt from the calls that succeed: its own table cannot be asked. */
export interface GuestDescriptors {
  /** The number that a standard stream had when the run began, if it is one that stands at `fd`. */
  stream(fd: number): number | undefined;
  /** Checks that one more descriptor may be opened. `target` is asked only for what is said of a refusal. */
  allowOne(target: () => string): void;
  opened(fd: number): void;
  closed(fd: number): void;
  /** `from` has moved to the number `to`, and what was there is closed. */
  renumbered(from: number, to: number): void;
}

export function trackDescriptors(maxOpen: number): GuestDescriptors {
  const streams = new Map([0, 1, 2].map((fd) => [fd, fd]));
  const open = new Set<number>();
  const closed = (fd: number): void => {
    streams.delete(fd);
    open.delete(fd);
  };
  return {
    stream: (fd) => streams.get(fd),
    allowOne(target) {
      if (open.size < maxOpen) return;
      throw new Refusal(
        Errno.MFILE,
        target(),
        "as many files and directories are open as may be",
        "limits.openFiles",
      );
    },
    opened: (fd) => void open.add(fd),
    closed,
    renumbered(from, to) {
      if (from === to) return;
      const stream = streams.get(from);
      const isOpen = open.has(from);
      closed(from);
      closed(to);
      if (stream !== undefined) streams.set(to, stream);
      if (isOpen) open.add(to);
    },
  };
}
