import { describe, expect, test } from "vitest";
import { z } from "zod";
import { KiB, MiB } from "../../src/index.ts";
import { MODES, openExecutor } from "../support/executors.ts";
import { attack, script } from "../support/scripts.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
const ECHO = script("echo");

/** Writes to both streams in turns, flushing each. */
const BOTH_STREAMS = `
use std::io::Write;
fn main() {
    for n in 0..3 {
        print!("out{n} ");
        std::io::stdout().flush().unwrap();
        eprint!("err{n} ");
    }
}`;

/** Bytes that are no UTF-8, on both streams. */
const RAW_BYTES = `
use std::io::Write;
fn main() {
    std::io::stdout().write_all(&[0, 255, 128, 10]).unwrap();
    std::io::stderr().write_all(&[254]).unwrap();
}`;

/** Asks for a line, answers it, and asks for the next. */
const DIALOGUE = `
use std::io::{stdin, stdout, Write};
fn main() {
    let mut line = String::new();
    while { line.clear(); stdin().read_line(&mut line).unwrap() > 0 } {
        print!("got {line}");
        stdout().flush().unwrap();
    }
}`;

describe.each(MODES)("streams of $name", ({ options }) => {
  const executor = openExecutor(options);

  describe("stdin", () => {
    test("is empty where nothing is given", async () => {
      expect(await executor.run(ECHO)).toMatchObject({ status: "ok", stdout: "" });
    });

    test("is the input as JSON", async () => {
      const input = { name: "Ada 🦀", list: [1, null, true] };
      const result = await executor.run(ECHO, { input });
      expect(result.status === "ok" && result.output).toEqual(input);
    });

    test("is text, or bytes as they are", async () => {
      expect((await executor.run(ECHO, { stdin: "ünï\n" })).stdout).toBe("ünï\n");
      const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
      expect((await executor.run(ECHO, { stdin: bytes })).stdoutBytes).toEqual(bytes);
    });

    test.each([64 * KiB, 256 * KiB, 256 * KiB + 1, 5 * MiB])("of %i bytes arrives whole", async (size) => {
      const bytes = new Uint8Array(Buffer.alloc(size, "0123456789abcdef!"));
      const limits = { outputBytes: 8 * MiB };
      const { stdoutBytes, status } = await executor.run(ECHO, { stdin: bytes, limits });
      expect(status).toBe("ok");
      expect(Buffer.compare(stdoutBytes, bytes)).toBe(0);
    });

    test("is a stream, as it comes", async () => {
      async function* chunks(): AsyncGenerator<string | Uint8Array> {
        yield "one ";
        yield "";
        await new Promise((resolve) => setTimeout(resolve, 20));
        yield Buffer.from("two ");
        yield "three".repeat(50_000);
      }
      const { stdout } = await executor.run(ECHO, { stdin: chunks() });
      expect(stdout).toBe(`one two ${"three".repeat(50_000)}`);
    });

    test("is a web stream", async () => {
      const { stdout } = await executor.run(ECHO, { stdin: new Blob(["from a blob"]).stream() });
      expect(stdout).toBe("from a blob");
    });

    test("can be a dialogue: each line is written after the answer to the last", async () => {
      const answers: string[] = [];
      let answered = (): void => {};
      async function* lines(): AsyncGenerator<string> {
        for (const line of ["a\n", "b\n", "c\n"]) {
          const answer = new Promise<void>((resolve) => {
            answered = resolve;
          });
          yield line;
          await answer;
        }
      }
      const result = await executor.run(DIALOGUE, {
        stdin: lines(),
        onStdout: (chunk) => {
          answers.push(text(chunk));
          answered();
        },
      });
      expect(result.status).toBe("ok");
      expect(answers).toEqual(["got a\n", "got b\n", "got c\n"]);
    });

    test("that nobody reads to its end is let go of", async () => {
      let cleanedUp = false;
      async function* endless(): AsyncGenerator<string> {
        try {
          for (;;) yield "line\n";
        } finally {
          cleanedUp = true;
        }
      }
      // read_line takes a buffer full and no more.
      const result = await executor.run(script("prime-sieve"), { stdin: endless() });
      expect(result.status).toBe("panicked");
      await expect.poll(() => cleanedUp).toBe(true);
    });

    test("whose stream throws rejects with what it threw, and the next run is not harmed", async () => {
      const failure = new Error("the disk went away");
      async function* failing(): AsyncGenerator<string> {
        yield "before";
        throw failure;
      }
      await expect(executor.run(ECHO, { stdin: failing() })).rejects.toBe(failure);
      expect((await executor.run(ECHO, { stdin: "after" })).stdout).toBe("after");
    });
  });

  describe("stdout and stderr", () => {
    test("are captured apart", async () => {
      expect(await executor.run(BOTH_STREAMS)).toMatchObject({
        status: "ok",
        stdout: "out0 out1 out2 ",
        stderr: "err0 err1 err2 ",
      });
    });

    test("are told live, in the order in which they were written", async () => {
      const heard: string[] = [];
      await executor.run(BOTH_STREAMS, {
        onStdout: (chunk) => heard.push(text(chunk)),
        onStderr: (chunk) => heard.push(text(chunk)),
      });
      expect(heard.length).toBeGreaterThanOrEqual(6);
      expect(heard.join("")).toBe("out0 err0 out1 err1 out2 err2 ");
    });

    test("keep bytes that are no text", async () => {
      const result = await executor.run(RAW_BYTES);
      expect([...result.stdoutBytes]).toEqual([0, 255, 128, 10]);
      expect([...result.stderrBytes]).toEqual([254]);
      expect([result.stdout, result.stderr]).toEqual(["\0\ufffd\ufffd\n", "\ufffd"]);
    });

    test("whose callback throws end the run with what it threw", async () => {
      const failure = new Error("no room");
      const fail = (): never => {
        throw failure;
      };
      await expect(executor.run(BOTH_STREAMS, { onStdout: fail })).rejects.toBe(failure);
      await expect(executor.run(BOTH_STREAMS, { onStderr: fail })).rejects.toBe(failure);
      expect((await executor.run(BOTH_STREAMS)).status).toBe("ok");
    });
  });

  describe("the exit code", () => {
    test("of a guest that fails is its own, with its output", async () => {
      expect(await executor.run(attack("exit-3"))).toMatchObject({
        status: "failed",
        exitCode: 3,
        output: { partial: true },
        stderr: "giving up\n",
      });
    });

    test.each([0, 1, 125])("%i", async (code) => {
      const source = `fn main() { std::process::exit(std::env::args().nth(1).unwrap().parse().unwrap()); }`;
      const result = await executor.run(source, { capabilities: { args: ["script", String(code)] } });
      expect(result).toMatchObject({ status: code === 0 ? "ok" : "failed", exitCode: code });
    });
  });

  describe("outputSchema", () => {
    const Greeting = z.object({ hello: z.string().toUpperCase() });

    test("types and transforms the output", async () => {
      const result = await executor.run(script("hello"), { outputSchema: Greeting });
      expect(result.status === "ok" && result.output.hello).toBe("WORLD");
    });

    test("that stdout does not meet is invalid-output with the issues and the text", async () => {
      const result = await executor.run(ECHO, { outputSchema: Greeting, input: { hello: 7 } });
      expect(result).toMatchObject({
        status: "invalid-output",
        issues: [{ code: "invalid_type", path: ["hello"] }],
        stdout: '{"hello":7}',
      });
    });
  });
});
