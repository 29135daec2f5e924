import { execa } from "execa";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Cell, type CellTransport } from "../../src/run/cell.ts";
import { type CellCommand, startProcess } from "../../src/run/process-cell.ts";
import { allGone, descendants, isRunning } from "../support/processes.ts";

const cells: Cell[] = [];
afterEach(async () => {
  for (const cell of cells.splice(0)) {
    cell.kill();
    await cell.gone;
  }
});

/** A Node program in the place of a cell. */
const program = (code: string): CellCommand => ({ file: process.execPath, args: ["--eval", code], env: {} });

function startCell(command: CellCommand): Cell {
  const cell = new Cell(startProcess(command), { cell: "process", jail: "none", engine: "preview1" }, []);
  cells.push(cell);
  return cell;
}

/** Everything that a program writes until it ends, and how it ended. */
function collect(command: CellCommand): Promise<{ text: string; reason: string }> {
  let text = "";
  return new Promise((resolve) => {
    startProcess(command)({
      onBytes: (chunk) => {
        text += chunk;
      },
      onClose: (reason) => resolve({ text, reason }),
    });
  });
}

describe("a process that is no cell", () => {
  test("because there is no such program is CELL_FAILED with the system's reason", async () => {
    const cell = startCell({ file: "/nowhere/node", args: [], env: {} });
    await expect(cell.ready).rejects.toMatchObject({
      code: "CELL_FAILED",
      message: expect.stringContaining("ENOENT"),
    });
    await cell.gone;
  });

  test("because it ends at once is CELL_FAILED with its last words", async () => {
    const cell = startCell(program(`console.error("no such library"); process.exit(9)`));
    await expect(cell.ready).rejects.toMatchObject({
      code: "CELL_FAILED",
      message: expect.stringMatching(/exit code 9: no such library/),
    });
  });

  test("because it babbles is CELL_FAILED, and it is ended", async () => {
    const cell = startCell(program(`setInterval(() => process.stdout.write("hello ".repeat(10_000)), 1)`));
    await expect(cell.ready).rejects.toMatchObject({ code: "CELL_FAILED" });
    await cell.gone;
  });

  test("and complains without end leaves the host only its last words", async () => {
    const { reason } = await collect(
      program(
        `for (let n = 0; n < 2_000; n++) process.stderr.write("x".repeat(1_000)); process.stderr.write("last")`,
      ),
    );
    expect(reason.length).toBeLessThan(2_000);
    expect(reason).toMatch(/last$/);
  });

  test("because this process may open no more files is CELL_FAILED, and harms nothing", async () => {
    const host = `
      import { openSync } from "node:fs";
      const { Cell } = await import(${JSON.stringify(new URL("../../src/run/cell.ts", import.meta.url))});
      const { startProcess } = await import(${JSON.stringify(new URL("../../src/run/process-cell.ts", import.meta.url))});
      try { for (;;) openSync("/dev/null"); } catch {}
      const cell = new Cell(startProcess({ file: process.execPath, args: [], env: {} }), {}, []);
      await cell.ready.catch((error) => console.log(error.code));
      await cell.gone;
      console.log("gone");`;
    const { stdout } = await execa("prlimit", [
      "--nofile=64:64",
      process.execPath,
      "--input-type=module",
      "--eval",
      host,
    ]);
    expect(stdout).toBe("CELL_FAILED\ngone");
  });
});

test("the environment of a cell is what its command says, and nothing of this process's", async () => {
  const { text } = await collect({
    ...program("process.stdout.write(JSON.stringify(process.env))"),
    env: { ONLY: "this" },
  });
  expect(JSON.parse(text)).toEqual({ ONLY: "this" });
});

test("a cell inherits no open file", async () => {
  const { text } = await collect(
    program(`
      const { readdirSync, readlinkSync } = require("node:fs");
      const open = readdirSync("/proc/self/fd").flatMap((fd) => {
        try { return [readlinkSync("/proc/self/fd/" + fd)]; } catch { return []; }
      });
      process.stdout.write(JSON.stringify(open.filter((path) => path.startsWith("/") && !path.startsWith("/proc"))))`),
  );
  // What Node itself opens, and nothing below a directory of ours.
  for (const path of JSON.parse(text) as string[]) expect(path).toMatch(/^\/dev\//);
});

describe("killing a cell", () => {
  test("ends whatever it had started too", async () => {
    const before = new Set(descendants());
    const cell = startCell(
      program(
        `require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]); setInterval(() => {}, 1000)`,
      ),
    );
    const started = () => descendants().filter((pid) => !before.has(pid) && isRunning(pid));
    await vi.waitFor(() => expect(started()).toHaveLength(2), { timeout: 20_000 });
    const pids = started();
    cell.kill();
    await cell.gone;
    await allGone(pids);
  });

  test("that is gone already kills nobody", async () => {
    const transports: CellTransport[] = [];
    const reason = await new Promise<string>((resolve) => {
      transports.push(startProcess(program(""))({ onBytes: () => {}, onClose: resolve }));
    });
    expect(reason).toBe("exit code 0");
    const kill = vi.spyOn(process, "kill");
    for (const transport of transports) transport.kill();
    expect(kill).not.toHaveBeenCalled();
    kill.mockRestore();
  });
});

test("what a cell wrote before it was killed is delivered before its end", async () => {
  let heard = "";
  const transports: CellTransport[] = [];
  await new Promise<void>((resolve) => {
    transports.push(
      startProcess(program(`require("node:fs").writeSync(1, "last words"); for (;;);`))({
        onBytes(chunk) {
          heard += chunk;
          for (const transport of transports) transport.kill();
        },
        onClose: () => resolve(),
      }),
    );
  });
  expect(heard).toBe("last words");
});
