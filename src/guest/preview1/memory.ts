import { Errno, Failure } from "../filesystem/errno.ts";
import { decodeName } from "../filesystem/names.ts";

/** Bytes of the longest path, as Linux counts (PATH_MAX, less its NUL). */
const MAX_PATH_BYTES = 4095;

const NOTHING = new Uint8Array(0);

/**
 * The guest's linear memory. Every access is checked against its size first and answers `EFAULT` beyond it, also before the
 * memory is bound. Addresses and lengths are unsigned 32-bit numbers, so their sums are exact.
 */
export class GuestMemory {
  #memory: WebAssembly.Memory | undefined;
  #bytes: Uint8Array = NOTHING;
  #view = new DataView(NOTHING.buffer);

  bind(memory: WebAssembly.Memory): void {
    this.#memory = memory;
  }

  /** The whole memory, for calls that take an offset. Valid until the guest runs again. */
  get all(): Uint8Array {
    // Growing detaches the buffer, which empties the views of it.
    if (this.#bytes.length === 0 && this.#memory !== undefined) {
      this.#bytes = new Uint8Array(this.#memory.buffer);
      this.#view = new DataView(this.#memory.buffer);
    }
    return this.#bytes;
  }

  /** Whether `length` bytes at `address` lie in the memory. */
  holds(address: number, length: number): boolean {
    return address + length <= this.all.length;
  }

  /** Checks that `length` bytes at `address` lie in the memory. */
  check(address: number, length: number): void {
    if (!this.holds(address, length)) throw new Failure(Errno.FAULT);
  }

  /** The bytes themselves, not a copy. */
  slice(address: number, length: number): Uint8Array {
    this.check(address, length);
    return this.#bytes.subarray(address, address + length);
  }

  /** A path: UTF-8 without NUL and not longer than Linux takes. */
  path(address: number, length: number): string {
    const bytes = this.slice(address, length);
    if (length > MAX_PATH_BYTES) throw new Failure(Errno.NAMETOOLONG);
    if (bytes.includes(0)) throw new Failure(Errno.INVAL);
    return decodeName(bytes);
  }

  getU8(address: number): number {
    this.check(address, 1);
    return this.#view.getUint8(address);
  }

  getU16(address: number): number {
    this.check(address, 2);
    return this.#view.getUint16(address, true);
  }

  getU32(address: number): number {
    this.check(address, 4);
    return this.#view.getUint32(address, true);
  }

  getU64(address: number): bigint {
    this.check(address, 8);
    return this.#view.getBigUint64(address, true);
  }

  setU8(address: number, value: number): void {
    this.check(address, 1);
    this.#view.setUint8(address, value);
  }

  setU16(address: number, value: number): void {
    this.check(address, 2);
    this.#view.setUint16(address, value, true);
  }

  setU32(address: number, value: number): void {
    this.check(address, 4);
    this.#view.setUint32(address, value, true);
  }

  setU64(address: number, value: bigint): void {
    this.check(address, 8);
    this.#view.setBigUint64(address, value, true);
  }

  set(address: number, bytes: Uint8Array): void {
    this.check(address, bytes.length);
    this.#bytes.set(bytes, address);
  }

  fill(address: number, length: number, value: number): void {
    this.check(address, length);
    this.#bytes.fill(value, address, address + length);
  }
}
