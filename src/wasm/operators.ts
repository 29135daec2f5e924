import { readByte, readS32, readU32, skipBytes, skipS64 } from "./cursor.ts";
import {
  readBlockType,
  readIndex,
  readLabelTable,
  readLanes,
  readMemoryArgument,
  readMemoryIndex,
  readSelectTypes,
  refusedOperator,
} from "./immediates.ts";
import { BULK_IMMEDIATES, Immediates, PLAIN_IMMEDIATES, VECTOR_IMMEDIATES } from "./opcodes.ts";
import type { OperatorCursor } from "./operator-cursor.ts";
import { addPlace } from "./places.ts";
import { readHeapType } from "./value-types.ts";

/** Reads the next operator. Call it while `depth` is above 0; after that {@link closeBody}. */
export function nextOperator(cursor: OperatorCursor): void {
  cursor.start = cursor.at;
  const opcode = readByte(cursor);
  cursor.opcode = opcode;
  readImmediates(cursor, PLAIN_IMMEDIATES[opcode]);
}

function readImmediates(cursor: OperatorCursor, immediates: number | undefined): void {
  const { spaces } = cursor;
  switch (immediates) {
    case Immediates.none:
      return;
    case Immediates.local:
      cursor.first = readIndex(cursor, "local", cursor.locals);
      if (cursor.first === cursor.params) addPlace(cursor.firstLocal, cursor.start);
      return;
    case Immediates.i32:
      cursor.first = readS32(cursor);
      return;
    case Immediates.memoryArgument:
      readMemoryArgument(cursor);
      return;
    case Immediates.end:
      cursor.depth -= 1;
      return;
    case Immediates.label:
      cursor.first = readIndex(cursor, "label", cursor.depth);
      return;
    case Immediates.blockType:
      readBlockType(cursor);
      cursor.depth += 1;
      return;
    case Immediates.function:
      cursor.first = readIndex(cursor, "function", spaces.functions);
      return;
    case Immediates.global:
      cursor.first = readIndex(cursor, "global", spaces.globals);
      return;
    case Immediates.i64:
      skipS64(cursor);
      return;
    case Immediates.typeAndTable:
      cursor.first = readIndex(cursor, "type", spaces.types);
      cursor.second = readIndex(cursor, "table", spaces.tables);
      return;
    case Immediates.labelTable:
      readLabelTable(cursor);
      return;
    case Immediates.table:
      cursor.first = readIndex(cursor, "table", spaces.tables);
      return;
    case Immediates.memory:
      readMemoryIndex(cursor);
      return;
    case Immediates.f32:
      skipBytes(cursor, 4);
      return;
    case Immediates.f64:
      skipBytes(cursor, 8);
      return;
    case Immediates.selectTypes:
      readSelectTypes(cursor);
      return;
    case Immediates.heapType:
      cursor.first = readHeapType(cursor);
      return;
    case Immediates.prefixBulk:
      readPrefixed(cursor, BULK_IMMEDIATES);
      return;
    case Immediates.prefixVector:
      readPrefixed(cursor, VECTOR_IMMEDIATES);
      return;
    case Immediates.dataAndMemory:
      cursor.first = readIndex(cursor, "data segment", spaces.data);
      readMemoryIndex(cursor);
      return;
    case Immediates.data:
      cursor.first = readIndex(cursor, "data segment", spaces.data);
      return;
    case Immediates.twoMemories:
      readMemoryIndex(cursor);
      readMemoryIndex(cursor);
      return;
    case Immediates.elementAndTable:
      cursor.first = readIndex(cursor, "element segment", spaces.elements);
      cursor.second = readIndex(cursor, "table", spaces.tables);
      return;
    case Immediates.element:
      cursor.first = readIndex(cursor, "element segment", spaces.elements);
      return;
    case Immediates.twoTables:
      cursor.first = readIndex(cursor, "table", spaces.tables);
      cursor.second = readIndex(cursor, "table", spaces.tables);
      return;
    case Immediates.v128:
      skipBytes(cursor, 16);
      return;
    case Immediates.lane:
      readLanes(cursor, 1, 16);
      return;
    case Immediates.memoryArgumentAndLane:
      readMemoryArgument(cursor);
      readLanes(cursor, 1, 16);
      return;
    case Immediates.shuffle:
      readLanes(cursor, 16, 32);
      return;
    default:
      throw refusedOperator(cursor.opcode, undefined, cursor.start);
  }
}

function readPrefixed(cursor: OperatorCursor, table: Uint8Array): void {
  const prefix = cursor.opcode;
  const number = readU32(cursor);
  const immediates = table[number];
  if (immediates === undefined || immediates === Immediates.refused) {
    throw refusedOperator(prefix, number, cursor.start);
  }
  cursor.opcode = (prefix << 8) | number;
  readImmediates(cursor, immediates);
}
