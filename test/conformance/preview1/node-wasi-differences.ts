import type { RunResult } from "../../../src/index.ts";

/** How `node:wasi` differs from the specification in one program. */
interface Difference {
  /** How the program ends, where it is not as it should: the checks after that are not reached. */
  end?: Partial<RunResult>;
  /** The titles of checks by the answer that `node:wasi` gives. */
  answers?: Readonly<Record<string, readonly string[]>>;
  /** Whether it differs, or dies, in a way that nobody can foretell. */
  unforeseeable?: boolean;
}

/** What `node:wasi` answers in place of another error in every program. */
export const OTHER_ERRORS: Readonly<Record<string, string>> = { FAULT: "OVERFLOW" };

/** All else in which `node:wasi` differs, by program. */
export const DIFFERENCES: Readonly<Record<string, Difference>> = {
  opening: {
    answers: {
      SUCCESS: [
        "paths: nothing and back",
        "paths: a file and back",
        "links: a link to a file, not followed",
        "links: a link to a directory, not followed",
        "slashes: a file by file/.",
        "slashes: a file by file/..",
        "flags: unknown lookup flags",
        "flags: unknown open flags",
        "flags: unknown descriptor flags",
        "escapes: out by ../data/file",
        "escapes: out by dir/../../data/file",
        "escapes: out by out/",
        "escapes: out by out, not followed",
        "escapes: out by absolute-inside, followed",
        "escapes: back into a directory that was opened",
        "names: a NUL inside",
        "names: only a NUL",
        "names: a path of 4096 bytes",
        "names: a path of 64 KiB",
      ],
      INVAL: ["paths: no path"],
      NOTCAPABLE: [
        "links: a link and back, to where it leads",
        "escapes: out by ..",
        "escapes: out by ../",
        "escapes: out by ../secret",
        "escapes: out by dir/../..",
        "escapes: out by dir/../../secret",
        "escapes: out by to-sub/../../../secret",
        "escapes: out by /",
        "escapes: out by /data/file",
        "escapes: out by /etc/passwd",
        "escapes: out by //etc/passwd",
        "escapes: out by out, followed",
        "escapes: out by to-secret, followed",
        "escapes: out by absolute, followed",
        "escapes: out of a directory that was opened",
        "escapes: out of a directory that was opened, by a link",
        "bases: from a file",
        "bases: from a file, by a dot",
        "bases: from standard input",
        "rights: a file with no right to read",
        "rights: a file with no right to read, at a position",
        "rights: a file with no right to write",
        "rights: a file with no rights can be looked at",
        "rights: writing what was opened for reading",
        "rights: writing at a position what was opened for reading",
        "rights: nothing written to what was opened for reading",
      ],
      NOENT: [
        "links: a link to nothing, not followed",
        "escapes: out by out/secret",
        "escapes: out by out/data/file",
        "escapes: out by absolute/passwd",
        "escapes: out by absolute/",
        "escapes: out by to-secret, not followed",
        "escapes: out by absolute, not followed",
        "escapes: out by absolute-inside, not followed",
        "names: not UTF-8",
        "names: half a surrogate",
      ],
      BADF: [
        "rights: more rights than a file has are masked",
        "rights: rights of no file are not given",
        "rights: unknown rights are not given",
      ],
    },
  },
  reading: {
    answers: {
      SUCCESS: ["facts: advice beyond every file"],
      NOTCAPABLE: [
        "facts: allocating in a file",
        "facts: syncing data",
        "directories: reading a directory",
        "directories: reading a directory at a position",
        "directories: writing a directory",
        "directories: writing a directory at a position",
        "directories: seeking in a directory",
        "directories: the position of a directory",
        "directories: allocating in a directory",
        "directories: cutting a directory",
      ],
    },
  },
  looking: {
    answers: {
      INVAL: ["facts: no path", "targets: a target by no path"],
      "4": [
        "facts: unknown lookup flags",
        "facts: a path with a NUL",
        "facts: out by absolute-inside, followed",
      ],
      NOTCAPABLE: [
        "facts: out by ..",
        "facts: out by ../secret",
        "facts: out by /",
        "facts: out by /data/file",
        "facts: out by dir/../../secret",
        "facts: out by out, followed",
        "facts: out by to-secret, followed",
        "facts: out by absolute, followed",
        "facts: facts from a file",
        "facts: facts from a stream",
        "targets: a target from a stream",
        "listing: the names in a file",
      ],
      NOENT: ["facts: out by out/secret", "facts: out by absolute/passwd"],
      NOBUFS: [
        "targets: a buffer that just fits",
        "targets: a buffer that is too small cuts",
        "targets: an empty buffer",
      ],
      "/etc": ["targets: an absolute target is not told"],
      file: ["targets: a target outside"],
      '["back", "inner", "sub"]': [
        "listing: the names in a directory",
        "small buffers: every name through 29 bytes",
        "small buffers: every name through 30 bytes",
        "small buffers: every name through 40 bytes",
        "small buffers: every name through 53 bytes",
        "small buffers: every name through 64 bytes",
        "small buffers: every name through 100 bytes",
      ],
      "255": ["listing: the type of the entry .", "listing: the type of the entry .."],
      false: [
        "listing: the inode of an entry is that of the file",
        "listing: the inode of the entry of a link is that of the link",
        "listing: the inode of a dot is that of the directory",
        "listing: a mount has a dot and two",
      ],
      "84": ["small buffers: all entries take their headers and names"],
      "83": ["small buffers: a buffer one byte short is filled"],
      "2": ["cookies: an earlier cookie after a later one"],
      "[]": ["nested: an empty directory has two names"],
    },
  },
  descriptors: {
    answers: {
      NOBUFS: ["mounts: a buffer too small for a name"],
      INVAL: ["mounts: a directory that was opened is no mount"],
      BADF: [
        "mounts: a directory that was opened has no name",
        "inherited rights: what was not passed on is masked, not refused",
        "inherited rights: what was not passed on is missing",
        "inherited rights: nor is it passed on further",
        "inherited rights: a file with the right to facts",
      ],
      NOTCAPABLE: [
        "rights: still the position, by a seek of nothing",
        "rights: no reading",
        "sockets: accepting from a file",
        "sockets: receiving from a file",
        "sockets: sending to a file",
        "sockets: accepting from a mount",
        "sockets: receiving from a mount",
        "sockets: sending to a mount",
      ],
      "0": ["flags: the flag is there", "flags: a flag from opening"],
      SUCCESS: ["flags: unknown flags", "flags: flags of a directory"],
      NOTSUP: [
        "sockets: shutting down a file",
        "sockets: shutting down a mount",
        "sockets: shutting down nothing",
      ],
    },
  },
  // Opening a FIFO to read it waits until somebody writes to it.
  "special-files": {
    end: { status: "limit-exceeded", limit: "wallTimeMs" },
    answers: {
      "6": ["a FIFO: its type is none that preview 1 has", "a FIFO: its type, followed"],
    },
  },
  polling: {
    answers: {
      "5 clock SUCCESS": ["clocks: two that are over at once"],
      PERM: [
        "descriptors: a file to read",
        "descriptors: how much there is to read",
        "descriptors: no end of it",
        "descriptors: how much there is left to read",
        "descriptors: several in their order",
        "mixed: a file before a clock",
      ],
      NOTCAPABLE: ["refusals: a directory"],
      "1 clock SUCCESS": ["refusals: an unknown clock", "refusals: unknown flags of a clock"],
      OVERFLOW: ["refusals: more than anything waits for"],
    },
  },
  // It goes on with memory that nobody has written.
  "polling-nobody": { unforeseeable: true },
  // A moment is taken for a while, so that it waits for as long as the machine has run.
  "waiting-until": {
    end: { status: "limit-exceeded", limit: "wallTimeMs" },
  },
  process: {
    answers: {
      SUCCESS: [
        "clocks: clock 2, of processor time",
        "clocks: the resolution of clock 2, of processor time",
        "clocks: clock 3, of processor time",
        "clocks: the resolution of clock 3, of processor time",
      ],
      OVERFLOW: ["randomness: none at the end of memory"],
      NOSYS: ["signals: raising none is not supported"],
    },
  },
  "std-reading": {
    answers: {
      NOTCAPABLE: ["errors: /data/../secret", "errors: /data/to-secret"],
      NOENT: ["errors: /data/out/secret", "errors: /data/absolute/passwd"],
      ROFS: [
        "errors: a new file",
        "errors: a new directory",
        "errors: a file removed",
        "errors: a file renamed",
      ],
    },
  },
  // The first FAULT is another error, and the program checks no further.
  "empty-memory": {
    end: { status: "failed", exitCode: 100 },
  },
};
