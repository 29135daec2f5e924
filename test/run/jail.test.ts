import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import { findBubblewrap } from "../../src/jail/bubblewrap.ts";
import { sharedLibrariesOf } from "../../src/jail/libraries.ts";
import { MiB } from "../../src/limits.ts";
import { type CellConfinement, cellCommand } from "../../src/run/jail.ts";
import type { WireMount } from "../../src/run/protocol.ts";
import { defaultCacheDir } from "../../src/toolchain/cache-dir.ts";
import { scratchDirectory } from "../support/executors.ts";

const root = scratchDirectory();
const mountOf = (name: string, access: WireMount["access"]): WireMount => {
  const source = join(root, name);
  mkdirSync(source);
  writeFileSync(join(source, "file.txt"), name);
  return { source, guest: `/${name}`, access, maxBytes: null };
};
const mounts = [mountOf("readable", "read"), mountOf("writable", "read-write")];
writeFileSync(join(root, "secret.txt"), "secret");

let confinement: CellConfinement;
beforeAll(async () => {
  const probe = await findBubblewrap({ cacheDir: defaultCacheDir() });
  if (!probe.ok) throw new Error(`${probe.reason}: ${probe.remedy}`);
  confinement = {
    bubblewrap: probe.bubblewrap,
    nodeLibraries: await sharedLibrariesOf(process.execPath),
    prlimit: "/usr/bin/prlimit",
    setpriv: "/usr/bin/setpriv",
  };
});

/** Runs JavaScript in the place of a cell's own code: the guest has taken over its whole process. */
async function takeOver(code: string, bubblewrap = confinement.bubblewrap): Promise<Record<string, unknown>> {
  const { command } = cellCommand({ ...confinement, bubblewrap }, 1 * MiB, mounts);
  const args = [
    ...command.args.slice(0, -1),
    "--eval",
    `console.log(JSON.stringify((() => {${PRELUDE}${code}})()))`,
  ];
  const { stdout } = await execa(command.file, args, { env: command.env, extendEnv: false, cwd: "/" });
  return JSON.parse(stdout) as Record<string, unknown>;
}

const PRELUDE = `
  const fs = require("node:fs"), os = require("node:os"), cp = require("node:child_process");
  const attempt = (call) => { try { return call() ?? "done"; } catch (error) { return error.code ?? error.message; } };
`;

