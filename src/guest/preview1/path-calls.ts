import { Errno, Failure } from "../filesystem/errno.ts";
import type { Directory, NodeStat } from "../filesystem/filesystem.ts";
import { placeOf, Walk } from "../filesystem/walk.ts";
import { allowBytes, allowName, spendBytes, spendName } from "./budget.ts";
import { call, type HostCalls } from "./call.ts";
import type { DirectoryDescriptor } from "./descriptors.ts";
import { SYMLINK_FOLLOW } from "./flags.ts";
import type { Host } from "./host.ts";
import { requireWritable, toldPath, withinMount } from "./mounts.ts";
import { Refusal } from "./refusal.ts";
import { Right } from "./rights.ts";
import { FILESTAT_BYTES, writeStat } from "./stat.ts";
import { timeChanges } from "./times.ts";

/** A name in a directory, whatever it stands for. */
interface Spot {
  directory: Directory;
  /** Undefined where the path ends in `.` or `..`. */
  name: string | undefined;
  /** Whether the path ends in a slash, and so means a directory. */
  slash: boolean;
}

/** What is done by path, except opening. */
export function pathCalls(host: Host): HostCalls {
  const { memory, descriptors, budget } = host;

  return {
    path_create_directory: call("iii", (fd, address, length) => {
      const base = descriptors.directory(fd, Right.PATH_CREATE_DIRECTORY);
      const path = memory.path(address, length);
      requireWritable(base.mount, toldPath(base, path));
      atSpot(base, path, ({ directory, name }) => {
        if (name === undefined) throw new Failure(Errno.EXIST);
        allowName(budget, base.mount, toldPath(base, path));
        directory.mkdir(name);
        spendName(budget, base.mount);
      });
    }),

    path_remove_directory: call("iii", (fd, address, length) => {
      const base = descriptors.directory(fd, Right.PATH_REMOVE_DIRECTORY);
      const path = memory.path(address, length);
      requireWritable(base.mount, toldPath(base, path));
      atSpot(base, path, ({ directory, name }) => {
        if (name === undefined) throw new Failure(Errno.INVAL);
        directory.rmdir(name);
      });
    }),

    path_unlink_file: call("iii", (fd, address, length) => {
      const base = descriptors.directory(fd, Right.PATH_UNLINK_FILE);
      const path = memory.path(address, length);
      requireWritable(base.mount, toldPath(base, path));
      atSpot(base, path, ({ directory, name, slash }) => {
        if (name === undefined) throw new Failure(Errno.ISDIR);
        if (slash && directory.statAt(name).type !== "directory") throw new Failure(Errno.NOTDIR);
        directory.unlink(name);
      });
    }),

    path_rename: call("iiiiii", (fromFd, fromAddress, fromLength, toFd, toAddress, toLength) => {
      const from = descriptors.directory(fromFd, Right.PATH_RENAME_SOURCE);
      const to = descriptors.directory(toFd, Right.PATH_RENAME_TARGET);
      const fromPath = memory.path(fromAddress, fromLength);
      const toPath = memory.path(toAddress, toLength);
      requireSameMount(from, fromPath, to, toPath);
      atSpot(from, fromPath, (source) =>
        atSpot(to, toPath, (target) => {
          if (source.name === undefined || target.name === undefined) throw new Failure(Errno.BUSY);
          if ((source.slash || target.slash) && source.directory.statAt(source.name).type !== "directory") {
            throw new Failure(Errno.NOTDIR);
          }
          source.directory.rename(source.name, target.directory, target.name);
        }),
      );
    }),

    path_link: call("iiiiiii", (fromFd, flags, fromAddress, fromLength, toFd, toAddress, toLength) => {
      const from = descriptors.directory(fromFd, Right.PATH_LINK_SOURCE);
      const to = descriptors.directory(toFd, Right.PATH_LINK_TARGET);
      const fromPath = memory.path(fromAddress, fromLength);
      const toPath = memory.path(toAddress, toLength);
      requireSameMount(from, fromPath, to, toPath);
      // A link to what a symbolic link stands for cannot be asked of the system without a race; Wasmtime refuses it as well.
      if (flags !== 0) throw new Failure(Errno.INVAL);
      atSpot(from, fromPath, (source) =>
        atSpot(to, toPath, (target) => {
          if (source.name === undefined) throw new Failure(Errno.PERM);
          if (source.slash && source.directory.statAt(source.name).type !== "directory") {
            throw new Failure(Errno.NOTDIR);
          }
          const name = newName(target);
          allowName(budget, to.mount, toldPath(to, toPath));
          source.directory.link(source.name, target.directory, name);
          spendName(budget, to.mount);
        }),
      );
    }),

    path_symlink: call("iiiii", (targetAddress, targetLength, fd, address, length) => {
      const base = descriptors.directory(fd, Right.PATH_SYMLINK);
      const target = memory.path(targetAddress, targetLength);
      const path = memory.path(address, length);
      const told = toldPath(base, path);
      requireWritable(base.mount, told);
      if (target === "") throw new Failure(Errno.NOENT);
      if (target.startsWith("/")) {
        throw new Refusal(
          Errno.PERM,
          told,
          "a symbolic link to an absolute path would lead out of the mount",
          null,
        );
      }
      atSpot(base, path, (spot) => {
        const name = newName(spot);
        allowName(budget, base.mount, told);
        if (allowBytes(budget, base.mount, targetLength, told) < targetLength) throw new Failure(Errno.NOSPC);
        spot.directory.symlink(target, name);
        spendName(budget, base.mount);
        spendBytes(budget, base.mount, targetLength);
      });
    }),

    path_readlink: call("iiiiii", (fd, address, length, buffer, bufferLength, result) => {
      const base = descriptors.directory(fd, Right.PATH_READLINK);
      const path = memory.path(address, length);
      memory.check(result, 4);
      memory.check(buffer, bufferLength);
      const target = atObject(base, path, false, (directory, name) => {
        if (name === undefined) throw new Failure(Errno.INVAL);
        return directory.readlink(name);
      });
      if (target.startsWith("/")) {
        throw new Refusal(Errno.PERM, toldPath(base, path), "the symbolic link is to an absolute path", null);
      }
      const bytes = new TextEncoder().encode(target).subarray(0, bufferLength);
      memory.set(buffer, bytes);
      memory.setU32(result, bytes.length);
    }),

    path_filestat_get: call("iiiii", (fd, flags, address, length, result) => {
      const base = descriptors.directory(fd, Right.PATH_FILESTAT_GET);
      const path = memory.path(address, length);
      memory.check(result, FILESTAT_BYTES);
      const stat = atObject(base, path, follows(flags), (directory, name, known) =>
        name === undefined ? directory.stat() : (known ?? directory.statAt(name)),
      );
      writeStat(memory, result, stat);
    }),

    path_filestat_set_times: call("iiiiIIi", (fd, lookup, address, length, accessedNs, modifiedNs, flags) => {
      const base = descriptors.directory(fd, Right.PATH_FILESTAT_SET_TIMES);
      const path = memory.path(address, length);
      const { accessed, modified } = timeChanges(accessedNs, modifiedNs, flags);
      requireWritable(base.mount, toldPath(base, path));
      atObject(base, path, follows(lookup), (directory, name) => {
        if (name === undefined) directory.setTimes(accessed, modified);
        else directory.setTimesAt(name, accessed, modified);
      });
    }),
  };

  /** Both ends of a link or rename lie in one mount, as `rename` has it between mounted filesystems, and may be changed. */
  function requireSameMount(
    from: DirectoryDescriptor,
    fromPath: string,
    to: DirectoryDescriptor,
    toPath: string,
  ): void {
    requireWritable(from.mount, toldPath(from, fromPath));
    requireWritable(to.mount, toldPath(to, toPath));
    if (from.mount !== to.mount) throw new Failure(Errno.XDEV);
  }
}

