import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { createWorkspace } from "../../src/compile/workspace.ts";
import { newOwner } from "../../src/owner.ts";
import { CONFINEMENTS, compile, processesIn, usePrivateTemporaryDirectory } from "./support.ts";

const temporary = usePrivateTemporaryDirectory();
const at = (...names: string[]) => join(temporary.path, ...names);
afterEach(() => void vi.restoreAllMocks());

const CHILDREN = new URL("./children/", import.meta.url);
const DAY_MS = 24 * 3_600_000;

/** The name of a workspace whose process has ended. */
function abandonedName(): string {
  const owner = new URL("../../src/owner.ts", import.meta.url).href;
  const code = `import { newOwner } from ${JSON.stringify(owner)}; console.log(newOwner());`;
  const said = execFileSync(process.execPath, ["--input-type=module", "--eval", code], { encoding: "utf8" });
  return `scriptcell-compile-${said.trim()}`;
}

/** What the temporary directory holds once the next compile is done. */
async function afterTheNextCompile(): Promise<string[]> {
  await using _ = await createWorkspace("");
  return (await readdir(temporary.path)).filter((name) => !name.includes(`.${process.pid}.`)).sort();
}

describe.each(CONFINEMENTS)("$confinement", ({ bubblewrap }) => {
  it("what a scriptcell leaves that is killed while it compiles goes with the next compile", async () => {
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL("compile-for-ever.ts", CHILDREN)), bubblewrap === null ? "off" : "required"],
      { stdio: "ignore", env: { ...process.env, TMPDIR: temporary.path } },
    );
    const ended = once(child, "exit");
    await vi.waitUntil(async () => (await processesIn(temporary.path)).length > 0, { timeout: 60_000 });
    const [left = ""] = await readdir(temporary.path);
    expect(await compile("fn main() {}", { bubblewrap })).toMatchObject({ ok: true });
    // It was in use, and the compile beside it has left it alone.
    expect(await readdir(temporary.path)).toEqual([left]);
    child.kill("SIGKILL");
    await ended;
    await vi.waitUntil(async () => (await processesIn(temporary.path)).length === 0, { timeout: 60_000 });
    expect(await readFile(at(left, "source", "script.rs"), "utf8")).toContain("fn main");

    // Another scriptcell: this one has looked already and looks again only after a while.
    const next = fileURLToPath(new URL("compile-once.ts", CHILDREN));
    execFileSync(process.execPath, [next], { env: { ...process.env, TMPDIR: temporary.path } });
    expect(await readdir(temporary.path)).toEqual([]);
  });
});

describe("a workspace that was left behind", () => {
  it("is removed with all that is in it, and no link in it is followed", async () => {
    const name = abandonedName();
    await mkdir(at("precious"));
    await writeFile(at("precious", "file"), "x");
    await mkdir(at(name, "out", "deep"), { recursive: true, mode: 0o700 });
    await symlink(at("precious"), at(name, "out", "deep", "link"));
    await symlink(at("precious"), at(name, "link"));
    expect(await afterTheNextCompile()).toEqual(["precious"]);
    expect(await readFile(at("precious", "file"), "utf8")).toBe("x");
  });

  it("is left where its name is a planted link, and what the link names with it", async () => {
    const name = abandonedName();
    await mkdir(at("precious"));
    await writeFile(at("precious", "file"), "x");
    await symlink(at("precious"), at(name));
    expect(await afterTheNextCompile()).toEqual(["precious", name]);
    expect(await readFile(at("precious", "file"), "utf8")).toBe("x");
  });

  it("is left where another user made it", async () => {
    const name = abandonedName();
    await mkdir(at(name));
    vi.spyOn(process, "getuid").mockReturnValue(12_345);
    expect(await afterTheNextCompile()).toEqual([name]);
  });

  it("is left for a week where its process ran elsewhere, and can never be asked for", async () => {
    const name = abandonedName().replace(/compile-[0-9a-f]{16}/, `compile-${"0".repeat(16)}`);
    await mkdir(at(name));
    const ago = (days: number) => new Date(Date.now() - days * DAY_MS);
    await utimes(at(name), ago(6), ago(6));
    expect(await afterTheNextCompile()).toEqual([name]);
    await mkdir(at("later"));
    await mkdir(at("later", name));
    await utimes(at("later", name), ago(8), ago(8));
    process.env.TMPDIR = at("later");
    await (await createWorkspace(""))[Symbol.asyncDispose]();
    expect(await readdir(at("later"))).toEqual([]);
  });
});

describe("a workspace in use", () => {
  it("of this process is never removed, however old it looks", async () => {
    const name = `scriptcell-compile-${newOwner()}`;
    await mkdir(at(name));
    await utimes(at(name), 0, 0);
    await using _ = await createWorkspace("");
    expect(await readdir(temporary.path)).toContain(name);
  });

  it("of another process is never removed, however old it looks", async () => {
    const child = spawn(process.execPath, [fileURLToPath(new URL("hold-workspace.ts", CHILDREN))], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, TMPDIR: temporary.path },
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const [root] = (await once(createInterface(child.stdout), "line")) as [string];
    await utimes(root, 0, 0);
    expect(await afterTheNextCompile()).toEqual([root.slice(temporary.path.length + 1)]);
    expect(await readdir(root)).toEqual(["out", "scratch", "source"]);
  });
});

it("what only begins like a workspace is left alone", async () => {
  const names = ["scriptcell-compile-", "scriptcell-compile-Ab12cD", "scriptcell-compiled", "other"];
  for (const name of names) await mkdir(at(name));
  expect(await afterTheNextCompile()).toEqual(names.sort());
});
