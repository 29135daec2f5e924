import { readdirSync, readFileSync } from "node:fs";
import { vi } from "vitest";

/** Every process below this one: its children, their children, and so on. Linux only, as mounts and jails are. */
export function descendants(pid: number = process.pid): number[] {
  const children = childrenOf(pid);
  return [...children, ...children.flatMap((child) => descendants(child))];
}

/** Whether a process still runs. One that only waits to be buried does not. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2)[0] !== "Z";
  } catch {
    return false;
  }
}

/** The most bytes that a process has had in memory at a time; 0 of one that has ended. */
export function memoryHighWaterMark(pid: number): number {
  try {
    const [, kibibytes = 0] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kibibytes) * 1024;
  } catch {
    return 0;
  }
}

/** Waits until none of these processes runs; fails where one goes on. */
export async function allGone(pids: readonly number[]): Promise<void> {
  await vi.waitFor(
    () => {
      const left = pids.filter(isRunning);
      if (left.length > 0) throw new Error(`still running: ${left.join(", ")}`);
    },
    { timeout: 20_000, interval: 20 },
  );
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "utf8")
        .split(" ")
        .filter((text) => text !== "")
        .map(Number),
    );
  } catch {
    // It ended while it was looked at.
    return [];
  }
}
