/** Bytes of modules, written by hand: what an assembler would never write. */

export const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** Section ids, in the order that modules have them. */
export const SECTION = {
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  dataCount: 12,
  code: 10,
  data: 11,
} as const;

/** An unsigned integer in LEB128, padded to `bytes` bytes. */
export function leb(value: number, bytes = 1): number[] {
  const encoded: number[] = [];
  let rest = value;
  do {
    encoded.push(rest % 128);
    rest = Math.floor(rest / 128);
  } while (rest > 0 || encoded.length < bytes);
  return encoded.map((byte, index) => (index < encoded.length - 1 ? byte | 0x80 : byte));
}

export function section(id: number, contents: readonly number[]): number[] {
  return [id, ...leb(contents.length), ...contents];
}

export function vector(items: ReadonlyArray<readonly number[]>): number[] {
  return [...leb(items.length), ...items.flat()];
}

export function name(text: string): number[] {
  const bytes = [...new TextEncoder().encode(text)];
  return [...leb(bytes.length), ...bytes];
}

export function customSection(title: string, contents: readonly number[]): number[] {
  return section(0, [...name(title), ...contents]);
}

export function moduleOf(...sections: ReadonlyArray<readonly number[]>): Uint8Array<ArrayBuffer> {
  return new Uint8Array([...PREAMBLE, ...sections.flat()]);
}

/** A function body with its size: declarations of locals, operators, `end`. */
export function body(operators: readonly number[], locals: readonly number[] = [0]): number[] {
  const contents = [...locals, ...operators, 0x0b];
  return [...leb(contents.length), ...contents];
}

/** `() -> ()`. */
export const VOID_TYPE = [0x60, 0x00, 0x00];

/** Sections of a command whose `_start` is the function 0, with these bodies, all of type `() -> ()`. */
export function commandSections(bodies: ReadonlyArray<readonly number[]>): number[][] {
  return [
    section(SECTION.type, vector([VOID_TYPE])),
    section(SECTION.function, vector(bodies.map(() => [0]))),
    section(SECTION.memory, vector([[0x00, 0x01]])),
    section(
      SECTION.export,
      vector([
        [...name("memory"), 0x02, 0x00],
        [...name("_start"), 0x00, 0x00],
      ]),
    ),
    section(SECTION.code, vector(bodies)),
  ];
}
