import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createWorkspace, readOutput } from "../../src/compile/workspace.ts";
import { usePrivateTemporaryDirectory } from "./support.ts";

const temporary = usePrivateTemporaryDirectory();

describe("the directory of a compile", () => {
  it("holds the script, is for this user alone, and is gone afterwards", async () => {
    {
      await using workspace = await createWorkspace("fn main() {}");
      expect((await stat(workspace.root)).mode & 0o777).toBe(0o700);
      expect(await readdir(workspace.source)).toEqual(["script.rs"]);
      expect(await readFile(join(workspace.source, "script.rs"), "utf8")).toBe("fn main() {}");
      expect(await readdir(workspace.out)).toEqual([]);
      await writeFile(join(workspace.out, "left"), "behind");
    }
    expect(await readdir(temporary.path)).toEqual([]);
  });
});

describe("a file that the compiler was to write", () => {
  const at = (name: string) => join(temporary.path, name);

  it("is read whole: empty, under and at the limit", async () => {
    await writeFile(at("empty"), "");
    await writeFile(at("file"), "abcd");
    expect(await readOutput(at("empty"), 4)).toEqual(new Uint8Array());
    expect(await readOutput(at("file"), 5)).toEqual(new Uint8Array(Buffer.from("abcd")));
    expect(await readOutput(at("file"), 4)).toEqual(new Uint8Array(Buffer.from("abcd")));
  });

  it("is not read where it is over the limit", async () => {
    await writeFile(at("file"), "abcd");
    expect(await readOutput(at("file"), 3)).toBe("too-large");
  });

  it("does not count where it is missing, a link, a directory or a FIFO", async () => {
    await writeFile(at("file"), "secret");
    await symlink("file", at("link"));
    await mkdir(at("directory"));
    execFileSync("mkfifo", [at("fifo")]);
    for (const name of ["missing", "link", "directory", "fifo"]) {
      expect(await readOutput(at(name), 100)).toBe("missing");
    }
  });
});
