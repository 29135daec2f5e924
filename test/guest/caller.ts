import { Right } from "../../src/guest/preview1/rights.ts";
import { type ErrnoName, errnoName, type GuestOptions, openHost, type Witness } from "./support.ts";

/** Flags of calls, by the names that the specification gives them. */
export const O = { CREAT: 1, DIRECTORY: 2, EXCL: 4, TRUNC: 8 } as const;
export const FD = { APPEND: 1, DSYNC: 2, NONBLOCK: 4, RSYNC: 8, SYNC: 16 } as const;
export const FOLLOW = 1;
export const SET = 0;
export const CUR = 1;
export const END = 2;

/** A scratch area for results, well away from what `put` hands out. */
const RESULT = 1024;
const HEAP = 65_536;
const PAGES = 256;

/** What a call answers: a value, or the name of an error. */
export type Answer<Value> = Value | ErrnoName;

export interface Stat {
  device: bigint;
  inode: bigint;
  type: number;
  links: bigint;
  size: bigint;
  atim: bigint;
  mtim: bigint;
  ctim: bigint;
}

export interface Entry {
  name: string;
  next: bigint;
  inode: bigint;
  type: number;
}

export interface OpenOptions {
  at?: number;
  flags?: number;
  rights?: number;
  fd?: number;
  lookup?: number;
}

