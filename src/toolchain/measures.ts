import { findOnPath } from "./path.ts";

/** One thing that stands between a stranger's script and this machine. */
export interface Measure {
  /** Whom it confines: rustc at work on a script, or the cell that a guest runs in. */
  confines: "compiler" | "cell";
  what: "files" | "network" | "environment" | "writing" | "memory" | "time" | "processes";
  /** Whether the operating system, or the engine, enforces it. */
  inForce: boolean;
  /** How it is enforced; where it is not, what there is instead. */
  how: string;
}

/** What the machine has for it. */
export interface Means {
  jailed: boolean;
  prlimit: boolean;
  setpriv: boolean;
}

/** Whether the program that ties a process's life to its parent's is there. */
export async function hasSetpriv(): Promise<boolean> {
  return (await findOnPath("setpriv"))[0] !== undefined;
}

/** All measures, with what holds here and now. */
export function measuresInForce(means: Means): Measure[] {
  return [...compilerMeasures(means), ...cellMeasures(means)];
}

function measureOf(confines: Measure["confines"]) {
  return (what: Measure["what"], inForce: boolean, how: string): Measure => ({
    confines,
    what,
    inForce,
    how,
  });
}

function compilerMeasures({ jailed, prlimit, setpriv }: Means): Measure[] {
  const of = measureOf("compiler");
  return [
    jailed
      ? of("files", true, "sees the toolchain and the script, and nothing else")
      : of("files", false, "scripts that could read others are refused, and what it read is checked"),
    jailed
      ? of("network", true, "has none")
      : of("network", false, "is not taken away; rustc and its linker use none"),
    of("environment", true, "is empty but for what the toolchain needs"),
    jailed
      ? of("writing", true, "to a scratch directory and to the two results; each file is bounded")
      : of("writing", prlimit, "below one temporary directory; each file is bounded"),
    prlimit
      ? of("memory", true, "address space of every process, by prlimit")
      : of("memory", false, "nothing bounds it, so nothing is compiled"),
    of("time", true, prlimit ? "a deadline for all its processes, and processor time" : "a deadline"),
    jailed
      ? of("processes", true, "see none but their own, and end with scriptcell, however that ends")
      : of(
          "processes",
          setpriv,
          setpriv
            ? "end with scriptcell, however that ends"
            : "end at their deadline where scriptcell is killed",
        ),
  ];
}

function cellMeasures({ jailed, setpriv }: Means): Measure[] {
  const of = measureOf("cell");
  const host = "the preview 1 host alone stands between a guest and";
  return [
    jailed
      ? of("files", true, "sees Node, scriptcell's code for cells and the mounts, and nothing else")
      : of("files", false, `${host} them`),
    jailed ? of("network", true, "has none") : of("network", false, "guests have no call that reaches it"),
    of("environment", true, "is empty but for what Node needs"),
    of("memory", true, "a cap that is part of every module"),
    of("time", true, "fuel in every module, and a deadline that kills the cell"),
    jailed
      ? of("processes", true, "none but its own; it ends with scriptcell, however that ends")
      : of(
          "processes",
          setpriv,
          setpriv
            ? "end with scriptcell, however that ends"
            : "a guest that spins may outlive a killed scriptcell",
        ),
  ];
}
