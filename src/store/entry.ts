import { hash } from "node:crypto";
import type { StoredModule } from "./store.ts";
import { storedDiagnosticsSchema } from "./stored-diagnostics.ts";

// One entry in one file:
//
//     offset  bytes  what
//          0     16  magic, with the version
//         16     32  SHA-256 of everything behind it
//         48     32  the key: an entry moved to another key's place is not that key's entry
//         80      4  length n of the diagnostics, little-endian
//         84      n  diagnostics, JSON
//     84 + n         the module, to the end of the file
const MAGIC = Buffer.from("scriptcell mod 1", "latin1");
const DIGEST_AT = 16;
const KEY_AT = 48;
const DIAGNOSTICS_LENGTH_AT = 80;
const HEADER_BYTES = 84;

/** The file of an entry. */
export function encodeEntry(key: string, module: StoredModule): Buffer {
  const diagnostics = Buffer.from(JSON.stringify(module.diagnostics));
  const file = Buffer.allocUnsafe(HEADER_BYTES + diagnostics.length + module.bytes.length);
  file.set(MAGIC);
  file.write(key, KEY_AT, "hex");
  file.writeUInt32LE(diagnostics.length, DIAGNOSTICS_LENGTH_AT);
  file.set(diagnostics, HEADER_BYTES);
  file.set(module.bytes, HEADER_BYTES + diagnostics.length);
  file.set(digestOf(file), DIGEST_AT);
  return file;
}

/** The module in the file of an entry; undefined where the file is anything but this key's entry, whole and unchanged. */
export function decodeEntry(key: string, file: Buffer): StoredModule | undefined {
  if (file.length < HEADER_BYTES) return undefined;
  if (!file.subarray(0, DIGEST_AT).equals(MAGIC)) return undefined;
  if (!file.subarray(DIGEST_AT, KEY_AT).equals(digestOf(file))) return undefined;
  if (file.toString("hex", KEY_AT, DIAGNOSTICS_LENGTH_AT) !== key) return undefined;
  const moduleAt = HEADER_BYTES + file.readUInt32LE(DIAGNOSTICS_LENGTH_AT);
  if (moduleAt > file.length) return undefined;
  const diagnostics = parseDiagnostics(file.subarray(HEADER_BYTES, moduleAt));
  if (diagnostics === undefined) return undefined;
  // A copy: a view would keep the whole file alive, and would be sent whole wherever the bytes are sent.
  return { bytes: Uint8Array.from(file.subarray(moduleAt)), diagnostics };
}

function digestOf(file: Buffer): Buffer {
  return hash("sha256", file.subarray(KEY_AT), "buffer");
}

function parseDiagnostics(json: Buffer): StoredModule["diagnostics"] | undefined {
  let data: unknown;
  try {
    data = JSON.parse(json.toString());
  } catch {
    return undefined;
  }
  return storedDiagnosticsSchema.safeParse(data).data;
}
