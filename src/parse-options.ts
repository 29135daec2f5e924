import { z } from "zod";
import { capabilitiesSchema } from "./capabilities.ts";
import { compileLimitsSchema } from "./compile/compile-limits.ts";
import { ScriptcellError } from "./errors.ts";
import { limitsSchema } from "./limits.ts";
import type { CompileOptions, ExecuteOptions, ExecutorOptions, RunOptions } from "./options.ts";
import type { StdinSource } from "./run/stdin.ts";

/** Files that are put in for one run, at most. */
const MAX_FILES = 10_000;

const edition = z.enum(["2015", "2018", "2021", "2024"]);
const engine = z.enum(["preview1", "node-wasi"]);
const profile = z.enum(["fast-compile", "fast-run"]);
const signal = z.instanceof(AbortSignal);
const callback = <Callback>() =>
  z.custom<Callback>((value) => typeof value === "function", "must be a function");

const executorSchema = z.strictObject({
  toolchain: z.string().min(1).optional(),
  cacheDir: z.string().min(1).optional(),
  isolation: z.enum(["process", "worker"]).optional(),
  jail: z.enum(["auto", "required", "off"]).optional(),
  engine: engine.optional(),
  edition: edition.optional(),
  profile: profile.optional(),
  limits: limitsSchema.optional(),
  ceilings: limitsSchema.optional(),
  capabilities: capabilitiesSchema.optional(),
  compileLimits: compileLimitsSchema.optional(),
  cells: z
    .strictObject({
      maxRunning: z.int().min(1).max(1024).optional(),
      maxIdle: z.int().min(0).max(1024).optional(),
      spares: z.int().min(0).max(64).optional(),
      runsPerCell: z.int().min(1).optional(),
      idleMs: z.int().min(1).max(86_400_000).optional(),
      maxQueue: z.int().min(0).optional(),
    })
    .optional(),
  store: z
    .strictObject({
      memoryBytes: z.int().min(0).optional(),
      diskBytes: z.int().min(0).optional(),
      maxAgeMs: z.int().min(0).optional(),
    })
    .optional(),
  onWarning: callback<NonNullable<ExecutorOptions["onWarning"]>>().optional(),
});

const compileFields = {
  edition: edition.optional(),
  profile: profile.optional(),
  fix: z.boolean().optional(),
  signal: signal.optional(),
};

const executeFields = {
  input: z.unknown().optional(),
  stdin: z
    .custom<StdinSource>(
      (value) =>
        typeof value === "string" ||
        value instanceof Uint8Array ||
        (typeof value === "object" && value !== null && Symbol.asyncIterator in value),
      "must be a string, a Uint8Array, a ReadableStream or an async iterable",
    )
    .optional(),
  files: z
    .custom<Readonly<Record<string, Uint8Array | string>>>(
      isRecordOfFiles,
      "must be an object of at most 10,000 files: guest paths, and text or bytes",
    )
    .optional(),
  artifacts: z.array(z.string().max(1024)).max(64).optional(),
  capabilities: capabilitiesSchema.optional(),
  limits: limitsSchema.optional(),
  outputSchema: z
    .custom<z.ZodType>(
      (value) => typeof (value as { safeParse?: unknown } | null)?.safeParse === "function",
      "must be a zod schema",
    )
    .optional(),
  onStdout: callback<(chunk: Uint8Array) => void>().optional(),
  onStderr: callback<(chunk: Uint8Array) => void>().optional(),
  tenant: z.string().optional(),
  engine: engine.optional(),
  signal: signal.optional(),
};

/** Not a zod record, which would drop a name such as `__proto__` instead of refusing it. */
function isRecordOfFiles(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array)
    return false;
  const contents: unknown[] = Object.values(value);
  return (
    contents.length <= MAX_FILES &&
    contents.every((content) => typeof content === "string" || content instanceof Uint8Array)
  );
}

const compileSchema = z.strictObject(compileFields);
const executeSchema = z.strictObject(executeFields);
const runSchema = z.strictObject({ ...compileFields, ...executeFields });

/** Options as zod leaves them: what was not said is undefined. */
export type Parsed<T> = { [Key in keyof T]?: T[Key] | undefined };

/** @throws ScriptcellError INVALID_OPTIONS */
export function parseExecutorOptions(options: ExecutorOptions): z.output<typeof executorSchema> {
  return parse(executorSchema, options, "executor options");
}

/** @throws ScriptcellError INVALID_OPTIONS */
export function parseCompileOptions(options: CompileOptions): Parsed<CompileOptions> {
  return parse(compileSchema, options, "compile options");
}

/** @throws ScriptcellError INVALID_OPTIONS */
export function parseExecuteOptions(options: ExecuteOptions): ParsedExecuteOptions {
  return stdinOf(parse(executeSchema, options, "run options"));
}

/** @throws ScriptcellError INVALID_OPTIONS */
export function parseRunOptions(options: RunOptions): ParsedExecuteOptions & Parsed<CompileOptions> {
  return stdinOf(parse(runSchema, options, "run options"));
}

/** Run options with `input` and `stdin` made one. */
export type ParsedExecuteOptions = Omit<z.output<typeof executeSchema>, "input">;

function stdinOf<Options extends { input?: unknown; stdin?: StdinSource | undefined }>(
  options: Options,
): Omit<Options, "input"> {
  const { input, ...rest } = options;
  if (input === undefined) return rest;
  if (rest.stdin !== undefined) throw new ScriptcellError("INVALID_OPTIONS", "give input or stdin, not both");
  let json: string | undefined;
  try {
    json = JSON.stringify(input);
  } catch (cause) {
    throw new ScriptcellError("INVALID_OPTIONS", `input is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (json === undefined)
    throw new ScriptcellError("INVALID_OPTIONS", "input is not JSON: give a value, not a function or symbol");
  return { ...rest, stdin: json };
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ScriptcellError("INVALID_OPTIONS", `${what}: ${z.prettifyError(parsed.error)}`, {
    cause: parsed.error,
  });
}
