import type { Budget } from "./budget.ts";
import type { Clock } from "./clock.ts";
import type { Descriptors } from "./descriptors.ts";
import type { GuestMemory } from "./memory.ts";
import type { Preview1Grants, Preview1Io } from "./preview1.ts";

/** The state of one run, which its calls share. */
export interface Host {
  readonly memory: GuestMemory;
  readonly descriptors: Descriptors;
  readonly budget: Budget;
  readonly clock: Clock;
  readonly grants: Preview1Grants;
  readonly io: Preview1Io;
}
