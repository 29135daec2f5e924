import { readCount, readU32 } from "./cursor.ts";
import { WasmFormatError } from "./format-error.ts";
import { typeIndicesOfFunctions } from "./indices.ts";
import type { Body } from "./module.ts";
import { Opcode } from "./opcodes.ts";
import { closeBody, type OperatorCursor, openBody, operatorCursor } from "./operator-cursor.ts";
import { nextOperator } from "./operators.ts";
import type { ReadState } from "./read-state.ts";
import { skipComputing } from "./skip-computing.ts";

const NONE: readonly number[] = [];

/** Finds the bodies and walks every operator of them, so that nothing unknown is in a module that was read. */
export function readCode(state: ReadState): void {
  const { cursor, module, spaces, bounds, visitor } = state;
  const countAt = cursor.at;
  const count = readCount(cursor, "function bodies", bounds.functions);
  if (count !== module.functions.length) {
    throw new WasmFormatError(`${count} bodies follow ${module.functions.length} functions`, countAt);
  }
  const operators = operatorCursor(spaces, bounds);
  const countOperands = operandCounter(state);
  const long: number[] = [];
  let locals = 0;
  for (const typeIndex of module.functions) {
    const body = findBody(state);
    const params = module.types[typeIndex]?.params.length ?? 0;
    openBody(operators, body, params);
    locals += operators.locals - params;
    if (locals > bounds.locals) {
      throw new WasmFormatError(`more than ${bounds.locals} locals in all functions together`, body.start);
    }
    visitor?.enter(operators);
    while (operators.depth > 0) {
      operators.passed = mayCompute(operators) ? skipComputing(operators) : 0;
      nextOperator(operators);
      visitor?.operator(operators);
      const { opcode } = operators;
      if (hasOperands(opcode)) countOperands(operators);
      else if (isLong(opcode)) long.push(operators.start);
    }
    closeBody(operators);
    if (long.length > 0) body.long = long.splice(0);
    module.bodies.push(body);
    cursor.at = body.end;
  }
}

function findBody({ cursor, bounds }: ReadState): Body {
  const sizeAt = cursor.at;
  const size = readU32(cursor);
  if (size > bounds.bodyBytes) {
    throw new WasmFormatError(
      `a function has ${size} bytes, and at most ${bounds.bodyBytes} are accepted`,
      sizeAt,
    );
  }
  if (size > cursor.end - cursor.at) throw new WasmFormatError("a function ends beyond its section", sizeAt);
  return { bytes: cursor.bytes, start: cursor.at, end: cursor.at + size, long: NONE };
}

function hasOperands(opcode: number): boolean {
  return opcode <= Opcode.returnCallIndirect && (opcode >= Opcode.call || opcode <= Opcode.if);
}

/** Nearly half of all operators that do more than compute follow another such, and a call for nothing costs as much as reading one. */
function mayCompute({ bytes, at }: OperatorCursor): boolean {
  return (bytes[at] ?? 0) >= Opcode.select;
}

function isLong(opcode: number): boolean {
  return opcode === Opcode.memoryGrow || (opcode >= Opcode.memoryInit && opcode <= Opcode.tableFill);
}

/** Adds up the operands of calls and blocks, and holds blocks to their bounds. */
function operandCounter({ module, bounds }: ReadState): (operators: OperatorCursor) => void {
  const operandsOfType = Uint32Array.from(
    module.types,
    ({ params, results }) => params.length + results.length,
  );
  const typeOfFunction = typeIndicesOfFunctions(module);
  let operands = 0;
  const count = (typeIndex: number | undefined, offset: number): void => {
    operands += operandsOfType[typeIndex ?? -1] ?? 0;
    if (operands > bounds.operands) {
      throw new WasmFormatError(`more than ${bounds.operands} operands of calls and blocks together`, offset);
    }
  };
  return ({ opcode, first, depth, start }) => {
    switch (opcode) {
      case Opcode.call:
      case Opcode.returnCall:
        return count(typeOfFunction[first], start);
      case Opcode.callIndirect:
      case Opcode.returnCallIndirect:
        return count(first, start);
      case Opcode.block:
      case Opcode.loop:
      case Opcode.if: {
        // The body's own level does not count as a block.
        if (depth - 1 > bounds.nesting) {
          throw new WasmFormatError(`more than ${bounds.nesting} blocks inside each other`, start);
        }
        if (first === -1) return;
        const params = module.types[first]?.params.length ?? 0;
        if (params > bounds.blockParams) {
          throw new WasmFormatError(
            `a block has ${params} parameters, and at most ${bounds.blockParams} are accepted`,
            start,
          );
        }
        return count(first, start);
      }
    }
  };
}
