import { Errno, Failure } from "./errno.ts";
import type {
  Directory,
  File,
  Link,
  Listing,
  NodeStat,
  OpenMode,
  Special,
  TimeChange,
} from "./filesystem.ts";
import { MemoryFile } from "./memory-file.ts";
import { listEntries, ownCopy, requirePlain } from "./memory-names.ts";
import {
  changeTimes,
  type MemoryDirectoryNode,
  type MemoryFileNode,
  type MemoryLinkNode,
  type MemoryNode,
  type MemoryVolume,
  nameCost,
  newDirectory,
  newFile,
  newLink,
  nodeCost,
  releaseIfGone,
  statOf,
  touch,
} from "./memory-node.ts";
import type { Room } from "./memory-room.ts";
import { decodeName } from "./names.ts";

/** Bytes of the longest target of a link, as on Linux. */
const MAX_TARGET_BYTES = 4095;

/** An empty filesystem in memory; what this gives is its root. It ends with the last reference to it. */
export function openMemoryDirectory(options: { device: bigint; room: Room; now: () => bigint }): Directory {
  const volume: MemoryVolume = { ...options, nextInode: 1n };
  return new MemoryDirectory(volume, newDirectory(volume, undefined));
}

/** Puts a file with these bytes in the directory. @throws Failure where the name is taken or there is no room */
export function putFile(directory: Directory, name: string, bytes: Uint8Array): void {
  if (!(directory instanceof MemoryDirectory)) throw new Error("files can be put only in memory");
  directory.put(name, bytes);
}

class MemoryDirectory implements Directory {
  readonly kind = "directory";
  readonly #volume: MemoryVolume;
  readonly #node: MemoryDirectoryNode;
  #closed = false;

  constructor(volume: MemoryVolume, node: MemoryDirectoryNode) {
    this.#volume = volume;
    this.#node = node;
    node.handles += 1;
  }

