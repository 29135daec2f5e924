/**
 * Node's own modules for a cell. Not by import statements: one runs every getter of a module's exports, and with them loads
 * promises, streams and web cryptography, which cost each cell 4 MB and 20 ms and are never used.
 */
export const fs = process.getBuiltinModule("node:fs");
