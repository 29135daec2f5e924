import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { hideKernelProc } from "../../src/run/kernel-proc.ts";

test("what is the kernel's in /proc is hidden from a jail of root's, and nothing of a process's", () => {
  const args = hideKernelProc();
  if (process.getuid?.() !== 0) expect(args).toEqual([]);
  else {
    expect(args.join(" ")).toContain("--tmpfs /proc/sys --remount-ro /proc/sys");
    expect(args.join(" ")).toContain("--ro-bind /dev/null /proc/");
    expect(args.filter((arg) => /^\/proc\/(?:\d|self)/.test(arg))).toEqual([]);
  }
});

test("processes that end while /proc is looked through disturb nobody", async () => {
  // Starts and ends processes without a pause.
  const churn = spawn("sh", ["-c", "while :; do (:) & (:) & wait; done"], { stdio: "ignore" });
  try {
    await once(churn, "spawn");
    const first = hideKernelProc();
    for (let look = 0; look < 2_000; look += 1) expect(hideKernelProc()).toEqual(first);
  } finally {
    churn.kill("SIGKILL");
  }
});
