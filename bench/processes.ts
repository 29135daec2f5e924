import { readdirSync, readFileSync } from "node:fs";

/** Memory of a process in bytes, as Linux counts it. */
export interface Memory {
  /** Resident set: everything mapped and present, shared pages in full. */
  rss: number;
  /** Proportional set: shared pages divided among those who share them. */
  pss: number;
  /** Pages that nobody else has: what would be free if it ended. */
  own: number;
}

/** All processes that this one started, and those started by them. */
export function descendants(): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = parentOf(entry);
    if (parent !== undefined) parents.set(Number(entry), parent);
  }
  const isOurs = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === process.pid || isOurs(parents.get(pid)));
  return [...parents.keys()].filter((pid) => pid !== process.pid && isOurs(pid));
}

/** Executable of a process; undefined where it has ended. */
export function commandOf(pid: number): string | undefined {
  return read(`/proc/${pid}/comm`)?.trim();
}

/** Memory of a process; undefined where it has ended. */
export function memoryOf(pid: number): Memory | undefined {
  const rollup = read(`/proc/${pid}/smaps_rollup`);
  if (rollup === undefined) return undefined;
  const bytes = (field: string): number => {
    const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(rollup)?.[1];
    if (kib === undefined) throw new Error(`/proc/${pid}/smaps_rollup has no ${field}`);
    return Number(kib) * 1024;
  };
  return { rss: bytes("Rss"), pss: bytes("Pss"), own: bytes("Private_Clean") + bytes("Private_Dirty") };
}

/** Processor time of a process in milliseconds, in user and kernel mode together; undefined where it has ended. */
export function processorMs(pid: number): number | undefined {
  const fields = statOf(String(pid));
  const ticksPerSecond = 100;
  return fields && ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond;
}

function parentOf(pid: string): number | undefined {
  const fields = statOf(pid);
  return fields && Number(fields[1]);
}

/** The fields of /proc/PID/stat from the third on: the second may itself hold spaces and brackets. */
function statOf(pid: string): string[] | undefined {
  const stat = read(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
