/** Each documented interface says what its schema takes, field by field. Checked by the compiler, never run. */
import { expectTypeOf } from "vitest";
import type { z } from "zod";
import type { Capabilities, capabilitiesSchema } from "../../src/capabilities.ts";
import type { CompileLimits, compileLimitsSchema } from "../../src/compile/compile-limits.ts";
import type { DEFAULT_LIMITS, LimitName, Limits, limitsSchema } from "../../src/limits.ts";

/** A type without what a schema cannot say: `readonly`, and whether an optional field may be written out as undefined. */
type Plain<T> = T extends Date
  ? T
  : T extends readonly (infer Item)[]
    ? Plain<Item>[]
    : T extends object
      ? { -readonly [Key in keyof T]: Plain<Exclude<T[Key], undefined>> }
      : T;

expectTypeOf<Plain<z.input<typeof limitsSchema>>>().toEqualTypeOf<Plain<Partial<Limits>>>();
expectTypeOf<Plain<z.input<typeof compileLimitsSchema>>>().toEqualTypeOf<Plain<Partial<CompileLimits>>>();
expectTypeOf<Plain<z.input<typeof capabilitiesSchema>>>().toEqualTypeOf<Plain<Capabilities>>();

// What the comparison is worth: a field too many, one too few, and one of another type are seen.
expectTypeOf<Plain<Limits & { fuel: bigint }>>().not.toEqualTypeOf<Plain<Limits>>();
expectTypeOf<Plain<Omit<Limits, "openFiles">>>().not.toEqualTypeOf<Plain<Limits>>();
expectTypeOf<Plain<Omit<Capabilities, "args"> & { args?: string }>>().not.toEqualTypeOf<
  Plain<Capabilities>
>();

expectTypeOf<keyof typeof DEFAULT_LIMITS>().toEqualTypeOf<LimitName>();
