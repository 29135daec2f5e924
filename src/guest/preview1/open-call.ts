import { Errno, Failure } from "../filesystem/errno.ts";
import type { Directory, File, Link, OpenMode } from "../filesystem/filesystem.ts";
import { Trail, Walk } from "../filesystem/walk.ts";
import { allowName, type MountBudget, spendName } from "./budget.ts";
import { call, type HostCalls } from "./call.ts";
import type { DirectoryDescriptor } from "./descriptors.ts";
import { ALL_FD_FLAGS, ALL_OPEN_FLAGS, OpenFlag, SYMLINK_FOLLOW, SYNC_FLAGS } from "./flags.ts";
import type { Host } from "./host.ts";
import { requireWritable, toldPath, withinMount } from "./mounts.ts";
import { Refusal } from "./refusal.ts";
import { DIRECTORY_RIGHTS, FILE_RIGHTS, knownRights, Right } from "./rights.ts";

/** Tries to open or make a name that another program makes and removes meanwhile. */
const MAX_TRIES = 16;

/** What `path_open` is to do. */
interface Wish extends OpenMode {
  create: boolean;
  exclusive: boolean;
  directory: boolean;
  follow: boolean;
}

/** Opening files and directories. */
export function openCalls(host: Host): HostCalls {
  const { memory, descriptors, budget } = host;

  return {
    path_open: call(
      "iiiiiIIii",
      (fd, lookup, address, length, openFlags, askedRights, _askedInheriting, fdFlags, result) => {
        const base = descriptors.directory(fd, Right.PATH_OPEN);
        const path = memory.path(address, length);
        memory.check(result, 4);
        const rights = knownRights(askedRights) & base.inheriting;
        const wish = wishOf(base, lookup, openFlags, fdFlags, rights);
        const told = toldPath(base, path);
        if (wish.create || wish.truncate || wish.write) requireWritable(base.mount, told);
        descriptors.allowOne(told);

        const opened = withinMount(base, path, () => openPath(base, path, wish, told));
        const common = { mount: base.mount, path: told, inheriting: base.inheriting };
        const added =
          opened.kind === "file"
            ? descriptors.add({
                ...common,
                kind: "file",
                file: opened,
                rights: fileRights(rights, base.inheriting),
                flags: fdFlags,
                position: 0,
                reach: 0,
              })
            : descriptors.add({
                ...common,
                kind: "directory",
                directory: opened,
                trail: new Trail(opened, 0),
                rights: DIRECTORY_RIGHTS & base.inheriting,
                preopened: false,
                reader: undefined,
              });
        memory.setU32(result, added);
      },
    ),
  };

  function openPath(base: DirectoryDescriptor, path: string, wish: Wish, told: string): File | Directory {
    const walk = new Walk(base.trail, path);
    try {
      for (;;) {
        const name = walk.next();
        if (name === undefined) {
          requireDirectoryWish(wish);
          return walk.current.reopen();
        }
        const found = openName(base.mount, walk.current, name, wish, told);
        if (found.kind !== "link") return found;
        if (!wish.follow) throw new Failure(Errno.LOOP);
        walk.follow(found.target);
      }
    } finally {
      walk.close();
    }
  }

  function openName(
    mount: MountBudget,
    directory: Directory,
    name: string,
    wish: Wish,
    told: string,
  ): File | Directory | Link {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      if (!wish.exclusive) {
        const found = openExisting(directory, name, wish, told);
        if (found !== undefined) return found;
      }
      const made = createFile(mount, directory, name, wish, told);
      if (made !== undefined) return made;
    }
    throw new Failure(Errno.AGAIN);
  }

  /** The file, or undefined where the name was taken meanwhile. */
  function createFile(
    mount: MountBudget,
    directory: Directory,
    name: string,
    wish: Wish,
    told: string,
  ): File | undefined {
    allowName(budget, mount, told);
    try {
      const file = directory.create(name, wish);
      spendName(budget, mount);
      return file;
    } catch (error) {
      if (!wish.exclusive && error instanceof Failure && error.errno === Errno.EXIST) return undefined;
      throw error;
    }
  }
}

/** What is there, or undefined where nothing is and it may be made. */
function openExisting(
  directory: Directory,
  name: string,
  wish: Wish,
  told: string,
): File | Directory | Link | undefined {
  try {
    const found = wish.directory ? directory.enter(name) : directory.open(name, wish);
    if (found.kind === "special") {
      throw new Refusal(Errno.PERM, told, "only regular files and directories can be opened", null);
    }
    if (found.kind === "directory") {
      try {
        requireDirectoryWish(wish);
      } catch (error) {
        found.close();
        throw error;
      }
    }
    return found;
  } catch (error) {
    if (wish.create && error instanceof Failure && error.errno === Errno.NOENT) return undefined;
    throw error;
  }
}

/** Checks that a directory is something that the call could have meant. */
function requireDirectoryWish(wish: Wish): void {
  if (wish.exclusive) throw new Failure(Errno.EXIST);
  if (wish.create || wish.truncate || wish.write) throw new Failure(Errno.ISDIR);
}

function wishOf(
  base: DirectoryDescriptor,
  lookup: number,
  openFlags: number,
  fdFlags: number,
  rights: number,
): Wish {
  if (lookup > SYMLINK_FOLLOW || openFlags > ALL_OPEN_FLAGS || fdFlags > ALL_FD_FLAGS) {
    throw new Failure(Errno.INVAL);
  }
  if ((fdFlags & SYNC_FLAGS) !== 0) throw new Failure(Errno.NOTSUP);
  const create = (openFlags & OpenFlag.CREAT) !== 0;
  const truncate = (openFlags & OpenFlag.TRUNC) !== 0;
  const directory = (openFlags & OpenFlag.DIRECTORY) !== 0;
  if (directory && openFlags !== OpenFlag.DIRECTORY) throw new Failure(Errno.INVAL);
  if (create && (base.rights & Right.PATH_CREATE_FILE) === 0) throw new Failure(Errno.NOTCAPABLE);
  if (truncate && (base.rights & Right.PATH_FILESTAT_SET_SIZE) === 0) throw new Failure(Errno.NOTCAPABLE);
  const write = (rights & Right.FD_WRITE) !== 0;
  return {
    create,
    // Without O_CREAT the flag means nothing.
    exclusive: create && (openFlags & OpenFlag.EXCL) !== 0,
    truncate,
    directory,
    follow: lookup === SYMLINK_FOLLOW,
    write,
    // A descriptor that can neither read nor write can still be asked about the file; the system opens none for nothing.
    read: (rights & Right.FD_READ) !== 0 || !(write || truncate),
  };
}

/** A file can do all that files can, but is read and written only as asked. */
function fileRights(asked: number, inheriting: number): number {
  const mode = Right.FD_READ | Right.FD_WRITE;
  return (FILE_RIGHTS & inheriting & ~mode) | (asked & mode);
}
