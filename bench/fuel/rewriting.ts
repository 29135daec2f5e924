import { instrument } from "../../src/instrument/instrument.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { quantile } from "../timing.ts";

/**
 * The time it takes to take a module in, in milliseconds per megabyte of it: warm, and without what others on the machine
 * take from it, which only adds: the fastest tenth of many times, module by module.
 */
export interface Rewriting {
  /** Reading, planning, all passes and writing. */
  own: number;
  /** The same with V8's validation of what came in and of what goes out. */
  withValidation: number;
}

const WARM_UP = 20;
/** Some seconds, because what others take they take for a second or two at a time. */
const ROUNDS = 300;

interface Times {
  own: number[];
  whole: number[];
}

/** Takes all modules in, again and again. */
export function rewritingOf(modules: readonly Uint8Array[]): Rewriting {
  const subjects = modules.map((bytes) => ({ bytes, times: { own: [], whole: [] } as Times }));
  const { validate } = WebAssembly;
  let validating = 0;
  // Validation stands in the middle of the work: it is timed where it is.
  WebAssembly.validate = (bytes) => {
    const before = performance.now();
    const valid = validate(bytes);
    validating += performance.now() - before;
    return valid;
  };
  try {
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      for (const { bytes, times } of subjects) {
        validating = 0;
        const before = performance.now();
        instrument(bytes, DEFAULT_LIMITS);
        const spent = performance.now() - before;
        if (round < 0) continue;
        times.own.push(spent - validating);
        times.whole.push(spent);
      }
    }
  } finally {
    WebAssembly.validate = validate;
  }
  const perMegabyte = (kind: keyof Times): number => {
    const spent = subjects.reduce((sum, { times }) => sum + quantile(times[kind], 0.1), 0);
    return spent / (modules.reduce((sum, { length }) => sum + length, 0) / 1e6);
  };
  return { own: perMegabyte("own"), withValidation: perMegabyte("whole") };
}
