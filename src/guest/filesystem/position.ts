/** A place in a file, in bytes from its beginning: a number where that is exact, which is quicker, and a bigint beyond. */
export type Position = number | bigint;

const MAX_EXACT = BigInt(Number.MAX_SAFE_INTEGER);

export function positionAt(offset: bigint): Position {
  return offset <= MAX_EXACT ? Number(offset) : offset;
}

/** The place so many bytes further on. */
export function advance(position: Position, bytes: number): Position {
  if (typeof position === "bigint") return positionAt(position + BigInt(bytes));
  const sum = position + bytes;
  return sum <= Number.MAX_SAFE_INTEGER ? sum : BigInt(position) + BigInt(bytes);
}
