import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa, execaNode } from "execa";
import { expect, test } from "vitest";
import { openStore } from "../../src/store/tiered.ts";
import { moduleBytes } from "./children/modules.ts";
import { deferred, noWarning, ownDirectory, repeatableNumbers, sampleKey, sampleModule } from "./samples.ts";

const child = (name: string) => fileURLToPath(new URL(`./children/${name}.ts`, import.meta.url));

test("processes that compile the same scripts at once compile each one once", async () => {
  const directory = await ownDirectory();
  const log = join(directory, "compiled");
  await writeFile(log, "");
  const store = join(directory, "store");
  const run = async () =>
    JSON.parse((await execaNode(child("compile-all"), [store, "50", log])).stdout) as string[];
  const origins = (await Promise.all([run(), run(), run()])).flat();
  const compiled = (await readFile(log, "utf8")).trim().split("\n").map(Number);
  expect(compiled.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, n) => n));
  expect(origins.filter((from) => from === "rustc").length).toBe(50);
  expect(origins.filter((from) => from === "disk").length).toBe(100);
  expect(await readdir(join(store, "v1", "locks"))).toEqual([]);
});

test("a store that another process has only begun to make has locks all the same", async () => {
  const directory = await ownDirectory();
  await mkdir(join(directory, "v1"), { mode: 0o700 });
  let compiles = 0;
  const made = { ok: true, module: sampleModule(1) } as const;
  const compile = async () => {
    const store = openStore({ directory, onWarning: noWarning });
    const found = await store.getOrCompile(sampleKey(1), async () => {
      compiles += 1;
      await sleep(50);
      return made;
    });
    await store.close();
    return found.ok ? found.from : "refused";
  };
  const origins = await Promise.all([compile(), compile(), compile()]);
  expect(origins.sort()).toEqual(["disk", "disk", "rustc"]);
  expect(compiles).toBe(1);
});

test("a process that is killed while it compiles holds nobody up, and its leftovers go", async () => {
  const directory = await ownDirectory();
  const store = openStore({ directory, lockWaitMs: 86_400_000, onWarning: noWarning });
  const killed = await execaNode(child("die-compiling"), [directory, "1"], { reject: false });
  expect(killed.signal).toBe("SIGKILL");
  expect(await readdir(join(directory, "v1", "locks"))).toEqual([sampleKey(1)]);
  const made = { ok: true, module: sampleModule(1) } as const;
  expect(await store.getOrCompile(sampleKey(1), async () => made)).toMatchObject({ from: "rustc" });
  await execaNode(child("die-compiling"), [directory, "2"], { reject: false });
  await store.close();
  expect((await store.prune()).removedLeftovers).toBeGreaterThanOrEqual(2);
  expect(await readdir(join(directory, "v1", "tmp"))).toEqual([]);
  expect(await readdir(join(directory, "v1", "locks"))).toEqual([]);
});

test("a process that stands still is waited for no longer than lockWaitMs", async () => {
  const directory = await ownDirectory();
  const log = join(directory, "compiled");
  const stopped = openStore({ directory, onWarning: noWarning });
  const { promise, resolve } = deferred<void>();
  const made = { ok: true, module: sampleModule(1) } as const;
  const held = stopped.getOrCompile(sampleKey(1), async () => {
    await writeFile(log, "");
    await promise;
    return made;
  });
  while (!(await readdir(directory)).includes("compiled")) await sleep(5);
  const impatient = openStore({ directory, lockWaitMs: 20, onWarning: noWarning });
  expect(await impatient.getOrCompile(sampleKey(1), async () => made)).toMatchObject({ from: "rustc" });
  resolve();
  expect(await held).toMatchObject({ from: "rustc" });
});

test("kill -9 at 200 random moments leaves only whole entries, and no temporary file after the next prune", {
  timeout: 300_000,
}, async () => {
  const directory = await ownDirectory();
  const draw = repeatableNumbers("moments");
  const atOnce = 8;
  for (let round = 0; round < 200 / atOnce; round += 1) {
    // Every other one dies while it is still making the directories.
    await Promise.all(
      Array.from({ length: atOnce }, (_, n) =>
        killWriter(directory, n % 2 === 0 ? "stored" : "starting", draw(60)),
      ),
    );
    const store = openStore({ directory, memoryBytes: 0, onWarning: noWarning });
    const entries = await store.list();
    for (const { key } of entries) {
      expect(Buffer.compare((await store.get(key))?.bytes ?? Buffer.of(), moduleBytes(key, 64_000))).toBe(0);
    }
    const report = await store.prune();
    expect(report.keptEntries, "no entry was found damaged").toBe(entries.length);
    expect(await leftovers(directory)).toEqual([]);
  }
  expect((await openStore({ directory }).list()).length, "the writers did write").toBeGreaterThan(0);
});