describe("a cell that was taken over, in its jail", () => {
  test("sees no file of the host's but Node, its libraries, its own code and the run's mounts", async () => {
    const files = [process.execPath, ...confinement.nodeLibraries];
    const shown = files.map((path) => path.split("/")[1] ?? "");
    // This project may lie below one of them, and Node in it: the way there is then empty but for Node.
    const hidden = [
      "/etc/passwd",
      "/etc/hostname",
      "/root",
      "/home",
      "/tmp",
      "/var",
      join(root, "secret.txt"),
    ].filter((path) => !files.some((file) => file.startsWith(`${path}/`)));
    const seen = await takeOver(`
      return {
        root: fs.readdirSync("/"),
        cell: fs.readdirSync("/cell", { recursive: true }).filter((path) => !path.startsWith("src/guest/")),
        mounts: fs.readdirSync("/mounts", { recursive: true }),
        secrets: ${JSON.stringify(hidden)}
          .filter((path) => fs.existsSync(path)),
      };`);
    const roots = new Set(["cell", "mounts", "proc", ...shown]);
    // bubblewrap makes /tmp or /dev for nobody: whatever else stands there has to be on the way to what is shown.
    for (const name of seen.root as string[]) expect([...roots]).toContain(name);
    expect((seen.cell as string[]).sort()).toEqual([
      "package.json",
      "src",
      "src/guest",
      "src/run",
      "src/run/artifact-pattern.js",
      "src/run/framing.js",
      "src/run/protocol.js",
      "src/wasm",
      "src/wasm/reserved.js",
    ]);
    expect((seen.mounts as string[]).sort()).toEqual(["0", "0/file.txt", "1", "1/file.txt"]);
    expect(seen.secrets).toEqual([]);
  });

  test("sees of the directories above what it is shown no other file", async () => {
    const beside = [dirname(process.execPath), ...confinement.nodeLibraries.map((path) => dirname(path))];
    const shown = new Set([process.execPath, ...confinement.nodeLibraries]);
    const seen = await takeOver(
      `return ${JSON.stringify([...new Set(beside)])}.flatMap((folder) =>
         fs.readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => folder + "/" + entry.name));`,
    );
    for (const path of seen as unknown as string[]) expect([...shown]).toContain(path);
  });

  test("has no variable but the one that Node's libraries need", async () => {
    const seen = await takeOver("return process.env;");
    expect(Object.keys(seen).filter((name) => name !== "PWD")).toEqual(["LD_LIBRARY_PATH"]);
  });

  test("can write to a mount that was granted for writing, and nowhere else", async () => {
    const seen = await takeOver(`
      const write = (path) => attempt(() => fs.writeFileSync(path, "x"));
      return {
        granted: write("/mounts/1/new.txt"),
        others: ["/x", "/cell/x", "/cell/src/x", "/cell/src/guest/main.ts", "/cell/package.json", "/mounts/x",
          "/mounts/0/x", "/mounts/0/file.txt", "/proc/x", process.execPath].map(write),
      };`);
    expect(seen.granted).toBe("done");
    for (const code of seen.others as string[])
      expect(["EROFS", "EACCES", "ENOENT", "EPERM", "ETXTBSY"]).toContain(code);
    expect(readFileSync(join(root, "writable", "new.txt"), "utf8")).toBe("x");
    expect(readFileSync(join(root, "readable", "file.txt"), "utf8")).toBe("readable");
  });

  test("cannot change, nor read, what the kernel shows of itself, though root started it", async () => {
    const seen = await takeOver(`
      const flags = fs.constants;
      const walk = (folder) => fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const path = folder + "/" + entry.name;
        if (/^(\\d+|self|thread-self|net|mounts)$/.test(entry.name)) return [];
        return entry.isDirectory() ? walk(path) : [path];
      });
      const opens = (path, mode) => { try { fs.closeSync(fs.openSync(path, mode)); return true; } catch { return false; } };
      const files = walk("/proc");
      // Opened, not written: what this finds would be the kernel's of this very machine.
      return { count: files.length, writable: files.filter((path) => opens(path, flags.O_WRONLY | flags.O_NONBLOCK)),
        core: opens("/proc/sys/kernel/core_pattern", flags.O_RDONLY), memory: opens("/proc/kcore", flags.O_RDONLY) };`);
    expect(seen.count).toBeGreaterThan(5);
    expect(seen).toMatchObject({ writable: [], core: false, memory: false });
  });

  test("is alone: no network, no other process, no name of the host's", async () => {
    const seen = await takeOver(`
      return {
        networks: Object.keys(os.networkInterfaces()).filter((name) => name !== "lo"),
        processes: fs.readdirSync("/proc").filter((name) => /^\\d+$/.test(name)),
        parent: process.ppid,
        hostname: os.hostname(),
        routes: attempt(() => fs.readFileSync("/proc/net/route", "utf8").trim().split("\\n").length - 1),
      };`);
    expect(seen).toEqual({ networks: [], processes: ["1"], parent: 0, hostname: "cell", routes: 0 });
    expect(seen.hostname).not.toBe(hostname());
  });

  test("has no privilege, and can gain none", async () => {
    const seen = await takeOver(`
      const status = Object.fromEntries(fs.readFileSync("/proc/self/status", "utf8").split("\\n").map((line) => line.split(":\\t")));
      return { uid: process.getuid(), gid: process.getgid(), effective: status.CapEff, bounding: status.CapBnd,
        noNewPrivileges: status.NoNewPrivs, refusedRoot: attempt(() => process.setuid(0)) !== "done" };`);
    expect(seen).toEqual({
      uid: 65534,
      gid: 65534,
      effective: "0000000000000000",
      bounding: "0000000000000000",
      noNewPrivileges: "1",
      refusedRoot: true,
    });
  });

  test("finds no program to start but Node", async () => {
    const seen = await takeOver(`
      return ["/bin/sh", "sh", "/usr/bin/env", "bwrap", ${JSON.stringify(confinement.bubblewrap?.path)}]
        .map((file) => cp.spawnSync(file, ["--version"]).error?.code ?? "started");`);
    for (const code of seen as unknown as string[]) expect(["ENOENT", "EACCES"]).toContain(code);
  });
});

describe("the limits of a cell's process", () => {
  const LIMITS = `return Object.fromEntries(fs.readFileSync("/proc/self/limits", "utf8").split("\\n")
    .map((line) => line.split(/ {2,}/)).map(([name, soft, hard]) => [name, soft + " " + hard]));`;

  test("hold in a jail and without one: no core dump, a bounded number of open files, a bounded stack", async () => {
    for (const bubblewrap of [confinement.bubblewrap, null]) {
      expect(await takeOver(LIMITS, bubblewrap)).toMatchObject({
        "Max core file size": "0 0",
        "Max open files": "16384 16384",
        "Max stack size": `${9 * MiB} ${9 * MiB}`,
      });
    }
  });
});

describe("the command of a cell", () => {
  const none: CellConfinement = {
    bubblewrap: null,
    nodeLibraries: [],
    prlimit: undefined,
    setpriv: undefined,
  };

  test("without a jail shows the mounts where they are, and passes nothing of the environment on", () => {
    const { command, mounts: bound } = cellCommand(none, 2 * MiB, mounts);
    expect(bound).toEqual(mounts);
    expect(command.file).toBe(process.execPath);
    expect(command.args).toContain("--stack-size=2048");
    expect(command.env).toEqual({});
  });

  test("without a jail ties the cell's life to the host's where the system has the means", () => {
    const { command } = cellCommand({ ...none, setpriv: "/usr/bin/setpriv" }, 1 * MiB, []);
    expect([command.file, ...command.args.slice(0, 4)]).toEqual([
      "/usr/bin/setpriv",
      "--pdeathsig",
      "KILL",
      "--",
      process.execPath,
    ]);
  });

  test("in a jail numbers the mounts: their names on the host are not told", () => {
    const { command, mounts: bound } = cellCommand(confinement, 1 * MiB, mounts);
    expect(bound.map(({ source, guest }) => [source, guest])).toEqual([
      ["/mounts/0", "/readable"],
      ["/mounts/1", "/writable"],
    ]);
    expect(bound.map(({ fixed }) => fixed)).toEqual([true, true]);
    const args = command.args.join(" ");
    expect(args).toContain(`--ro-bind ${root}/readable /mounts/0`);
    expect(args).toContain(`--bind ${root}/writable /mounts/1`);
  });
});
