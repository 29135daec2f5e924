import { captureGuest, enterGuest, leaveGuest } from "../backtrace/stack.ts";
import { Errno, Failure } from "../filesystem/errno.ts";
import type { AllowBytes } from "./call-bytes.ts";
import { OutputLimit, type Preview1Io } from "./preview1.ts";
import { Refusal } from "./refusal.ts";

/** Arguments by signature: `i` is an unsigned 32-bit number, `I` an unsigned 64-bit bigint. */
type Arguments<Signature extends string> = Signature extends `i${infer Rest}`
  ? [number, ...Arguments<Rest>]
  : Signature extends `I${infer Rest}`
    ? [bigint, ...Arguments<Rest>]
    : [];

/** An argument of a function, or undefined where it has none. */
type Value = number | bigint | undefined;

/** One function of preview 1: it returns for success and throws `Failure` for anything else. */
export interface HostCall {
  signature: string;
  run: (...args: never) => void;
}

/** The functions of preview 1 by name. */
export type HostCalls = Readonly<Record<string, HostCall>>;

export function call<Signature extends string>(
  signature: Signature,
  run: (...args: Arguments<Signature>) => void,
): HostCall {
  return { signature, run };
}

/**
 * Makes the function that the guest imports, the one way into the host. Integers arrive signed and leave here unsigned; a guest
 * may declare an import with any type, so each is checked. What a call throws becomes its error number, except for what ends the
 * run: an exit, full output, a fault of the host. That is thrown through the guest, and again on every later call, so that a
 * guest that catches it gets no further. `allowBytes` may refuse a call before it does anything.
 */
export function createGate(
  io: Preview1Io,
  allowBytes?: AllowBytes,
): (name: string, hostCall: HostCall) => WebAssembly.ImportValue {
  let ended: { by: unknown } | undefined;
  return (name, { signature, run }) => {
    const allow = allowBytes?.(name);
    const invoke = run as (...args: Value[]) => void;
    const [ta, tb, tc, td, te, tf, tg, th, ti] = signature;
    const serve: typeof invoke = (a, b, c, d, e, f, g, h, i) => {
      allow?.(a, b, c, d, e, f, g, h, i);
      invoke(a, b, c, d, e, f, g, h, i);
    };
    // As many parameters as any function has, instead of an array: one for each call would be most of a run's garbage.
    const imported: (...args: Value[]) => number = (a, b, c, d, e, f, g, h, i) => {
      if (ended !== undefined) throw ended.by;
      leaveGuest();
      try {
        serve(
          unsigned(a, ta),
          unsigned(b, tb),
          unsigned(c, tc),
          unsigned(d, td),
          unsigned(e, te),
          unsigned(f, tf),
          unsigned(g, tg),
          unsigned(h, th),
          unsigned(i, ti),
        );
        return Errno.SUCCESS;
      } catch (error) {
        if (error instanceof Failure) {
          if (error instanceof Refusal) deny(name, error);
          return error.errno;
        }
        ended = { by: error };
        if (error instanceof OutputLimit) captureGuest(error);
        throw error;
      } finally {
        enterGuest();
      }
    };
    return imported;
  };

  function deny(name: string, { target, reason, grant }: Refusal): void {
    try {
      io.deny({ call: name, target, reason, grant });
    } catch (error) {
      ended = { by: error };
      throw error;
    }
  }
}

function unsigned(argument: unknown, type: string | undefined): Value {
  if (type === undefined) return undefined;
  if (type === "i" && typeof argument === "number") return argument >>> 0;
  if (type === "I" && typeof argument === "bigint") return BigInt.asUintN(64, argument);
  throw new Failure(Errno.INVAL);
}
