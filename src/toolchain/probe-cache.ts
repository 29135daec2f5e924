import { randomUUID } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { toolchainLayout } from "./layout.ts";
import { isOurs, makePrivateDirectory } from "./private-dir.ts";

const entriesSchema = z.record(z.string(), z.unknown());

/** More than one machine's compilers; a cache of old keys is not worth keeping. */
const MAX_ENTRIES = 64;

const inMemory = new Map<string, unknown>();

/**
 * What `ask` answered for this key, from memory or the cache directory, else asks. Failures are not kept.
 * The cache is a convenience: one that cannot be read, is damaged or could have been written by a stranger is passed over.
 */
export async function remember<T>(
  cacheDir: string,
  key: string,
  schema: z.ZodType<T>,
  ask: () => Promise<T>,
): Promise<T> {
  const memoryKey = `${cacheDir}\0${key}`;
  const held = schema.safeParse(inMemory.get(memoryKey));
  if (held.success) return held.data;
  const file = toolchainLayout(cacheDir).probes;
  const kept = schema.safeParse((await readEntries(file))[key]);
  const answer = kept.success ? kept.data : await ask();
  inMemory.set(memoryKey, answer);
  if (!kept.success) await keep(file, key, answer);
  return answer;
}

async function readEntries(file: string): Promise<Record<string, unknown>> {
  try {
    if (!(await isOurs(dirname(file))) || !(await isOurs(file))) return {};
    return entriesSchema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch {
    return {};
  }
}

async function keep(file: string, key: string, answer: unknown): Promise<void> {
  const temporary = `${file}.${randomUUID()}`;
  try {
    await makePrivateDirectory(dirname(file));
    const others = Object.entries(await readEntries(file)).filter(([name]) => name !== key);
    const entries = Object.fromEntries([...others, [key, answer]].slice(-MAX_ENTRIES));
    await writeFile(temporary, JSON.stringify(entries), { mode: 0o600 });
    await rename(temporary, file);
  } catch {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}
