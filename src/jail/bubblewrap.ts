import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { execa } from "execa";
import { findOnPath } from "../toolchain/path.ts";
import type { Bubblewrap, BubblewrapProbe } from "./jail.ts";
import { ownBubblewrap } from "./own-bubblewrap.ts";
import { checkUserNamespaces } from "./user-namespaces.ts";
import { WALLS } from "./walls.ts";

type Candidate = Omit<Bubblewrap, "version">;

const tried = new Map<string, Promise<BubblewrapProbe>>();

/**
 * Finds a bubblewrap that works here: on PATH, then the copy that `setup` unpacked. Each is tried once, with namespaces and
 * a /proc of its own, because a kernel or a container may forbid either. The outcome is kept for the life of the process.
 */
export async function findBubblewrap(options: { cacheDir: string }): Promise<BubblewrapProbe> {
  const key = `${process.env.PATH ?? ""}\0${resolve(options.cacheDir)}`;
  let probe = tried.get(key);
  if (probe === undefined) {
    probe = search(options.cacheDir);
    tried.set(key, probe);
  }
  return await probe;
}

/** Forgets what was tried: after a set-up the answer may be another. */
export function forgetBubblewrap(): void {
  tried.clear();
}

async function search(cacheDir: string): Promise<BubblewrapProbe> {
  if (process.platform !== "linux") {
    return {
      ok: false,
      reason: `bubblewrap needs Linux, and this is ${process.platform}`,
      remedy:
        'run on Linux (a virtual machine or WSL 2 will do), or accept cells without a jail with `jail: "auto"`',
    };
  }
  const own = await ownBubblewrap(cacheDir);
  const candidates: readonly Candidate[] = [
    ...(await findOnPath("bwrap")).map((path) => ({ path, origin: "PATH" as const, env: {} })),
    ...(own === undefined ? [] : [{ path: own.path, env: own.env, origin: "scriptcell" as const }]),
  ];
  const failures: string[] = [];
  for (const candidate of candidates) {
    const outcome = await tryIt(candidate);
    if (outcome.ok) return outcome;
    failures.push(`${candidate.path}: ${outcome.reason}`);
  }
  if (failures.length > 0) return { ok: false, reason: failures.join("; "), remedy: await remedy() };
  return {
    ok: false,
    reason: "bubblewrap was not found on PATH or in the cache directory",
    remedy: "run `scriptcell setup`, or install your distribution's package `bubblewrap`",
  };
}

async function tryIt(
  candidate: Candidate,
): Promise<{ ok: true; bubblewrap: Bubblewrap } | { ok: false; reason: string }> {
  const options = {
    env: candidate.env,
    extendEnv: false,
    stdin: "ignore",
    reject: false,
    timeout: 10_000,
    killSignal: "SIGKILL",
  } as const;
  const [asked, jailed] = await Promise.all([
    execa(candidate.path, ["--version"], options),
    execa(
      candidate.path,
      // The walls of every jail. Everything is shown, read-only: what is tried is the jail, not the program.
      [...WALLS, "--ro-bind", "/", "/", "--proc", "/proc", "--", "/bin/sh", "-c", "exit 42"],
      options,
    ),
  ]);
  const version = /(\d+(?:\.\d+)+)/.exec(asked.stdout)?.[1];
  if (asked.exitCode === 0 && version !== undefined && jailed.exitCode === 42)
    return { ok: true, bubblewrap: { ...candidate, version } };
  const failed = asked.exitCode === 0 ? jailed : asked;
  return {
    ok: false,
    reason: (failed.stderr || failed.shortMessage || "it does not behave like bubblewrap")
      .trim()
      .slice(0, 300),
  };
}

async function remedy(): Promise<string> {
  const namespaces = await checkUserNamespaces();
  if (!namespaces.ok) return namespaces.remedy;
  return existsSync("/.dockerenv") || existsSync("/run/.containerenv")
    ? "this is a container that forbids namespaces: run it with `--security-opt seccomp=unconfined --security-opt systempaths=unconfined`"
    : "allow this user to make user, mount and PID namespaces and to mount /proc in them";
}
