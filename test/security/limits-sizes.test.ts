import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { MiB } from "../../src/index.ts";
import { MODES, openExecutor, scratchDirectory } from "../support/executors.ts";

/** Says how many arguments and variables it has and how long they are, as a C program would count. */
const COUNT = `fn main() {
    let args: Vec<String> = std::env::args().collect();
    let env: Vec<(String, String)> = std::env::vars().collect();
    let bytes: usize = args.iter().map(|arg| arg.len() + 1).sum::<usize>()
        + env.iter().map(|(name, value)| name.len() + value.len() + 2).sum::<usize>();
    println!("[{}, {}, {}]", args.len(), env.len(), bytes);
}`;

/** Reads the file at its argument, and says what came of it. */
const READ = `fn main() {
    let path = std::env::args().nth(1).unwrap();
    match std::fs::read_to_string(path) {
        Ok(text) => println!("{text:?}"),
        Err(error) => println!("{}", error.raw_os_error().unwrap()),
    }
}`;

const NAMETOOLONG = 37;
/** Bytes of `script` with its NUL, and of `E=` with its. */
const [SCRIPT, VARIABLE] = [7, 3];
const tooLarge = {
  code: "INVALID_OPTIONS",
  message: expect.stringMatching(/args and capabilities\.env take \d+ bytes, and 1048576 is the most/),
};

/** A path of so many bytes to the file in the directory that it starts at. */
function pathOf(bytes: number): string {
  const way = "./".repeat(Math.ceil(bytes / 2)).slice(0, bytes - "file.txt".length);
  return `${way.endsWith(".") ? `${way.slice(0, -1)}/` : way}file.txt`;
}

describe.each(MODES)("in $name", ({ options }) => {
  const executor = openExecutor(options);
  const root = scratchDirectory();
  writeFileSync(join(root, "file.txt"), "x");
  const mounts = [{ host: root, guest: "/data" }];

  describe("arguments and environment", () => {
    test.each([
      ["under", 1 * MiB - 1],
      ["at", 1 * MiB],
    ])("reach the guest whole %s the bound: %i bytes", async (_, bytes) => {
      const half = "é".repeat(MiB / 4);
      const env = { E: "x".repeat(bytes - SCRIPT - VARIABLE - Buffer.byteLength(half) - 1) };
      const result = await executor.run(COUNT, { capabilities: { args: ["script", half], env } });
      expect(result).toMatchObject({ status: "ok", output: [2, 1, bytes] });
    });

    test("are counted in UTF-8, whatever has to be escaped on the way to the cell", async () => {
      const args = ["script", "\u0001".repeat(MiB - SCRIPT - 1)];
      expect(await executor.run(COUNT, { capabilities: { args } })).toMatchObject({ output: [2, 0, MiB] });
    });

    test.each([
      ["arguments", { args: ["script", "x".repeat(MiB - SCRIPT)] }],
      ["many arguments", { args: ["", ...Array.from({ length: 9_000 }, () => "x".repeat(116))] }],
      ["a variable", { args: ["script"], env: { E: "x".repeat(MiB - SCRIPT - VARIABLE + 1) } }],
      ["the name of a variable", { args: ["script"], env: { ["E".repeat(MiB - SCRIPT)]: "" } }],
      ["both", { args: ["x".repeat(MiB / 2)], env: { E: "x".repeat(MiB / 2) } }],
      ["letters of two bytes", { args: ["é".repeat(MiB / 2)] }],
    ])("over the bound by %s are an error before anything runs", async (_, capabilities) => {
      await expect(executor.run(COUNT, { capabilities })).rejects.toMatchObject(tooLarge);
      expect(() => openExecutor({ ...options, capabilities })).toThrow(expect.objectContaining(tooLarge));
    });

    test("are counted together where the executor gives some and the call the others", async () => {
      const half = "x".repeat(MiB / 2);
      const granting = openExecutor({ ...options, capabilities: { env: { E: half } } });
      const args = ["script", half];
      await expect(granting.run(COUNT, { capabilities: { args } })).rejects.toMatchObject(tooLarge);
      // What the call replaces is not counted.
      const replaced = await granting.run(COUNT, { capabilities: { args, env: {} } });
      expect(replaced).toMatchObject({ status: "ok" });
    });
  });

  describe("a path of a guest", () => {
    test.each([
      ["under", 4_094],
      ["at", 4_095],
    ])("%s the bound is walked to its end: %i bytes", async (_, bytes) => {
      const path = pathOf(bytes);
      expect(path).toHaveLength(bytes);
      const result = await executor.run(READ, {
        capabilities: { args: ["script", `/data/${path}`], mounts },
      });
      expect(result).toMatchObject({ status: "ok", output: "x", denials: [] });
    });

    test.each([4_096, 65_536, 1_000_000])("over the bound is ENAMETOOLONG: %i bytes", async (bytes) => {
      const args = ["script", `/data/${pathOf(bytes)}`];
      const result = await executor.run(READ, { capabilities: { args, mounts } });
      expect(result).toMatchObject({ status: "ok", output: NAMETOOLONG });
    });

    test.each([
      ["at", 255, 44],
      ["over", 256, NAMETOOLONG],
    ])(
      "with a name %s what a disk takes, %i bytes, is answered as the disk does",
      async (_, bytes, errno) => {
        const args = ["script", `/data/${"n".repeat(bytes)}`];
        expect(await executor.run(READ, { capabilities: { args, mounts } })).toMatchObject({ output: errno });
      },
    );
  });

  describe("a mount's guest path", () => {
    test.each([
      ["under", 4_094],
      ["at", 4_095],
    ])("%s the bound is where the guest finds it: %i bytes", async (_, bytes) => {
      const guest = `/${"d".repeat(bytes - 1)}`;
      const capabilities = { args: ["script", `${guest}/file.txt`], mounts: [{ host: root, guest }] };
      expect(await executor.run(READ, { capabilities })).toMatchObject({ status: "ok", output: "x" });
    });

    test("over the bound is an error", async () => {
      const capabilities = { mounts: [{ host: root, guest: `/${"d".repeat(4_095)}` }] };
      const error = { code: "INVALID_OPTIONS", message: expect.stringContaining("4095 bytes") };
      await expect(executor.run(READ, { capabilities })).rejects.toMatchObject(error);
    });
  });
});
