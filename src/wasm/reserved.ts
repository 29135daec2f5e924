/** Export names that begin with this belong to scriptcell: a guest that uses one is refused, a pass may append one. */
export const RESERVED_PREFIX = "scriptcell:";

/**
 * Name of the exported `(mut i32)` global that counts `memory.grow` calls that were refused, as an unsigned number that
 * stays at its maximum of 2^31 - 1. It is appended to every instrumented module; the guest's own code cannot name it.
 */
export const GROW_REFUSALS_EXPORT = `${RESERVED_PREFIX}grow-refusals`;

/**
 * Name of the exported `(mut i64)` global that holds the fuel that is left. The cell sets it before a guest begins; below
 * zero the guest has run out. It is appended to every instrumented module; the guest's own code cannot name it.
 */
export const FUEL_EXPORT = `${RESERVED_PREFIX}fuel`;

/** Module and name under which every instrumented module imports its memory, which the cell provides. */
export const MEMORY_IMPORT = Object.freeze({ module: "scriptcell", name: "memory" });
