import { instrument } from "../../src/instrument/instrument.ts";
import { DEFAULT_LIMITS } from "../../src/limits.ts";
import { processorTime } from "../processor-time.ts";
import { quantile } from "../timing.ts";

/** Processor time of taking a module in, in milliseconds per megabyte of it: warm, the median of many times. */
export interface Rewriting {
  /** Reading, planning, all passes and writing. */
  own: number;
  /** The same with V8's validation of what came in and of what goes out. */
  withValidation: number;
}

const WARM_UP = 20;
const ROUNDS = 25;

/** Takes all modules in, again and again. */
export function rewritingOf(modules: readonly Uint8Array[]): Rewriting {
  const megabytes = modules.reduce((sum, { length }) => sum + length, 0) / 1e6;
  const own: number[] = [];
  const whole: number[] = [];
  const { validate } = WebAssembly;
  let validating = 0;
  // Validation stands in the middle of the work: it is timed where it is.
  WebAssembly.validate = (bytes) => {
    const before = processorTime();
    const valid = validate(bytes);
    validating += processorTime() - before;
    return valid;
  };
  try {
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      validating = 0;
      const before = processorTime();
      for (const bytes of modules) instrument(bytes, DEFAULT_LIMITS);
      const spent = processorTime() - before;
      if (round < 0) continue;
      own.push((spent - validating) / megabytes);
      whole.push(spent / megabytes);
    }
  } finally {
    WebAssembly.validate = validate;
  }
  return { own: quantile(own, 0.5), withValidation: quantile(whole, 0.5) };
}