/** A guest without a program: a test makes its calls, with a memory of its own, as a module would. */
export class Caller {
  readonly witness: Witness;
  readonly memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES * 2 });
  #heap = HEAP;

  constructor(options: GuestOptions = {}) {
    this.witness = openHost(options);
    this.witness.wasi.bind(this.memory);
  }

  get view(): DataView {
    return new DataView(this.memory.buffer);
  }

  get denials() {
    return this.witness.denials;
  }

  /** Makes one call and gives the name of its answer. */
  call(name: string, ...args: (number | bigint)[]): ErrnoName {
    const imported = this.witness.wasi.imports[name] as unknown as (...args: unknown[]) => unknown;
    // As from a module: integers are signed on the way.
    return errnoName(
      imported(...args.map((arg) => (typeof arg === "number" ? arg | 0 : BigInt.asIntN(64, arg)))),
    );
  }

  /** Puts bytes into the guest's memory. */
  put(data: string | Uint8Array): [address: number, length: number] {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    const address = this.#heap;
    this.#heap += Math.ceil(bytes.length / 8) * 8 + 8;
    new Uint8Array(this.memory.buffer).set(bytes, address);
    return [address, bytes.length];
  }

  /** Puts a vector of buffers into the guest's memory. */
  vector(...buffers: [number, number][]): [address: number, count: number] {
    const words = new Uint32Array(buffers.flat());
    return [this.put(new Uint8Array(words.buffer))[0], buffers.length];
  }

  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, length).slice();
  }

  #answer<Value>(errno: ErrnoName, value: () => Value): Answer<Value> {
    return errno === "SUCCESS" ? value() : errno;
  }

  open(path: string, options: OpenOptions = {}): Answer<number> {
    const { at = 3, flags = 0, rights = Right.FD_READ, fd = 0, lookup = 0 } = options;
    const errno = this.call(
      "path_open",
      at,
      lookup,
      ...this.put(path),
      flags,
      BigInt(rights),
      0n,
      fd,
      RESULT,
    );
    return this.#answer(errno, () => this.view.getUint32(RESULT, true));
  }

  /** Opens what has to be there to be opened. */
  opened(path: string, options: OpenOptions = {}): number {
    const answer = this.open(path, options);
    if (typeof answer === "string") throw new Error(`${path}: ${answer}`);
    return answer;
  }

  read(fd: number, length: number): Answer<string> {
    const [buffer] = this.put(new Uint8Array(length));
    const errno = this.call("fd_read", fd, ...this.vector([buffer, length]), RESULT);
    return this.#answer(errno, () => this.#text(buffer, this.view.getUint32(RESULT, true)));
  }

  pread(fd: number, length: number, position: bigint): Answer<string> {
    const [buffer] = this.put(new Uint8Array(length));
    const errno = this.call("fd_pread", fd, ...this.vector([buffer, length]), position, RESULT);
    return this.#answer(errno, () => this.#text(buffer, this.view.getUint32(RESULT, true)));
  }

  write(fd: number, ...data: string[]): Answer<number> {
    const vector = this.vector(...data.map((text) => this.put(text)));
    return this.#number(this.call("fd_write", fd, ...vector, RESULT));
  }

  pwrite(fd: number, data: string, position: bigint): Answer<number> {
    return this.#number(this.call("fd_pwrite", fd, ...this.vector(this.put(data)), position, RESULT));
  }

  seek(fd: number, offset: bigint, whence: number): Answer<bigint> {
    const errno = this.call("fd_seek", fd, offset, whence, RESULT);
    return this.#answer(errno, () => this.view.getBigUint64(RESULT, true));
  }

  tell(fd: number): Answer<bigint> {
    const errno = this.call("fd_tell", fd, RESULT);
    return this.#answer(errno, () => this.view.getBigUint64(RESULT, true));
  }

  stat(path: string, { at = 3, lookup = 0 } = {}): Answer<Stat> {
    return this.#stat(this.call("path_filestat_get", at, lookup, ...this.put(path), RESULT));
  }

  fstat(fd: number): Answer<Stat> {
    return this.#stat(this.call("fd_filestat_get", fd, RESULT));
  }

  fdstat(fd: number): Answer<{ type: number; flags: number; rights: number; inheriting: number }> {
    const errno = this.call("fd_fdstat_get", fd, RESULT);
    return this.#answer(errno, () => ({
      type: this.view.getUint8(RESULT),
      flags: this.view.getUint16(RESULT + 2, true),
      rights: Number(this.view.getBigUint64(RESULT + 8, true)),
      inheriting: Number(this.view.getBigUint64(RESULT + 16, true)),
    }));
  }

  readlink(path: string, room = 4096): Answer<string> {
    const [buffer] = this.put(new Uint8Array(room));
    const errno = this.call("path_readlink", 3, ...this.put(path), buffer, room, RESULT);
    return this.#answer(errno, () => this.#text(buffer, this.view.getUint32(RESULT, true)));
  }

  mkdir(path: string, at = 3): ErrnoName {
    return this.call("path_create_directory", at, ...this.put(path));
  }

  rmdir(path: string, at = 3): ErrnoName {
    return this.call("path_remove_directory", at, ...this.put(path));
  }

  unlink(path: string, at = 3): ErrnoName {
    return this.call("path_unlink_file", at, ...this.put(path));
  }

  symlink(target: string, path: string, at = 3): ErrnoName {
    return this.call("path_symlink", ...this.put(target), at, ...this.put(path));
  }

  link(
    from: string,
    to: string,
    { at = 3, toAt, lookup = 0 }: { at?: number; toAt?: number; lookup?: number } = {},
  ): ErrnoName {
    return this.call("path_link", at, lookup, ...this.put(from), toAt ?? at, ...this.put(to));
  }

  rename(from: string, to: string, { at = 3, toAt }: { at?: number; toAt?: number } = {}): ErrnoName {
    return this.call("path_rename", at, ...this.put(from), toAt ?? at, ...this.put(to));
  }

  setTimes(path: string, atim: bigint, mtim: bigint, flags: number, lookup = 0): ErrnoName {
    return this.call("path_filestat_set_times", 3, lookup, ...this.put(path), atim, mtim, flags);
  }

  close(fd: number): ErrnoName {
    return this.call("fd_close", fd);
  }

  /** One call of fd_readdir with a buffer of this size: the bytes that it filled. */
  readdirBytes(fd: number, room: number, cookie: bigint): Answer<Uint8Array> {
    const [buffer] = this.put(new Uint8Array(room));
    const errno = this.call("fd_readdir", fd, buffer, room, cookie, RESULT);
    return this.#answer(errno, () => this.bytes(buffer, this.view.getUint32(RESULT, true)));
  }

  /** The whole directory, read as a C library does: from where the last whole entry said. */
  readdir(fd: number, room = 4096): Entry[] {
    const entries: Entry[] = [];
    for (let cookie = 0n; ; cookie = entries.at(-1)?.next ?? 0n) {
      const bytes = this.readdirBytes(fd, room, cookie);
      if (typeof bytes === "string") throw new Error(bytes);
      entries.push(...parseEntries(bytes));
      if (bytes.length < room) return entries;
    }
  }

  #number(errno: ErrnoName): Answer<number> {
    return this.#answer(errno, () => this.view.getUint32(RESULT, true));
  }

  #stat(errno: ErrnoName): Answer<Stat> {
    const u64 = (offset: number): bigint => this.view.getBigUint64(RESULT + offset, true);
    return this.#answer(errno, () => ({
      device: u64(0),
      inode: u64(8),
      type: this.view.getUint8(RESULT + 16),
      links: u64(24),
      size: u64(32),
      atim: u64(40),
      mtim: u64(48),
      ctim: u64(56),
    }));
  }

  #text(address: number, length: number): string {
    return new TextDecoder().decode(this.bytes(address, length));
  }
}

/** The whole entries in what fd_readdir filled; a last one that was cut is left out. */
export function parseEntries(bytes: Uint8Array): Entry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: Entry[] = [];
  for (let at = 0; at + 24 <= bytes.length; ) {
    const length = view.getUint32(at + 16, true);
    if (at + 24 + length > bytes.length) break;
    entries.push({
      name: new TextDecoder().decode(bytes.subarray(at + 24, at + 24 + length)),
      next: view.getBigUint64(at, true),
      inode: view.getBigUint64(at + 8, true),
      type: view.getUint8(at + 20),
    });
    at += 24 + length;
  }
  return entries;
}

/** A guest with one mount at /data, which is descriptor 3. */
export function withMount(source: string, options: GuestOptions = {}): Caller {
  return new Caller({ mounts: [{ source, guest: "/data" }], ...options });
}
