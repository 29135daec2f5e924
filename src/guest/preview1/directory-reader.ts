import type { Directory, DirectoryEntry, Listing } from "../filesystem/filesystem.ts";

/** Entries that are kept for a guest that asks for them again; twice as many at most. */
const KEPT = 4096;

/**
 * The entries of an open directory by number. They are read once, as they are asked for, and keep their numbers while the
 * guest goes through them, whatever it removes on the way; asking for the first entry starts afresh.
 */
export class DirectoryReader {
  readonly #directory: Directory;
  #listing: Listing | undefined;
  /** The number of `#kept[0]`. */
  #first = 0;
  #kept: DirectoryEntry[] = [];
  #ended = false;

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  /** Forgets what was read, so that the next entry is read from the disk. */
  rewind(): void {
    this.close();
    this.#first = 0;
    this.#kept = [];
    this.#ended = false;
  }

  /** Entry number `index`, or undefined beyond the last. */
  entry(index: number): DirectoryEntry | undefined {
    if (index < this.#first) this.rewind();
    while (index >= this.#first + this.#kept.length && !this.#ended) this.#read();
    return this.#kept[index - this.#first];
  }

  close(): void {
    this.#listing?.close();
    this.#listing = undefined;
  }

  #read(): void {
    this.#listing ??= this.#directory.list();
    const entry = this.#listing.next();
    if (entry === undefined) {
      this.#ended = true;
      this.close();
      return;
    }
    if (this.#kept.length === 2 * KEPT) {
      this.#kept = this.#kept.slice(KEPT);
      this.#first += KEPT;
    }
    this.#kept.push(entry);
  }
}
