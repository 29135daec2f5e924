import { mkdir, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { findBubblewrap, forgetBubblewrap } from "../../src/jail/bubblewrap.ts";
import type { OwnBubblewrapRecord } from "../../src/jail/own-bubblewrap.ts";
import { checkUserNamespaces } from "../../src/jail/user-namespaces.ts";
import { defaultCacheDir } from "../../src/toolchain/cache-dir.ts";
import { publish } from "../../src/toolchain/installation.ts";
import { toolchainLayout } from "../../src/toolchain/layout.ts";
import { writeScript } from "../toolchain/small-rustc.ts";

let directory: string;
let cacheDir: string;
let bin: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "scriptcell-bubblewrap-"));
  cacheDir = join(directory, "cache");
  bin = join(directory, "bin");
  await mkdir(bin);
  vi.stubEnv("PATH", bin);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  forgetBubblewrap();
  await rm(directory, { recursive: true, force: true });
});

/** Behaves like bubblewrap as far as the probe looks, and writes down that it was started. */
const pretend = (version: string, behaviour: string) =>
  `echo "$*" >> '${directory}/calls'\n[ "$1" = --version ] && echo 'bubblewrap ${version}' && exit 0\n${behaviour}`;
const works = 'for last; do :; done\nexec /bin/sh -c "$last"';

async function installOwn(body: string, env: Record<string, string> = {}): Promise<string> {
  const layout = toolchainLayout(cacheDir);
  const installed = join(layout.base, "install-000000");
  await mkdir(installed, { recursive: true, mode: 0o700 });
  const path = join(installed, "bwrap");
  await writeScript(path, body);
  const record: OwnBubblewrapRecord = {
    directory: installed,
    path,
    bytes: (await stat(path)).size,
    env,
    packages: {},
  };
  await publish(layout.bubblewrapPointer, record);
  return path;
}

test("the bubblewrap of this machine makes a jail without network, processes or writable files of the host", async () => {
  vi.unstubAllEnvs();
  const probe = await findBubblewrap({ cacheDir: defaultCacheDir() });
  if (!probe.ok) throw new Error(`${probe.reason}: ${probe.remedy}`);
  const { path, env } = probe.bubblewrap;
  const script =
    "ls /proc | grep -c '^[0-9]'; cat /proc/net/dev | grep -vc lo:; touch /x 2>/dev/null && echo wrote; true";
  const { stdout } = await execa(
    path,
    [
      "--unshare-all",
      "--die-with-parent",
      "--clearenv",
      "--ro-bind",
      "/",
      "/",
      "--proc",
      "/proc",
      "/bin/sh",
      "-c",
      script,
    ],
    { env, extendEnv: false },
  );
  const [processes, interfaces, wrote] = stdout.split("\n");
  expect(Number(processes)).toBeLessThan(6);
  // The two lines of the heading.
  expect(interfaces).toBe("2");
  expect(wrote).toBeUndefined();
});

test("bubblewrap on PATH comes before scriptcell's own", async () => {
  await writeScript(join(bin, "bwrap"), pretend("0.11.0", works));
  await installOwn(pretend("0.8.0", works));
  expect(await findBubblewrap({ cacheDir })).toEqual({
    ok: true,
    bubblewrap: { path: join(bin, "bwrap"), version: "0.11.0", origin: "PATH", env: {} },
  });
});

test("scriptcell's own comes into play where the one on PATH does not work", async () => {
  await writeScript(join(bin, "bwrap"), pretend("0.11.0", "exit 1"));
  const own = await installOwn(pretend("0.8.0", works), { LD_LIBRARY_PATH: "/x" });
  expect(await findBubblewrap({ cacheDir })).toEqual({
    ok: true,
    bubblewrap: { path: own, version: "0.8.0", origin: "scriptcell", env: { LD_LIBRARY_PATH: "/x" } },
  });
});

test("one that starts and cannot make namespaces is no jail, and its own words are the reason", async () => {
  await writeScript(
    join(bin, "bwrap"),
    pretend("0.8.0", "echo 'bwrap: No permissions to create new namespace' >&2; exit 1"),
  );
  expect(await findBubblewrap({ cacheDir })).toEqual({
    ok: false,
    reason: expect.stringContaining("No permissions to create new namespace"),
    remedy: expect.stringMatching(/namespaces/),
  });
});

test("one that pretends success without starting the program is no jail", async () => {
  await writeScript(join(bin, "bwrap"), pretend("0.8.0", "exit 0"));
  expect((await findBubblewrap({ cacheDir })).ok).toBe(false);
});

test("where there is none the remedy is to run setup", async () => {
  expect(await findBubblewrap({ cacheDir })).toEqual({
    ok: false,
    reason: expect.stringContaining("not found"),
    remedy: expect.stringContaining("`scriptcell setup`"),
  });
});

test("it is tried once in the life of a process", async () => {
  await writeScript(join(bin, "bwrap"), pretend("0.8.0", works));
  const first = await findBubblewrap({ cacheDir });
  await rm(join(bin, "bwrap"));
  expect(await findBubblewrap({ cacheDir })).toEqual(first);
});

test.each([
  ["/proc/sys/kernel/unprivileged_userns_clone", "0\n", "unprivileged_userns_clone=1"],
  ["/proc/sys/user/max_user_namespaces", "0\n", "max_user_namespaces"],
  [
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    "1\n",
    "apparmor_restrict_unprivileged_userns=0",
  ],
])("a kernel whose %s is %j is told how to turn it", async (file, value, remedy) => {
  const read = async (asked: string) => (asked === file ? value : undefined);
  expect(await checkUserNamespaces(read)).toMatchObject({
    ok: false,
    remedy: expect.stringContaining(remedy),
  });
});

test("a kernel that forbids nothing, or has no such switches, allows user namespaces", async () => {
  expect(await checkUserNamespaces(async () => undefined)).toEqual({ ok: true });
  const permissive: Record<string, string> = {
    "/proc/sys/kernel/unprivileged_userns_clone": "1\n",
    "/proc/sys/user/max_user_namespaces": "15000\n",
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "0\n",
  };
  expect(await checkUserNamespaces(async (file) => permissive[file])).toEqual({ ok: true });
});
