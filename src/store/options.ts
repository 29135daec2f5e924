import { z } from "zod";
import { ScriptcellError } from "../errors.ts";
import { DEFAULT_STORE_OPTIONS, type PruneBounds, type StoreOptions, type StoreWarning } from "./store.ts";

const amount = z.int().min(0);

const storeOptionsSchema = z.strictObject({
  directory: z.string().min(1).nullable(),
  memoryBytes: amount.default(DEFAULT_STORE_OPTIONS.memoryBytes),
  diskBytes: amount.default(DEFAULT_STORE_OPTIONS.diskBytes),
  maxAgeMs: amount.default(DEFAULT_STORE_OPTIONS.maxAgeMs),
  lockWaitMs: amount.default(DEFAULT_STORE_OPTIONS.lockWaitMs),
  onWarning: z
    .custom<StoreWarning>((value) => typeof value === "function", "must be a function")
    .default(() => emitWarning),
});

/**
 * The options with every default in place.
 * @throws ScriptcellError `INVALID_OPTIONS`
 */
export function parseStoreOptions(options: StoreOptions): Required<StoreOptions> {
  return parsed(storeOptionsSchema, options, "store options");
}

/**
 * The bounds with the store's own where nothing is said.
 * @throws ScriptcellError `INVALID_OPTIONS`
 */
export function parsePruneBounds(
  bounds: PruneBounds,
  store: { diskBytes: number; maxAgeMs: number },
): Required<PruneBounds> {
  const schema = z.strictObject({
    maxBytes: amount.default(store.diskBytes),
    maxAgeMs: amount.default(store.maxAgeMs),
  });
  return parsed(schema, bounds, "prune bounds");
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ScriptcellError(
    "INVALID_OPTIONS",
    `These ${what} cannot be used: correct them.\n${z.prettifyError(result.error)}`,
    {
      cause: result.error,
    },
  );
}

function emitWarning(message: string, cause: unknown): void {
  const detail = cause instanceof Error ? cause.message : String(cause);
  process.emitWarning(message, { type: "ScriptcellWarning", code: "SCRIPTCELL_STORE", detail });
}
