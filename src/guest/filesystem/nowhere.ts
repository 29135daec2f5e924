import { Errno, Escape } from "./errno.ts";
import type { Directory } from "./filesystem.ts";

/**
 * The directory that holds nothing and grants nothing. It stands at `/`, so that a path below no mount reaches the host, is
 * refused there and can be told; without it the program's own library would answer, and nobody would hear of the attempt.
 * It gives the library's answer, that nothing is there: a program that looks for a file it can do without goes on.
 */
export function nowhere(): Directory {
  const refuse = (): never => {
    throw new Escape("nothing is mounted there", Errno.NOENT);
  };
  return {
    kind: "directory",
    stat: refuse,
    setTimes: refuse,
    reopen: refuse,
    enter: refuse,
    open: refuse,
    create: refuse,
    statAt: refuse,
    setTimesAt: refuse,
    readlink: refuse,
    list: refuse,
    mkdir: refuse,
    rmdir: refuse,
    unlink: refuse,
    symlink: refuse,
    link: refuse,
    rename: refuse,
    close: () => {},
  };
}
