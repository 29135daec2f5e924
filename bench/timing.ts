/** Something whose duration is measured. */
export type Subject = () => Promise<unknown> | undefined;

/** What the durations of one subject came to, in milliseconds. */
export interface Timing {
  median: number;
  p95: number;
}

/** How often each subject is measured. */
export interface Rounds {
  /** Rounds before those that count: caches fill, code is compiled, cells start. */
  warmUp: number;
  rounds: number;
}

/**
 * Measures subjects in turn, so that whatever else the machine does falls on all of them alike: their ratio holds where their
 * durations do not. The order is another one in each round, because what ran just before leaves its mark: on the processor's caches, on
 * files that are still on their way to the disk.
 */
export async function interleave<Name extends string>(
  subjects: Readonly<Record<Name, Subject>>,
  { warmUp, rounds }: Rounds,
): Promise<Record<Name, Timing>> {
  const entries = Object.entries<Subject>(subjects).map(([name, subject]) => ({
    name,
    subject,
    durations: [] as number[],
  }));
  for (let round = -warmUp; round < rounds; round++) {
    for (const { subject, durations } of shuffled(entries)) {
      const startedAt = performance.now();
      await subject();
      const duration = performance.now() - startedAt;
      if (round >= 0) durations.push(duration);
    }
  }
  return Object.fromEntries(entries.map(({ name, durations }) => [name, summarise(durations)])) as Record<
    Name,
    Timing
  >;
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

/** The value below which a share of all samples lies. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  if (value === undefined) throw new RangeError("a quantile of no samples");
  return value;
}

function summarise(durations: readonly number[]): Timing {
  return { median: quantile(durations, 0.5), p95: quantile(durations, 0.95) };
}

/** Calls per second of `callers` that each call again as soon as they were answered. */
export async function callsPerSecond(call: Subject, callers: number, seconds: number): Promise<number> {
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1_000;
  let calls = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      await call();
      calls += 1;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return calls / ((performance.now() - startedAt) / 1_000);
}
