import { readFileSync } from "node:fs";
import { Argument, Command } from "commander";
import { EXIT_CODE_HELP } from "./exit-codes.ts";

/** Adds arguments, options and action to a command. `signal` is aborted where the command should stop early. */
type Define = (command: Command, signal: AbortSignal) => void;

/** What each command is for, and where it is. Loaded when it is asked for: `--version` should not wait for a compiler driver. */
const COMMANDS: Readonly<Record<string, { summary: string; load: () => Promise<Define> }>> = {
  run: {
    summary: "compile a Rust script and run it in a cell, or run a wasm module",
    load: async () => (await import("./run.ts")).defineRun,
  },
  compile: {
    summary: "compile a script to a wasm module",
    load: async () => (await import("./compile.ts")).defineCompile,
  },
  check: {
    summary: "say what the compiler has to say about a script",
    load: async () => (await import("./check.ts")).defineCheck,
  },
  setup: {
    summary: "install what is missing to compile scripts",
    load: async () => (await import("./setup.ts")).defineSetup,
  },
  doctor: {
    summary: "say what is there, what is missing, and what to do about it",
    load: async () => (await import("./doctor.ts")).defineDoctor,
  },
  cache: {
    summary: "look at the compiled modules, and remove them",
    load: async () => (await import("./cache.ts")).defineCache,
  },
};

/** The command line. Errors are printed and thrown as commander's; nothing exits. */
export function createProgram(signal: AbortSignal): Command {
  const program = new Command("scriptcell")
    .description("Compiles untrusted Rust scripts to WebAssembly and runs each in a capability sandbox.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    // Its own would print the help of a command that is not loaded.
    .helpCommand(false)
    .exitOverride()
    .addHelpText("after", `\nEach command has its own --help.\n\n${EXIT_CODE_HELP}`);
  for (const [name, { summary }] of Object.entries(COMMANDS)) {
    const description = `${capital(summary)}.`;
    program.command(name).summary(summary).description(description).showHelpAfterError("(--help says more)");
  }
  program
    .command("help", { hidden: true })
    .addArgument(new Argument("[command]").choices(Object.keys(COMMANDS)))
    .action(async (name?: string) => {
      await program.parseAsync(name === undefined ? ["--help"] : [name, "--help"], { from: "user" });
    });
  program.showHelpAfterError("(a script is run with: scriptcell run FILE; --help says more)");
  program.hook("preSubcommand", async (_, command) => {
    const define = await COMMANDS[command.name()]?.load();
    define?.(command, signal);
  });
  return program;
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return version;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
