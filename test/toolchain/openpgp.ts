import { createHash, generateKeyPairSync, sign } from "node:crypto";

/** A key that signs as Debian's do. */
export interface SigningKey {
  /** The public key block, binary: a keyring for apt. */
  keyring: Buffer;
  /** Makes a detached signature, in ASCII armor as apt wants it. */
  sign(data: Buffer): Buffer;
}

// Just enough of RFC 4880 and its EdDSA extension to make a keyring and a signature, so that the tests need no gpg.
const EDDSA = 22;
const SHA256 = 8;
const ED25519_OID = Buffer.from("092b06010401da470f01", "hex");

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const packet = (tag: number, body: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0xc0 | tag, 0xff]), u32(body.length), body]);

function integer(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const rest = bytes.subarray(start);
  return Buffer.concat([u16((rest.length - 1) * 8 + (rest[0] ?? 0).toString(2).length), rest]);
}

function armor(signature: Buffer): Buffer {
  const lines = signature.toString("base64").match(/.{1,64}/g) ?? [];
  return Buffer.from(
    ["-----BEGIN PGP SIGNATURE-----", "", ...lines, "-----END PGP SIGNATURE-----", ""].join("\n"),
  );
}

/** Makes a fresh Ed25519 key with a user id that it certifies itself. */
export function makeSigningKey(userId: string): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const created = u32(Math.floor(Date.now() / 1000) - 3600);
  const point = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const key = Buffer.concat([
    Buffer.from([4]),
    created,
    Buffer.from([EDDSA]),
    ED25519_OID,
    integer(Buffer.concat([Buffer.from([0x40]), point])),
  ]);
  const framed = Buffer.concat([Buffer.from([0x99]), u16(key.length), key]);
  const fingerprint = createHash("sha1").update(framed).digest();

  const signature = (type: number, data: Buffer, extra: readonly Buffer[]): Buffer => {
    const subpacket = (kind: number, body: Buffer) =>
      Buffer.concat([Buffer.from([body.length + 1, kind]), body]);
    const hashed = Buffer.concat([
      subpacket(2, created),
      subpacket(33, Buffer.concat([Buffer.from([4]), fingerprint])),
      ...extra,
    ]);
    const unhashed = subpacket(16, fingerprint.subarray(-8));
    const head = Buffer.concat([Buffer.from([4, type, EDDSA, SHA256]), u16(hashed.length), hashed]);
    const digest = createHash("sha256")
      .update(data)
      .update(head)
      .update(Buffer.from([4, 0xff]))
      .update(u32(head.length))
      .digest();
    const proof = sign(null, digest, privateKey);
    return packet(
      2,
      Buffer.concat([
        head,
        u16(unhashed.length),
        unhashed,
        digest.subarray(0, 2),
        integer(proof.subarray(0, 32)),
        integer(proof.subarray(32)),
      ]),
    );
  };

  const id = Buffer.from(userId);
  const keyFlags = Buffer.from([2, 27, 0x03]);
  const certification = signature(0x13, Buffer.concat([framed, Buffer.from([0xb4]), u32(id.length), id]), [
    keyFlags,
  ]);
  return {
    keyring: Buffer.concat([packet(6, key), packet(13, id), certification]),
    sign: (data) => armor(signature(0x00, data, [])),
  };
}
