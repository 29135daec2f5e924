import { chmod, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import type { Found, Plan } from "./children/as-this-user.ts";
import { bubblewrap, processesIn, toolchain } from "./support.ts";

const CHILD = fileURLToPath(new URL("./children/as-this-user.ts", import.meta.url));
const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");
const NOBODY = "65534";

/**
 * What root has may lie where nobody else can go. In a mount namespace of their own, which ends with the command, such directories
 * are replaced by open ones that hold nothing but the given paths.
 */
const OPEN_UP = `
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /mnt
count=0
while [ "$1" != -- ]; do
  closed=$1 path=$2; shift 2
  count=$((count + 1))
  mkdir "/mnt/$count"; mount --bind "$path" "/mnt/$count"
  echo "$count $closed $path" >> /mnt/list
done
shift
if [ -e /mnt/list ]; then
  cut -d' ' -f2 /mnt/list | sort -u | while read -r closed; do mount -t tmpfs -o mode=755 tmpfs "$closed"; done
  while read -r number closed path; do mkdir -p "$path"; mount --bind "/mnt/$number" "$path"; done < /mnt/list
fi
exec setpriv --reuid ${NOBODY} --regid ${NOBODY} --clear-groups --bounding-set -all "$@"`;

/** The outermost directory on the way to `path` that others may not pass through. */
async function closedOnTheWayTo(path: string): Promise<string | undefined> {
  const above = dirname(path) === path ? undefined : await closedOnTheWayTo(dirname(path));
  return above ?? (((await stat(path)).mode & 0o001) === 0 ? path : undefined);
}

/** Runs a command as a user without any privilege: as this one, or as nobody where this one is root. */
async function asOrdinaryUser(command: readonly string[], needed: readonly string[]): Promise<string> {
  const env = { HOME: "/nonexistent" };
  const [file = "", ...args] = command;
  if (process.geteuid?.() !== 0) return (await execa(file, args, { env })).stdout;
  const paths = await Promise.all(
    [...new Set(needed)].map(async (path) => {
      const closed = await closedOnTheWayTo(path);
      return closed === undefined ? [] : [closed, path];
    }),
  );
  return (
    await execa("unshare", ["-m", "sh", "-euc", OPEN_UP, "sh", ...paths.flat(), "--", ...command], { env })
  ).stdout;
}

test("an ordinary user's compiler is confined as root's is, in the jail and without", async () => {
  const host = await mkdtemp(join(tmpdir(), "scriptcell-test-user-"));
  onTestFinished(() => rm(host, { recursive: true, force: true }));
  const secret = join(host, "secret");
  await writeFile(secret, "what is to be kept");
  await chmod(host, 0o755);
  const sources = [
    'fn main() { println!("hello"); }',
    `fn main() { println!("{}", include_str!("${secret}")); }`,
    "const fn spin() { loop {} } const _: () = spin(); fn main() {}",
  ];
  const libraries = bubblewrap.env.LD_LIBRARY_PATH?.split(":") ?? [];
  const stdout = await asOrdinaryUser(
    [process.execPath, CHILD, JSON.stringify({ toolchain, bubblewrap, sources } satisfies Plan)],
    [REPOSITORY, dirname(bubblewrap.path), ...libraries, dirname(toolchain.rustc), ...toolchain.roots],
  );
  const { uid, jailed, unjailed } = JSON.parse(stdout) as Found;
  expect(uid).not.toBe(0);
  for (const steps of [jailed, unjailed]) {
    expect(steps.map(([ok]) => ok)).toEqual([true, false, false]);
    expect(JSON.stringify(steps)).not.toContain("what is to be kept");
  }
  expect(jailed[2]?.[1]).toMatch(/scriptcell::compile-timeout|long_running_const_eval/);
  expect(await processesIn(host)).toEqual([]);
  expect(await readdir(host)).toEqual(["secret"]);
});
