/** A small generator of pseudo-random 32-bit numbers (xorshift): the same seed gives the same numbers everywhere. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Bytes that mean something: operators, prefixes, types, ends of integers. */
const TELLING = [
  0x00, 0x01, 0x02, 0x03, 0x0b, 0x0e, 0x10, 0x3f, 0x40, 0x60, 0x70, 0x7f, 0x80, 0xd0, 0xfb, 0xfc, 0xfd, 0xfe,
  0xff,
];
const LARGE = [0xff, 0xff, 0xff, 0xff, 0x0f];

/** A module with a few random changes: bits, bytes, ranges removed, repeated, moved from elsewhere. */
export function mutate(module: Uint8Array, random: (below: number) => number): Uint8Array<ArrayBuffer> {
  let bytes = [...module];
  // Mostly one change, in place: more of them seldom leave anything that is read to its end.
  for (let changes = random(3) === 0 ? 1 + random(4) : 1; changes > 0 && bytes.length > 0; changes -= 1) {
    const at = random(bytes.length);
    const size = 1 + random(Math.min(16, bytes.length - at));
    const range = bytes.slice(at, at + size);
    const to = random(bytes.length);
    switch (random(12)) {
      case 0:
      case 8:
      case 9:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
        break;
      case 1:
        bytes[at] = random(256);
        break;
      case 2:
        bytes[at] = TELLING[random(TELLING.length)] ?? 0;
        break;
      case 3:
      case 10:
      case 11:
        bytes[at] = ((bytes[at] ?? 0) + (random(2) === 0 ? 1 : 255)) & 0xff;
        break;
      case 4:
        bytes.splice(at, size);
        break;
      case 5:
        bytes.splice(to, 0, ...range);
        break;
      case 6:
        bytes.splice(to, size, ...range);
        break;
      default:
        bytes.splice(at, random(2), ...LARGE);
    }
    if (bytes.length > 2 * module.length) bytes = bytes.slice(0, 2 * module.length);
  }
  return new Uint8Array(bytes);
}
