import { describe, expect, test } from "vitest";
import type { RunOptions, RunResult } from "../../src/index.ts";
import { MODES, openExecutor } from "../support/executors.ts";

describe.each(MODES)(
  "a run that fails for want of something is told what to do instead, in $name",
  ({ options }) => {
    const executor = openExecutor(options);
    const hintsOf = async (body: string, given: RunOptions = {}): Promise<RunResult["hints"]> => {
      const { hints } = await executor.run(`#![allow(unused)]\nfn main() {\n    ${body}\n}`, given);
      return hints;
    };

    test.each([
      ["a connection", 'std::net::TcpStream::connect("127.0.0.1:80").unwrap();', /no network/],
      ["a name to look up", 'std::net::TcpStream::connect("example.com:80").unwrap();', /no network/],
      ["a listener", 'std::net::TcpListener::bind("127.0.0.1:80").unwrap();', /no network/],
      ["a UDP socket", 'std::net::UdpSocket::bind("127.0.0.1:80").unwrap();', /no network/],
      ["a thread", "std::thread::spawn(|| 1).join().unwrap();", /no threads/],
      ["a scope of threads", "std::thread::scope(|s| { s.spawn(|| 1); });", /no threads/],
      ["a built thread", "std::thread::Builder::new().spawn(|| 1).unwrap();", /no threads/],
      ["a process", 'std::process::Command::new("ls").output().unwrap();', /cannot start processes/],
      ["its own path", "std::env::current_exe().unwrap();", /no network, no processes and no threads/],
      ["a temporary directory", "std::env::temp_dir();", /access: "scratch"/],
      ["the time", "std::time::Instant::now();", /clock: "monotonic"/],
      ["the date", "std::time::SystemTime::now();", /clock: "real"/],
      ["a file", 'std::fs::read_to_string("/etc/passwd").unwrap();', /mounts and `files`/],
      [
        "an argument, by its place",
        "let all: Vec<String> = std::env::args().collect();\n    let _ = &all[1];",
        /no arguments/,
      ],
      ["an argument, by unwrapping", "std::env::args()\n        .nth(1)\n        .unwrap();", /no arguments/],
      ["an argument, by a message", 'std::env::args().nth(1).expect("usage: script FILE");', /no arguments/],
      [
        "arguments, by its own check",
        'if std::env::args().len() < 2 { eprintln!("Usage: script FILE"); std::process::exit(2) }',
        /no arguments/,
      ],
      [
        "a number on stdin",
        "let mut line = String::new();\n    std::io::stdin().read_line(&mut line).unwrap();\n    line.trim().parse::<i32>().unwrap();",
        /no input/,
      ],
      ["a line of stdin", "std::io::stdin().lines().next().unwrap().unwrap();", /no input/],
      ["a variable", 'std::env::var("HOME").unwrap();', /capabilities\.env/],
    ])("%s", async (_, body, hint) => {
      expect(await hintsOf(body)).toEqual([expect.stringMatching(hint)]);
    });

    test("an error that main returns is looked at like a panic", async () => {
      const source =
        'fn main() -> std::io::Result<()> { std::net::UdpSocket::bind("127.0.0.1:80").map(drop) }';
      const result = await executor.run(source);
      expect(result).toMatchObject({ status: "failed", hints: [expect.stringMatching(/no network/)] });
    });

    test("what was granted gets no hint", async () => {
      const given: RunOptions = {
        stdin: "",
        capabilities: { args: ["script", "x"], clock: "real", env: { NAME: "x" } },
      };
      expect(
        await hintsOf("let all: Vec<String> = std::env::args().collect();\n    let _ = &all[2];", given),
      ).toEqual([]);
      expect(await hintsOf("std::io::stdin().lines().next().unwrap().unwrap();", given)).toEqual([]);
      expect(await hintsOf('std::time::SystemTime::now(); panic!("no");', given)).toEqual([]);
      expect(await hintsOf('panic!("{}", std::env::var("NAME").unwrap());', given)).toEqual([]);
    });

    test("a run that succeeds has none, whatever it was refused", async () => {
      const result = await executor.run(
        'fn main() { let _ = std::fs::read("/etc/passwd"); let _ = std::env::var("A"); }',
      );
      expect(result).toMatchObject({ status: "ok", denials: [{ call: "path_open" }], hints: [] });
    });

    test("neither has one that was cancelled, rejected or stopped at a limit", async () => {
      const cancelled = await executor.run("fn main() {}", { signal: AbortSignal.abort() });
      expect(cancelled).toMatchObject({ status: "cancelled", hints: [] });
      expect(await executor.run("fn main() { x }")).toMatchObject({ status: "rejected", hints: [] });
      expect(await hintsOf("loop { std::hint::black_box(0); }", { limits: { fuel: 1_000_000 } })).toEqual([]);
    });

    test("a module without its source is told what all causes have in common", async () => {
      const compiled = await executor.compile(
        'fn main() { std::net::TcpListener::bind("[::1]:80").unwrap(); }',
      );
      if (!compiled.ok) throw new Error("it does not compile");
      const { hints } = await executor.execute(compiled.module);
      expect(hints).toEqual([expect.stringMatching(/no network, no processes and no threads/)]);
    });
  },
);