/** Does something to a name: to a symbolic link itself, and to what need not exist. */
function atSpot<Result>(base: DirectoryDescriptor, path: string, body: (spot: Spot) => Result): Result {
  return withinMount(base, path, () => {
    const { parent, name, slash } = placeOf(path);
    // One more component, so that the walk takes the whole parent for a directory and ends inside it.
    const walk = new Walk(base.trail, `${parent}/`);
    try {
      walk.next();
      return body({ directory: walk.current, name, slash });
    } finally {
      walk.close();
    }
  });
}

/** Does something to what a path stands for. A name is never that of a symbolic link that is to be followed. */
function atObject<Result>(
  base: DirectoryDescriptor,
  path: string,
  follow: boolean,
  body: (directory: Directory, name: string | undefined, stat: NodeStat | undefined) => Result,
): Result {
  return withinMount(base, path, () => {
    const walk = new Walk(base.trail, path);
    try {
      for (;;) {
        const name = walk.next();
        const stat = follow && name !== undefined ? walk.current.statAt(name) : undefined;
        if (name === undefined || stat?.type !== "symlink") return body(walk.current, name, stat);
        walk.follow(walk.current.readlink(name));
      }
    } finally {
      walk.close();
    }
  });
}

/** The name of something new; with a slash only a directory that exists could be meant. */
function newName({ directory, name, slash }: Spot): string {
  if (name === undefined) throw new Failure(Errno.EXIST);
  if (!slash) return name;
  throw new Failure(directory.statAt(name).type === "directory" ? Errno.EXIST : Errno.NOTDIR);
}

function follows(lookup: number): boolean {
  if (lookup > SYMLINK_FOLLOW) throw new Failure(Errno.INVAL);
  return lookup === SYMLINK_FOLLOW;
}
