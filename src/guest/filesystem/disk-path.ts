/**
 * The paths by which the kernel finds what this process has open, and what lies in it: of one component behind a directory
 * that is open already. A process that has no other use for its working directory finds names shorter still: by themselves,
 * in the directory that it works in. That halves what looking at a name costs.
 */
const DESCRIPTORS = "/proc/self/fd";

/** Looks into the same directory, one after the other, from which on the process works in it: going there costs two of them. */
const LOOKS = 3;

/** Where the descriptors are. */
let descriptors = DESCRIPTORS;
/** Whether the working directory is ours to change. */
let moves = false;
/** The descriptor of the directory that is the working directory. */
let workplace: number | undefined;
/** The descriptor that was looked into last, and how often. */
let last: number | undefined;
let looks = 0;

/** The path of what is open as `fd`, for as long as it is. */
export function descriptorPath(fd: number): string {
  return `${descriptors}/${fd}`;
}

/** The path of a plain name in the directory that is open as `fd`: until `lookInto` or `leave` is called, and not to be kept. */
export function pathIn(fd: number, name: string): string {
  return fd === workplace ? name : `${descriptorPath(fd)}/${name}`;
}

/** Says that the next paths are of names in the directory open as `fd`; where that goes on, the process comes to work there. */
export function lookInto(fd: number): void {
  looks = fd === last ? looks + 1 : 1;
  last = fd;
  if (!moves || fd === workplace || looks < LOOKS) return;
  looks = 0;
  try {
    process.chdir(descriptorPath(fd));
  } catch {
    // It may not be searched. The process stays where it is, and what is looked for is refused for the same reason.
    return;
  }
  workplace = fd;
}

/** To be called before a directory is closed: its descriptor may be another's next. */
export function leave(fd: number): void {
  if (fd === last) last = undefined;
  if (fd !== workplace) return;
  process.chdir(descriptors);
  workplace = undefined;
}

/** Gives the working directory up to the work on files: for a process that has no other use for one. */
export function workWhereGuestsDo(): void {
  try {
    process.chdir(DESCRIPTORS);
  } catch {
    // No /proc, or another's: mounts cannot be had here, and say so when they are opened.
    return;
  }
  // Without the links in it.
  descriptors = process.cwd();
  moves = true;
}
