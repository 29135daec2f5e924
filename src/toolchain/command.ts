import { execa } from "execa";
import { ScriptcellError } from "../errors.ts";

/** How a set-up command is run. */
export interface CommandOptions {
  cwd?: string;
  /** Added to the caller's environment. */
  env?: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
  /** Milliseconds until the command is killed. Default 20 minutes: no step may wait for ever. */
  timeoutMs?: number;
  /** Called with each line of standard output while the command runs. */
  onLine?: (line: string) => void;
  /** Exit codes that are no failure. Default only 0. */
  accept?: readonly number[];
}

let diesWithParent: Promise<readonly string[]> | undefined;

/**
 * What to put before a command so that it is killed when this process is: a set-up killed with SIGKILL must not leave
 * apt or dpkg-deb writing behind the back of the next one. Empty where there is no such program (util-linux's setpriv).
 */
function withParent(): Promise<readonly string[]> {
  const prefix = ["setpriv", "--pdeathsig", "KILL", "--"];
  diesWithParent ??= execa("setpriv", [...prefix.slice(1), "true"], { reject: false, stdio: "ignore" }).then(
    ({ exitCode }) => (exitCode === 0 ? prefix : []),
  );
  return diesWithParent;
}

/**
 * Runs a command to its end and returns its standard output. Its messages are in English, whatever the user's language.
 * @throws ScriptcellError `SETUP_FAILED` with the end of what it printed; the signal's reason where it was aborted.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { cwd, env, signal, timeoutMs = 20 * 60_000, onLine, accept = [0] } = options;
  signal?.throwIfAborted();
  const [file = command, ...argv] = [...(await withParent()), command, ...args];
  const subprocess = execa(file, argv, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...env, LC_ALL: "C", LANGUAGE: "" },
    stdin: "ignore",
    all: true,
    reject: false,
    timeout: timeoutMs,
    killSignal: "SIGKILL",
    maxBuffer: 64 * 1024 * 1024,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  if (onLine !== undefined) for await (const line of subprocess) onLine(line);
  const result = await subprocess;
  if (signal?.aborted === true) throw signal.reason;
  if (result.exitCode !== undefined && accept.includes(result.exitCode)) return result.stdout;
  const said = result.all.trim().split("\n").slice(-12).join("\n");
  const how = result.timedOut
    ? `did not end within ${timeoutMs / 1000} s`
    : `failed (${result.exitCode ?? result.signal ?? result.code ?? "not started"})`;
  throw new ScriptcellError(
    "SETUP_FAILED",
    `\`${command} ${args.join(" ")}\` ${how}: ${said || "it said nothing"}`,
    { cause: result },
  );
}
