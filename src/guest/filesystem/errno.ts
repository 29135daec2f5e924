/** Error numbers as `wasi_snapshot_preview1` counts them. */
export const Errno = {
  SUCCESS: 0,
  ACCES: 2,
  AGAIN: 6,
  BADF: 8,
  BUSY: 10,
  DQUOT: 19,
  EXIST: 20,
  FAULT: 21,
  FBIG: 22,
  ILSEQ: 25,
  INTR: 27,
  INVAL: 28,
  IO: 29,
  ISDIR: 31,
  LOOP: 32,
  MFILE: 33,
  MLINK: 34,
  NAMETOOLONG: 37,
  NFILE: 41,
  NODEV: 43,
  NOENT: 44,
  NOMEM: 48,
  NOSPC: 51,
  NOSYS: 52,
  NOTDIR: 54,
  NOTEMPTY: 55,
  NOTSOCK: 57,
  NOTSUP: 58,
  NXIO: 60,
  OVERFLOW: 61,
  PERM: 63,
  PIPE: 64,
  ROFS: 69,
  SPIPE: 70,
  STALE: 72,
  TXTBSY: 74,
  XDEV: 75,
  NOTCAPABLE: 76,
} as const;

/**
 * A call that fails with an error number: an ordinary answer to a guest, thrown so that it ends the work wherever it arises.
 * Not an `Error` on purpose: a guest can make a million of them, and each would capture a stack trace.
 */
export class Failure {
  readonly errno: number;
  constructor(errno: number) {
    this.errno = errno;
  }
}

/** A path that would leave the directory it starts at. */
export class Escape extends Failure {
  /** How it would, as the second half of a sentence about the path. */
  readonly reason: string;
  constructor(reason: string, errno: number = Errno.PERM) {
    super(errno);
    this.reason = reason;
  }
}

const bySystemCode: Readonly<Record<string, number>> = {
  EACCES: Errno.ACCES,
  EAGAIN: Errno.AGAIN,
  EBADF: Errno.BADF,
  EBUSY: Errno.BUSY,
  EDQUOT: Errno.DQUOT,
  EEXIST: Errno.EXIST,
  EFAULT: Errno.FAULT,
  EFBIG: Errno.FBIG,
  EILSEQ: Errno.ILSEQ,
  EINTR: Errno.INTR,
  EINVAL: Errno.INVAL,
  EIO: Errno.IO,
  EISDIR: Errno.ISDIR,
  ELOOP: Errno.LOOP,
  EMFILE: Errno.MFILE,
  EMLINK: Errno.MLINK,
  ENAMETOOLONG: Errno.NAMETOOLONG,
  ENFILE: Errno.NFILE,
  ENODEV: Errno.NODEV,
  ENOENT: Errno.NOENT,
  ENOMEM: Errno.NOMEM,
  ENOSPC: Errno.NOSPC,
  ENOSYS: Errno.NOSYS,
  ENOTDIR: Errno.NOTDIR,
  ENOTEMPTY: Errno.NOTEMPTY,
  ENOTSUP: Errno.NOTSUP,
  ENXIO: Errno.NXIO,
  EOPNOTSUPP: Errno.NOTSUP,
  EOVERFLOW: Errno.OVERFLOW,
  EPERM: Errno.PERM,
  EPIPE: Errno.PIPE,
  EROFS: Errno.ROFS,
  ESPIPE: Errno.SPIPE,
  ESTALE: Errno.STALE,
  ETXTBSY: Errno.TXTBSY,
  EXDEV: Errno.XDEV,
};

/** Does one system call; what the system refuses becomes a {@link Failure}, and anything else stays what it is. */
export function attempt<Result>(systemCall: () => Result): Result {
  try {
    return systemCall();
  } catch (error) {
    throw failureOf(error);
  }
}

/** What to throw for what a system call threw: for the calls whose number matters, which do without a closure. */
export function failureOf(error: unknown): unknown {
  return error instanceof Error && "syscall" in error && "code" in error
    ? new Failure(bySystemCode[String(error.code)] ?? Errno.IO)
    : error;
}
