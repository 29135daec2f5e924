import { Errno } from "../filesystem/errno.ts";
import type { GuestMemory } from "./memory.ts";
import { Refusal } from "./refusal.ts";

/** A stretch of guest memory that a call names: the numbers of the arguments that have its address and its length. */
interface Stretch {
  address: number;
  length: number;
  /** Bytes of which the length counts one; `vectors` are eight, and stand for what they name besides. */
  of: number | "vectors";
}

const bytes = (address: number): Stretch => ({ address, length: address + 1, of: 1 });
const VECTORS: readonly Stretch[] = [{ address: 1, length: 2, of: "vectors" }];
const VECTOR_BYTES = 8;

/** What each function takes of which the guest chooses the length. What is not here takes a few bytes, or as many as the host chooses. */
const STRETCHES: ReadonlyMap<string, readonly Stretch[]> = new Map(
  Object.entries({
    fd_pread: VECTORS,
    fd_prestat_dir_name: [bytes(1)],
    fd_pwrite: VECTORS,
    fd_read: VECTORS,
    fd_readdir: [bytes(1)],
    fd_write: VECTORS,
    path_create_directory: [bytes(1)],
    path_filestat_get: [bytes(2)],
    path_filestat_set_times: [bytes(2)],
    path_link: [bytes(2), bytes(5)],
    path_open: [bytes(2)],
    path_readlink: [bytes(1), bytes(3)],
    path_remove_directory: [bytes(1)],
    path_rename: [bytes(1), bytes(4)],
    path_symlink: [bytes(0), bytes(3)],
    path_unlink_file: [bytes(1)],
    poll_oneoff: [
      { address: 0, length: 2, of: 48 },
      { address: 1, length: 2, of: 32 },
    ],
    random_get: [bytes(0)],
  }),
);

type Arguments = readonly (number | bigint | undefined)[];

/**
 * What refuses a call of that name where it names more of the guest's memory than it may; undefined where no call of it can. One that
 * names memory that there is not is left to fail by itself.
 */
export type AllowBytes = (name: string) => ((...args: Arguments) => void) | undefined;

/** `maxMoved` are the bytes that one read or write moves at most, whatever it asks for. */
export function limitCallBytes(limit: number, maxMoved: number, memory: GuestMemory): AllowBytes {
  return (name) => {
    const stretches = STRETCHES.get(name);
    if (stretches === undefined) return undefined;
    const allow = (...args: Arguments): void => {
      if (taken(stretches, args) <= limit) return;
      throw new Refusal(
        Errno.NOMEM,
        told(name, args, memory),
        `one call would take more than ${limit} bytes of the guest's memory`,
        "limits.hostCallBytes",
      );
    };
    if (stretches !== VECTORS) return allow;
    return (fd, vectors, count) => {
      // Nothing that most reads and writes could ask for would be too much.
      if (Number(count) * VECTOR_BYTES + maxMoved > limit) allow(fd, vectors, count);
    };
  };

  function taken(stretches: readonly Stretch[], args: Arguments): number {
    let sum = 0;
    for (const { address, length, of } of stretches) {
      const at = Number(args[address]);
      const count = Number(args[length]);
      sum += of === "vectors" ? vectored(at, count) : held(at, count * of);
    }
    return sum;
  }

  function held(address: number, length: number): number {
    return memory.holds(address, length) ? length : 0;
  }

  /** The vectors and what they name, counted no further than it matters. */
  function vectored(vectors: number, count: number): number {
    const own = held(vectors, count * VECTOR_BYTES);
    let moved = 0;
    for (
      let at = vectors;
      at < vectors + own && moved < maxMoved && own + moved <= limit;
      at += VECTOR_BYTES
    ) {
      const length = memory.getU32(at + 4);
      // The call fails at it, if it comes so far, before anything is moved.
      if (length > 0 && !memory.holds(memory.getU32(at), length)) return 0;
      moved += length;
    }
    return own + Math.min(moved, maxMoved);
  }
}

/** Bytes of a path that are told in a denial. */
const MAX_TOLD = 256;

/** What the call was for: a path where it has one. */
function told(name: string, args: Arguments, memory: GuestMemory): string {
  if (name === "poll_oneoff") return "subscriptions";
  if (name === "random_get") return "random bytes";
  const [first] = STRETCHES.get(name) ?? [];
  if (first === undefined || !name.startsWith("path_")) return `descriptor ${args[0]}`;
  const length = Math.min(Number(args[first.length]), MAX_TOLD);
  const address = Number(args[first.address]);
  return memory.holds(address, length) ? new TextDecoder().decode(memory.slice(address, length)) : "";
}
