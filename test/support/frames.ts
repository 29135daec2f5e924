/** Byte that a cell's message starts with, by kind; written out here so that a change of the wire shows. */
export const CELL_KIND = {
  ready: 0,
  stdout: 1,
  stderr: 2,
  pull: 3,
  denial: 4,
  done: 5,
  artifact: 6,
  "artifact-bytes": 7,
  "stack-frame": 8,
} as const;

/** A frame as an attacker writes it: any kind, any text, any announced length. */
export function rawFrame(
  kind: number,
  json: string | Uint8Array,
  payload: Uint8Array = new Uint8Array(0),
  announced: { jsonBytes?: number; payloadBytes?: number } = {},
): Buffer {
  const fields = typeof json === "string" ? Buffer.from(json, "utf8") : json;
  const header = Buffer.alloc(9);
  header.writeUInt8(kind, 0);
  header.writeUInt32LE(announced.jsonBytes ?? fields.length, 1);
  header.writeUInt32LE(announced.payloadBytes ?? payload.length, 5);
  return Buffer.concat([header, fields, payload]);
}
