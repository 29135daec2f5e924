import { pageCap } from "../caps.ts";
import type { Pass } from "../pass.ts";

/** Lowers the memory's maximum to the cap: `memory.grow` beyond it answers -1. */
export const memoryCap: Pass = (module, caps) => {
  const cap = pageCap(caps);
  for (const memory of module.memories) memory.maximum = Math.min(memory.maximum ?? cap, cap);
};
