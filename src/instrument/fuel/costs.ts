import { Opcode } from "../../wasm/opcodes.ts";

/**
 * Which table of costs this is. A unit of fuel is one operator as Wasmtime counts it: every operator costs 1 but those that
 * only give the code its shape, every entry of a function costs 1, and an operator on a range of memory or of a table costs
 * one more for each byte or element (each page for `memory.grow`). Wasmtime 49 and 50 charge the same.
 *
 * What changes the fuel of any program changes this number.
 */
export const FUEL_TABLE = 1;

/** What entering a function costs. */
export const ENTRY_COST = 1;

const FREE: readonly number[] = [
  Opcode.unreachable,
  Opcode.nop,
  Opcode.block,
  Opcode.loop,
  Opcode.else,
  Opcode.end,
  Opcode.return,
  Opcode.drop,
];

/** Costs by opcode; operators beyond the table (those with a prefix) cost 1. */
const COSTS = new Uint8Array(256).fill(1);
for (const opcode of FREE) COSTS[opcode] = 0;

/** What an operator costs, apart from the length of the range it works on. */
export function operatorCost(opcode: number): number {
  return COSTS[opcode] ?? 1;
}

const LONG_TABLE_OPERATORS: ReadonlySet<number> = new Set([
  Opcode.tableInit,
  Opcode.tableCopy,
  Opcode.tableFill,
]);

/** Operators that cost one more for each unit of their topmost operand. */
export function chargesLength(opcode: number): boolean {
  return (
    opcode >= Opcode.memoryInit &&
    (opcode <= Opcode.memoryFill ? opcode !== Opcode.dataDrop : LONG_TABLE_OPERATORS.has(opcode))
  );
}

/**
 * Operators that cost one more for each unit of their topmost operand, unless they are refused. (Wasmtime charges a refused
 * growth too where its compiler knows the operand and it is at most 128.)
 */
export function chargesGrowth(opcode: number): boolean {
  return opcode === Opcode.memoryGrow || opcode === Opcode.tableGrow;
}