  reopen(): Directory {
    return new MemoryDirectory(this.#volume, this.#open());
  }

  enter(name: string): Directory | Link {
    const node = this.#find(name);
    if (node.type === "file") throw new Failure(Errno.NOTDIR);
    return node.type === "symlink" ? linkTo(node) : new MemoryDirectory(this.#volume, node);
  }

  open(name: string, mode: OpenMode): File | Directory | Link | Special {
    const node = this.#find(name);
    if (node.type === "file") return new MemoryFile(this.#volume, node, mode);
    return node.type === "symlink" ? linkTo(node) : new MemoryDirectory(this.#volume, node);
  }

  create(name: string, mode: OpenMode): File {
    return new MemoryFile(this.#volume, this.#newFile(name), mode);
  }

  put(name: string, bytes: Uint8Array): void {
    this.#newFile(name).content.load(bytes);
  }

  stat(): NodeStat {
    return statOf(this.#volume, this.#open());
  }

  statAt(name: string): NodeStat {
    return statOf(this.#volume, this.#find(name));
  }

  setTimes(accessed: TimeChange, modified: TimeChange): void {
    changeTimes(this.#volume, this.#open(), accessed, modified);
  }

  setTimesAt(name: string, accessed: TimeChange, modified: TimeChange): void {
    changeTimes(this.#volume, this.#find(name), accessed, modified);
  }

  readlink(name: string): string {
    const node = this.#find(name);
    if (node.type !== "symlink") throw new Failure(Errno.INVAL);
    return linkTo(node).target;
  }

  list(): Listing {
    return listEntries(this.#open().entries);
  }

  mkdir(name: string): void {
    this.#requireFree(name);
    this.#add(name, newDirectory(this.#volume, this.#node));
    this.#node.links += 1;
  }

  rmdir(name: string): void {
    const node = this.#find(name);
    if (node.type !== "directory") throw new Failure(Errno.NOTDIR);
    if (node.entries.size > 0) throw new Failure(Errno.NOTEMPTY);
    this.#forget(name);
    this.#orphan(node);
  }

  unlink(name: string): void {
    const node = this.#find(name);
    if (node.type === "directory") throw new Failure(Errno.ISDIR);
    this.#forget(name);
    this.#orphan(node);
  }

  symlink(target: string, name: string): void {
    this.#requireFree(name);
    const bytes = new TextEncoder().encode(target);
    if (bytes.length > MAX_TARGET_BYTES) throw new Failure(Errno.NAMETOOLONG);
    this.#add(name, newLink(this.#volume, bytes));
  }

  link(name: string, to: Directory, toName: string): void {
    const target = this.#inSameFilesystem(to);
    const node = this.#find(name);
    target.#requireFree(toName);
    if (node.type === "directory") throw new Failure(Errno.PERM);
    this.#volume.room.take(nameCost(toName), 1);
    target.#node.entries.set(ownCopy(toName), node);
    node.links += 1;
    node.changedNs = this.#volume.now();
    touch(this.#volume, target.#node);
  }

  rename(name: string, to: Directory, toName: string): void {
    const target = this.#inSameFilesystem(to);
    const node = this.#find(name);
    if (node.type === "directory" && target.#isInside(node)) throw new Failure(Errno.INVAL);
    const replaced = target.#findOrNothing(toName);
    if (replaced === node) return;
    if (replaced === undefined) target.#requireFree(toName);
    else requireReplaceable(node, replaced);
    // In the place of another only the old name becomes free; a new name must find room before anything is changed.
    const growth = (replaced === undefined ? nameCost(toName) : 0) - nameCost(name);
    if (growth > 0) this.#volume.room.take(growth, 0);
    else this.#volume.room.give(-growth, 0);
    this.#node.entries.delete(name);
    target.#node.entries.set(ownCopy(toName), node);
    if (replaced !== undefined) target.#orphan(replaced);
    if (node.type === "directory") {
      this.#node.links -= 1;
      target.#node.links += 1;
      node.parent = target.#node;
    }
    node.changedNs = this.#volume.now();
    touch(this.#volume, this.#node);
    touch(this.#volume, target.#node);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#node.handles -= 1;
    releaseIfGone(this.#volume, this.#node);
  }

  #open(): MemoryDirectoryNode {
    if (this.#closed) throw new Error("a directory was used after it was closed");
    return this.#node;
  }

  #newFile(name: string): MemoryFileNode {
    this.#requireFree(name);
    const node = newFile(this.#volume);
    this.#add(name, node);
    return node;
  }

  #findOrNothing(name: string): MemoryNode | undefined {
    requirePlain(name);
    return this.#open().entries.get(name);
  }

  #find(name: string): MemoryNode {
    const node = this.#findOrNothing(name);
    if (node === undefined) throw new Failure(Errno.NOENT);
    return node;
  }

  /** Checks that something of that name can be made here. */
  #requireFree(name: string): void {
    if (this.#findOrNothing(name) !== undefined) throw new Failure(Errno.EXIST);
    if (this.#node.removed) throw new Failure(Errno.NOENT);
  }

  #add(name: string, node: MemoryNode): void {
    this.#volume.room.take(nodeCost(node) + nameCost(name), 1);
    this.#node.entries.set(ownCopy(name), node);
    touch(this.#volume, this.#node);
  }

  #forget(name: string): void {
    this.#node.entries.delete(name);
    this.#volume.room.give(nameCost(name), 0);
    touch(this.#volume, this.#node);
  }

  /** After one of its names, in this directory, was taken from a node. */
  #orphan(node: MemoryNode): void {
    node.changedNs = this.#volume.now();
    if (node.type === "directory") {
      this.#node.links -= 1;
      node.links = 0;
      node.parent = undefined;
      node.removed = true;
    } else {
      node.links -= 1;
      // Of a further name the object goes with the name, of the last one with the node.
      if (node.links > 0) this.#volume.room.give(0, 1);
    }
    releaseIfGone(this.#volume, node);
  }

  /** Whether this is `ancestor`, or lies below it. */
  #isInside(ancestor: MemoryDirectoryNode): boolean {
    for (let node: MemoryDirectoryNode | undefined = this.#open(); node !== undefined; node = node.parent) {
      if (node === ancestor) return true;
    }
    return false;
  }

  #inSameFilesystem(other: Directory): MemoryDirectory {
    if (other instanceof MemoryDirectory && other.#volume === this.#volume) return other;
    throw new Failure(Errno.XDEV);
  }
}

function linkTo({ target }: MemoryLinkNode): Link {
  return { kind: "link", target: decodeName(target) };
}

function requireReplaceable(node: MemoryNode, replaced: MemoryNode): void {
  if (replaced.type === "directory") {
    if (node.type !== "directory") throw new Failure(Errno.ISDIR);
    if (replaced.entries.size > 0) throw new Failure(Errno.NOTEMPTY);
  } else if (node.type === "directory") throw new Failure(Errno.NOTDIR);
}
