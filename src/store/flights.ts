/** Work that several callers wait for: done once, and ended when the last of them has left. */
interface Flight<T> {
  readonly result: Promise<T>;
  readonly end: AbortController;
  waiting: number;
}

/** At most one flight per key. */
export interface Flights<T> {
  /**
   * The result of the flight under this key, started with `start` if there is none.
   * `signal` makes this caller leave, with the signal's reason; when the last one leaves, the flight's own signal is aborted.
   */
  join(key: string, start: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Waits until every flight has ended, also those that everybody has left. */
  idle(): Promise<void>;
}

export function createFlights<T>(): Flights<T> {
  const flights = new Map<string, Flight<T>>();
  const underWay = new Set<Promise<T>>();

  function depart(key: string, start: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const end = new AbortController();
    const flight: Flight<T> = { result: start(end.signal), end, waiting: 0 };
    flights.set(key, flight);
    underWay.add(flight.result);
    const forget = () => {
      underWay.delete(flight.result);
      if (flights.get(key) === flight) flights.delete(key);
    };
    flight.result.then(forget, forget);
    return flight;
  }

  function leave(key: string, flight: Flight<T>, reason: unknown): void {
    flight.waiting -= 1;
    if (flight.waiting > 0) return;
    // Who comes now starts afresh: this flight only ends.
    if (flights.get(key) === flight) flights.delete(key);
    flight.end.abort(reason);
  }

  async function join(
    key: string,
    start: (signal: AbortSignal) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    signal?.throwIfAborted();
    const flight = flights.get(key) ?? depart(key, start);
    flight.waiting += 1;
    if (signal === undefined) return flight.result;
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        leave(key, flight, signal.reason);
        reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      flight.result.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
    });
  }

  async function idle(): Promise<void> {
    await Promise.allSettled(underWay);
  }

  return { join, idle };
}
