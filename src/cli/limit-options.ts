import { type Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_LIMITS, type LimitName, type Limits, limitsSchema } from "../limits.ts";
import { parseCount, parseDuration, parseSize } from "./parse.ts";
import { formatBytes, formatCount, formatMs } from "./print.ts";

interface LimitOption {
  flag: `--${string}`;
  value: string;
  description: string;
  parse(text: string): number;
  format(value: number | bigint): string;
}

const size = {
  value: "<size>",
  parse: parseSize,
  format: (bytes: number | bigint) => formatBytes(Number(bytes)),
};
const count = { value: "<count>", parse: parseCount, format: String };

/** Every limit has its option. */
const LIMIT_OPTIONS: Readonly<Record<LimitName, LimitOption>> = {
  wallTimeMs: {
    flag: "--timeout",
    value: "<duration>",
    description: "wall time of the run, as 2s or 500ms",
    parse: parseDuration,
    format: (ms) => formatMs(Number(ms)),
  },
  fuel: {
    flag: "--fuel",
    value: "<units>",
    description: "WebAssembly operators run, as Wasmtime counts them",
    parse: parseCount,
    format: formatCount,
  },
  memoryBytes: { flag: "--memory", description: "linear memory, as 64MiB", ...size },
  stackBytes: { flag: "--stack", description: "call stack", ...size },
  tableElements: { flag: "--table-elements", description: "elements of a table of functions", ...count },
  outputBytes: { flag: "--output-limit", description: "bytes of stdout and of stderr, each", ...size },
  diskBytes: { flag: "--disk", description: "bytes written to all host directories together", ...size },
  scratchBytes: {
    flag: "--scratch-limit",
    description: "bytes held by scratch mounts and files together",
    ...size,
  },
  openFiles: { flag: "--open-files", description: "files and directories open at once", ...count },
  hostCallBytes: {
    flag: "--host-call-limit",
    description: "bytes of the script's memory that one call of the host takes",
    ...size,
  },
};

/** The option that sets a limit. */
export function limitFlag(limit: LimitName): string {
  return LIMIT_OPTIONS[limit].flag;
}

export function addLimitOptions(command: Command): void {
  command.optionsGroup("Limits:");
  for (const [limit, { flag, value, description, parse, format }] of entries()) {
    const text = `${description} (default: ${format(DEFAULT_LIMITS[limit])})`;
    const option = new Option(`${flag} ${value}`, text).argParser((given) =>
      withinBounds(limit, parse(given)),
    );
    command.addOption(option);
  }
}

/** The limits among the parsed options. */
export function limitsOf(command: Command): Partial<Limits> {
  const limits: Partial<Limits> = {};
  for (const [limit, { flag }] of entries()) {
    const option = command.options.find(({ long }) => long === flag);
    const value: number | undefined = option && command.getOptionValue(option.attributeName());
    if (value !== undefined) limits[limit] = value;
  }
  return limits;
}

/** The library's own bounds, in the words of the command line. */
function withinBounds(limit: LimitName, value: number): number {
  const issue = limitsSchema.shape[limit].safeParse(value).error?.issues[0];
  if (issue === undefined) return value;
  const { format } = LIMIT_OPTIONS[limit];
  if (issue.code === "too_big") throw new InvalidArgumentError(`at most ${format(issue.maximum)}`);
  if (issue.code === "too_small") throw new InvalidArgumentError(`at least ${format(issue.minimum)}`);
  throw new InvalidArgumentError(issue.message);
}

function entries(): [LimitName, LimitOption][] {
  return Object.entries(LIMIT_OPTIONS) as [LimitName, LimitOption][];
}
