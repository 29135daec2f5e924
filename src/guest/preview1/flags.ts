/** Flags of a descriptor (`fdflags`). */
export const FdFlag = { APPEND: 1, DSYNC: 2, NONBLOCK: 4, RSYNC: 8, SYNC: 16 } as const;

export const ALL_FD_FLAGS = FdFlag.APPEND | FdFlag.DSYNC | FdFlag.NONBLOCK | FdFlag.RSYNC | FdFlag.SYNC;

/** The flags that say when a write returns. They are not supported, as in Wasmtime: `fd_sync` does the same when it is asked to. */
export const SYNC_FLAGS = FdFlag.DSYNC | FdFlag.RSYNC | FdFlag.SYNC;

/** Flags of `path_open` (`oflags`). */
export const OpenFlag = { CREAT: 1, DIRECTORY: 2, EXCL: 4, TRUNC: 8 } as const;

export const ALL_OPEN_FLAGS = OpenFlag.CREAT | OpenFlag.DIRECTORY | OpenFlag.EXCL | OpenFlag.TRUNC;

/** The one lookup flag: a symbolic link at the end of a path is followed. */
export const SYMLINK_FOLLOW = 1;