/** Starts a process that writes without end, and kills it so many milliseconds after it said where it is. */
async function killWriter(directory: string, moment: string, after: number): Promise<void> {
  const writer = spawn(process.execPath, [child("write-for-ever"), directory], {
    stdio: ["ignore", "pipe", "inherit"],
    // Two hundred of them start quicker so.
    env: { ...process.env, NODE_COMPILE_CACHE: join(directory, "compile-cache") },
  });
  const exited = once(writer, "exit");
  await new Promise<void>((resolve) => {
    writer.stdout.on("data", (said) => String(said).includes(moment) && resolve());
  });
  await sleep(after);
  writer.kill("SIGKILL");
  expect(await exited).toEqual([null, "SIGKILL"]);
}

/** One who is killed early enough leaves not even the directories for them. */
async function leftovers(directory: string): Promise<string[]> {
  const namesIn = (name: string) => readdir(join(directory, "v1", name)).catch(() => []);
  return [...(await namesIn("tmp")), ...(await namesIn("locks"))];
}

/** Runs the child in a mount namespace of its own, so that nothing is mounted on the host. */
async function inMounts(mount: string, args: string[]): Promise<unknown> {
  const namespaces = process.geteuid?.() === 0 ? "-m" : "-rm";
  const command = `${mount} && exec "$@"`;
  const run = [namespaces, "sh", "-ec", command, "sh", process.execPath, child("use-store"), ...args];
  const { stdout } = await execa("unshare", run);
  return JSON.parse(stdout);
}

test("a full disk degrades to memory with one warning, and every run succeeds", async () => {
  const directory = await ownDirectory();
  const mount = `mount -t tmpfs -o size=512k,mode=0700 tmpfs '${directory}'`;
  const result = await inMounts(mount, [directory, "20", "100000"]);
  expect(result).toEqual({
    origins: [...Array(20).fill("rustc"), ...Array(20).fill("memory")],
    warnings: [expect.stringMatching(/No module can be written to .* kept in memory only/)],
    causes: ["ENOSPC"],
    listed: expect.toSatisfy((n: number) => n > 0 && n < 20),
    temporaries: [],
  });
});

test("a disk without free inodes degrades to memory with one warning, and every run succeeds", async () => {
  const directory = await ownDirectory();
  const mount = `mount -t tmpfs -o nr_inodes=12,mode=0700 tmpfs '${directory}'`;
  const result = await inMounts(mount, [directory, "20", "1000"]);
  expect(result).toMatchObject({
    origins: [...Array(20).fill("rustc"), ...Array(20).fill("memory")],
    causes: ["ENOSPC"],
  });
});

test("a read-only directory still serves what it holds, and the rest comes from rustc with one warning", async () => {
  const directory = await ownDirectory();
  const store = openStore({ directory, onWarning: noWarning });
  await store.set(sampleKey(0), { bytes: moduleBytes(sampleKey(0), 1_000), diagnostics: [] });
  await store.close();
  const mount = `mount --bind '${directory}' '${directory}' && mount -o remount,bind,ro '${directory}'`;
  const result = await inMounts(mount, [directory, "3", "1000"]);
  expect(result).toEqual({
    origins: ["disk", "rustc", "rustc", "memory", "memory", "memory"],
    warnings: [expect.stringMatching(/No module can be written to .* kept in memory only/)],
    causes: ["EROFS"],
    listed: 1,
    temporaries: [],
  });
});

test("a read-only place without a store degrades to memory with one warning", async () => {
  const directory = await ownDirectory();
  const mount = `mount --bind '${directory}' '${directory}' && mount -o remount,bind,ro '${directory}'`;
  const result = await inMounts(mount, [join(directory, "deep", "store"), "2", "1000"]);
  expect(result).toMatchObject({
    origins: ["rustc", "rustc", "memory", "memory"],
    warnings: [expect.stringMatching(/No module can be written to /)],
    listed: 0,
  });
});
