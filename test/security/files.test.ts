import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Mount } from "../../src/index.ts";
import { MODES, openExecutor, scratchDirectory } from "../support/executors.ts";
import { attack } from "../support/scripts.ts";
import { snapshot } from "../support/tree.ts";

/** A mount with a file in it, next to what it must not reach. */
function house() {
  const root = scratchDirectory();
  const host = join(root, "mount");
  mkdirSync(join(host, "sub"), { recursive: true });
  mkdirSync(join(root, "outside"));
  writeFileSync(join(host, "file.txt"), "inside");
  writeFileSync(join(root, "outside", "secret.txt"), "secret");
  writeFileSync(join(root, "secret.txt"), "secret");
  // A neighbour whose name begins as the mount's does.
  mkdirSync(join(root, "mount-of-another"));
  writeFileSync(join(root, "mount-of-another", "secret.txt"), "secret");
  return { root, host };
}

describe.each(MODES)("a guest in $name", ({ options, isolation }) => {
  const executor = openExecutor(options);
  const run = (source: string, ...mounts: Mount[]) => executor.run(source, { capabilities: { mounts } });

  test("without a mount reads no file of the host's, in any spelling, and each try is recorded", async () => {
    const result = await run(attack("read-passwd"));
    expect(result).toMatchObject({ status: "ok", stdout: "done\n", isolation });
    expect(result.denials).toContainEqual(
      expect.objectContaining({ call: "path_open", target: "/etc/passwd", grant: "mounts" }),
    );
    expect(result.denials.every(({ grant }) => grant === "mounts")).toBe(true);
  });

  test.each(["read", "read-write"] as const)("with a mount to %s reads nothing above it", async (access) => {
    const { root, host } = house();
    const before = snapshot(root);
    const result = await run(attack("read-passwd"), { host, guest: "/data", access });
    expect(result).toMatchObject({ status: "ok", stdout: "done\n" });
    expect(result.denials.length).toBeGreaterThan(0);
    expect(snapshot(root)).toEqual(before);
  });

  test("with a mount to read changes nothing in it, and each try is recorded", async () => {
    const { root, host } = house();
    const before = snapshot(root);
    const result = await run(attack("write-read-only"), { host, guest: "/data" });
    expect(result).toMatchObject({ status: "ok", stdout: "[]\n" });
    expect(snapshot(root)).toEqual(before);
    const grant = 'mounts[].access: "read-write"';
    const calls = result.denials.filter((denial) => denial.grant === grant).map(({ call }) => call);
    expect(new Set(calls)).toEqual(
      new Set([
        "path_open",
        "path_create_directory",
        "path_unlink_file",
        "path_remove_directory",
        "path_rename",
        "path_link",
        "fd_filestat_set_times",
        "fd_filestat_set_size",
      ]),
    );
  });

  test("with a mount to read and write can do all of that", async () => {
    const { host } = house();
    const result = await run(attack("write-read-only"), { host, guest: "/data", access: "read-write" });
    expect(result.stdout).toContain('"write", "overwrite", "append", "truncate", "create_dir"');
    expect(readdirSync(host).sort()).toContain("new.txt");
  });

  test("meets a FIFO in a mount as a refusal, and does not hang", async () => {
    const { host } = house();
    execFileSync("mkfifo", [join(host, "pipe")]);
    for (const access of ["read", "read-write"] as const) {
      const result = await run(attack("fifo"), { host, guest: "/data", access });
      expect(result.status).toBe("ok");
      expect(result.stdout).toMatch(/^before\nrefused: \w+\nrefused: \w+\n$/);
      expect(result.denials).toContainEqual(
        expect.objectContaining({ call: "path_open", target: "/data/pipe" }),
      );
    }
  });

  test("gets out of a mount by no link, of its own or of the host's making", async () => {
    const { root, host } = house();
    symlinkSync("/etc/passwd", join(host, "planted-file"));
    symlinkSync(join(root, "outside"), join(host, "planted-dir"));
    symlinkSync("..", join(host, "planted-up"));
    symlinkSync("sub/../../outside", join(host, "planted-deep"));
    const before = snapshot(root, "mount");
    const result = await run(attack("links"), { host, guest: "/data", access: "read-write" });
    expect(result).toMatchObject({ status: "ok", stdout: "done\n" });
    expect(snapshot(root, "mount")).toEqual(before);
  });

  test("follows a link that stays inside", async () => {
    const { host } = house();
    symlinkSync("sub/../file.txt", join(host, "link"));
    const source = `fn main() { print!("{}", std::fs::read_to_string("/data/link").unwrap()); }`;
    expect((await run(source, { host, guest: "/data" })).stdout).toBe("inside");
  });

  test("that writes where two mounts overlap is bound by each mount's own grant", async () => {
    const { host } = house();
    const source = `
      fn main() {
        println!("{} {}",
          std::fs::write("/all/sub/a.txt", "x").is_ok(),
          std::fs::write("/sub/a.txt", "x").is_ok());
      }`;
    const result = await run(
      source,
      { host, guest: "/all" },
      { host: join(host, "sub"), guest: "/sub", access: "read-write" },
    );
    expect(result).toMatchObject({ status: "ok", stdout: "false true\n" });
  });
});

describe("a mount that the cell cannot have", () => {
  const { root, host } = house();
  const executor = openExecutor();
  const run = (mount: Mount) => executor.run(attack("exit-3"), { capabilities: { mounts: [mount] } });

  test.each([
    ["/", /home directory/],
    ["~missing", /ENOENT/],
    ["/proc", /kernel/],
  ])("is refused before anything runs: %s", async (path, message) => {
    await expect(run({ host: path, guest: "/data" })).rejects.toMatchObject({
      code: "MOUNT_REFUSED",
      message: expect.stringMatching(message),
    });
  });

  test("is refused where it is a file", async () => {
    await expect(run({ host: join(host, "file.txt"), guest: "/data" })).rejects.toMatchObject({
      code: "MOUNT_REFUSED",
    });
  });

  test("leads to nothing else once it was given: a link that is changed later is another mount", async () => {
    const link = join(root, "link");
    symlinkSync(host, link);
    const source = `fn main() { print!("{}", std::fs::read_to_string("/data/file.txt").unwrap_or_default()); }`;
    const read = async () =>
      (await executor.run(source, { capabilities: { mounts: [{ host: link, guest: "/data" }] } })).stdout;
    expect(await read()).toBe("inside");
    execFileSync("ln", ["-sfn", join(root, "outside"), link]);
    expect(await read()).toBe("");
  });

  test("is the directory that is at its path now, not the one that a warm cell was started with", async () => {
    const workspace = join(root, "workspace");
    const source = `fn main() { print!("{}", std::fs::read_to_string("/data/file.txt").unwrap_or_default()); }`;
    const read = async () =>
      (await executor.run(source, { capabilities: { mounts: [{ host: workspace, guest: "/data" }] } }))
        .stdout;
    for (const content of ["first", "second"]) {
      rmSync(workspace, { recursive: true, force: true });
      mkdirSync(workspace);
      writeFileSync(join(workspace, "file.txt"), content);
      expect(await read()).toBe(content);
    }
  });
});
