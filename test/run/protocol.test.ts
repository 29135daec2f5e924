import { describe, expect, test } from "vitest";
import { cellFrameReader } from "../../src/run/cell-messages.ts";
import {
  encodeCellMessage,
  encodeHostMessage,
  type Frame,
  hostFrameReader,
  ProtocolError,
} from "../../src/run/framing.ts";
import {
  type CellMessage,
  type GuestEnd,
  type HostMessage,
  MAX_CHUNK_BYTES,
  MAX_DENIAL_TEXT,
  MAX_DENIALS,
  MAX_FUNCTION_NAME,
} from "../../src/run/protocol.ts";
import { CELL_KIND, rawFrame } from "../support/frames.ts";

const text = (payload: Uint8Array): string => Buffer.from(payload).toString("utf8");

const DONE: CellMessage = {
  kind: "done",
  end: { how: "exit", exitCode: 3 },
  fuelLeft: -4_294_967_296,
  peakMemoryBytes: 65_536,
  refusedGrowths: 2,
  denialCounts: [1, 7],
};

const CELL_MESSAGES: ReadonlyArray<[CellMessage, string]> = [
  [{ kind: "ready", failed: null }, ""],
  [{ kind: "ready", failed: "/data: ENOENT" }, ""],
  [{ kind: "stdout" }, "out é\n"],
  [{ kind: "stderr" }, "err"],
  [{ kind: "stdout" }, ""],
  [{ kind: "pull", maxBytes: 4096 }, ""],
  [{ kind: "artifact", bytes: 3 }, "/tmp/a"],
  [{ kind: "artifact-bytes" }, "abc"],
  [{ kind: "denial", call: "path_open", target: "/etc/passwd", reason: "no mount", grant: "mounts" }, ""],
  [{ kind: "denial", call: "proc_raise", target: "", reason: "nobody may", grant: null }, ""],
  [{ kind: "stack-frame", function: "script::größe", index: 7 }, ""],
  [{ kind: "stack-frame", function: "", index: null }, ""],
  [DONE, ""],
];

const GUEST_ENDS: readonly GuestEnd[] = [
  { how: "exit", exitCode: 0 },
  { how: "exit", exitCode: 0xffff_ffff },
  { how: "trap", code: "unreachable", message: "unreachable" },
  { how: "stack-overflow" },
  { how: "output-limit", stream: "stdout" },
  { how: "output-limit", stream: "stderr" },
  { how: "load-failed", message: "section out of order" },
];

function drain<Message>(reader: { next(): Frame<Message> | undefined }): Frame<Message>[] {
  const frames: Frame<Message>[] = [];
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame);
  return frames;
}

function readCell(...chunks: Buffer[]): Frame<CellMessage>[] {
  const reader = cellFrameReader();
  return chunks.flatMap((chunk) => {
    reader.push(chunk);
    return drain(reader);
  });
}

/** What a reader makes of one cell frame with these fields. */
function parse(kind: keyof typeof CELL_KIND, fields: unknown): CellMessage | undefined {
  return readCell(rawFrame(CELL_KIND[kind], JSON.stringify(fields)))[0]?.message;
}

test("every cell message arrives as it was sent", () => {
  for (const [message, payload] of CELL_MESSAGES) {
    const frames = readCell(encodeCellMessage(message, Buffer.from(payload)));
    expect(frames.map((frame) => [frame.message, text(frame.payload)])).toEqual([[message, payload]]);
  }
});

test("every way in which a guest can end arrives as it was sent", () => {
  for (const end of GUEST_ENDS) {
    expect(readCell(encodeCellMessage({ ...DONE, end }))[0]?.message).toEqual({ ...DONE, end });
  }
});

test("every host message arrives as it was sent", () => {
  const messages: HostMessage[] = [
    {
      kind: "open",
      engine: "preview1",
      mounts: [{ source: "/srv/é", guest: "/data", access: "read", maxBytes: null }],
    },
    { kind: "module", key: "m1", memory: { minimum: 1, maximum: 2 } },
    { kind: "forget", key: "m1" },
    {
      kind: "run",
      module: "m1",
      args: ["script", ""],
      env: { LANG: "C" },
      clock: { kind: "frozen", epochNs: "1700000000000000000" },
      random: { kind: "seeded", seed: "7" },
      stdin: "attached",
      fuel: Number.MAX_SAFE_INTEGER,
      outputBytes: 10,
      diskBytes: 20,
      openFiles: 30,
      hostCallBytes: 40,
      terminal: true,
    },
    { kind: "stdin", end: true },
  ];
  const reader = hostFrameReader();
  for (const message of messages) reader.push(encodeHostMessage(message, Buffer.from("payload")));
  expect(drain(reader).map((frame) => [frame.message, text(frame.payload)])).toEqual(
    messages.map((message) => [message, "payload"]),
  );
});

test("frames that are split at any byte arrive whole and in order", () => {
  const stream = Buffer.concat(
    CELL_MESSAGES.map(([message, payload]) => encodeCellMessage(message, Buffer.from(payload))),
  );
  for (let cut = 0; cut <= stream.length; cut += 1) {
    const frames = readCell(stream.subarray(0, cut), stream.subarray(cut));
    expect(frames.map((frame) => frame.message)).toEqual(CELL_MESSAGES.map(([message]) => message));
    expect(frames.map((frame) => text(frame.payload))).toEqual(CELL_MESSAGES.map(([, payload]) => payload));
  }
});

test("frames that come one byte at a time, with empty chunks between, arrive whole", () => {
  const stream = Buffer.concat(
    CELL_MESSAGES.map(([message, payload]) => encodeCellMessage(message, Buffer.from(payload))),
  );
  const crumbs = [...stream].flatMap((byte) => [Buffer.from([byte]), Buffer.alloc(0)]);
  expect(readCell(...crumbs).map((frame) => frame.message)).toEqual(
    CELL_MESSAGES.map(([message]) => message),
  );
});

test("a frame that is not complete yet is no message", () => {
  const frame = encodeCellMessage({ kind: "stdout" }, Buffer.from("x"));
  for (let cut = 0; cut < frame.length; cut += 1) expect(readCell(frame.subarray(0, cut))).toEqual([]);
});

describe("a length beyond the bounds is an error as soon as the header is there", () => {
  const LARGEST_JSON = 16 * 1024;
  test.each([
    ["the largest payload and one byte more", 0, MAX_CHUNK_BYTES + 1],
    ["a payload of 4 GiB", 0, 0xffff_ffff],
    ["the largest JSON and one byte more", LARGEST_JSON + 1, 0],
    ["JSON of 4 GiB", 0xffff_ffff, 0],
    ["both of 4 GiB", 0xffff_ffff, 0xffff_ffff],
  ])("%s", (_, jsonBytes, payloadBytes) => {
    const header = rawFrame(CELL_KIND.stdout, "", Buffer.alloc(0), { jsonBytes, payloadBytes });
    expect(() => readCell(header)).toThrow(ProtocolError);
  });

  test("while a payload of the largest size is read", () => {
    const payload = Buffer.alloc(MAX_CHUNK_BYTES, "x");
    expect(readCell(encodeCellMessage({ kind: "stdout" }, payload))[0]?.payload.length).toBe(MAX_CHUNK_BYTES);
  });
});

test("an announced length alone makes the host keep nothing", () => {
  const before = process.memoryUsage().arrayBuffers;
  const readers = Array.from({ length: 1_000 }, () => {
    const reader = cellFrameReader();
    reader.push(rawFrame(CELL_KIND.stdout, "", Buffer.alloc(0), { payloadBytes: MAX_CHUNK_BYTES }));
    expect(reader.next()).toBeUndefined();
    return reader;
  });
  // A thousand buffers of the announced size would be 64 MB.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
  expect(readers).toHaveLength(1_000);
});

describe("bytes that are no message are a ProtocolError", () => {
  test("every kind that no message has", () => {
    for (let kind = Object.keys(CELL_KIND).length; kind < 256; kind += 1) {
      expect(() => readCell(rawFrame(kind, "{}"))).toThrow(ProtocolError);
    }
  });

  test.each([
    ["text that is not JSON", "{"],
    ["a bare word", "undefined"],
    ["bytes that are not UTF-8", Buffer.from([0x22, 0xff, 0xfe, 0x22])],
    ["null", "null"],
    ["a number", "7"],
    ["a string", '"done"'],
    ["a list", "[]"],
    ["a list in a thousand lists", `${"[".repeat(1000)}${"]".repeat(1000)}`],
  ])("%s where an object is due", (_, json) => {
    for (const name of ["ready", "pull", "denial", "done", "artifact", "stack-frame"] as const) {
      const kind = CELL_KIND[name];
      expect(() => readCell(rawFrame(kind, json))).toThrow(ProtocolError);
    }
  });

  test("junk of every first byte never passes as a done message", () => {
    for (let byte = 0; byte < 256; byte += 1) {
      const reader = cellFrameReader();
      reader.push(Buffer.alloc(512, byte));
      let outcome: string;
      try {
        outcome = drain(reader)
          .map((frame) => frame.message.kind)
          .join();
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
        outcome = "refused";
      }
      expect(outcome).not.toContain("done");
    }
  });

  test("a message of the host's is none of a cell's", () => {
    const run = encodeHostMessage({ kind: "stdin", end: true });
    expect(() => readCell(run)).toThrow(ProtocolError);
  });
});

describe("a field that is not what it has to be is a ProtocolError", () => {
  const NOT_TEXT = [undefined, null, 7, true, {}, [], ["x"], "x".repeat(MAX_DENIAL_TEXT + 1)];
  const NOT_COUNT = [undefined, null, -1, 0.5, 1e300, "7", true, {}, [], Number.MAX_SAFE_INTEGER + 1];
  const denial = { call: "c", target: "t", reason: "r", grant: "g" };

  test("ready.failed", () => {
    for (const failed of [undefined, 7, {}, [], false, "x".repeat(1025)]) {
      expect(() => parse("ready", { failed })).toThrow(ProtocolError);
    }
    expect(parse("ready", { failed: "x".repeat(1024) })).toMatchObject({ kind: "ready" });
  });

  test("pull.maxBytes", () => {
    for (const maxBytes of NOT_COUNT) expect(() => parse("pull", { maxBytes })).toThrow(ProtocolError);
    expect(parse("pull", { maxBytes: 0 })).toEqual({ kind: "pull", maxBytes: 0 });
  });

  test("stack-frame.function, such as one that is longer than any", () => {
    for (const value of [...NOT_TEXT.slice(0, -1), "x".repeat(MAX_FUNCTION_NAME + 1)]) {
      expect(() => parse("stack-frame", { function: value, index: 0 })).toThrow(ProtocolError);
    }
    const longest = "\u0000".repeat(MAX_FUNCTION_NAME);
    const frame = { kind: "stack-frame", function: longest, index: 0 };
    expect(parse("stack-frame", frame)).toEqual(frame);
  });

  test("stack-frame.index", () => {
    for (const index of [...NOT_COUNT, 0x1_0000_0000]) {
      if (index === null) continue;
      expect(() => parse("stack-frame", { function: "f", index })).toThrow(ProtocolError);
    }
    for (const index of [null, 0, 0xffff_ffff]) {
      expect(parse("stack-frame", { function: "f", index })).toMatchObject({ index });
    }
  });

  test("artifact.bytes", () => {
    for (const bytes of NOT_COUNT) expect(() => parse("artifact", { bytes })).toThrow(ProtocolError);
    expect(parse("artifact", { bytes: 0 })).toEqual({ kind: "artifact", bytes: 0 });
  });

  test.each(["call", "target", "reason", "grant"])("denial.%s", (name) => {
    for (const value of NOT_TEXT) {
      if (name === "grant" && value === null) continue;
      expect(() => parse("denial", { ...denial, [name]: value })).toThrow(ProtocolError);
    }
    const longest = "x".repeat(MAX_DENIAL_TEXT);
    expect(parse("denial", { ...denial, [name]: longest })).toEqual({
      ...denial,
      kind: "denial",
      [name]: longest,
    });
  });

  test.each(["", "1", 1.5, 2 ** 53, -(2 ** 53), null, undefined, {}, []])(
    "done.fuelLeft of %j",
    (fuelLeft) => {
      const { kind: _, ...fields } = DONE;
      expect(() => parse("done", { ...fields, fuelLeft })).toThrow(ProtocolError);
    },
  );

  test.each(["peakMemoryBytes", "refusedGrowths"])("done.%s", (name) => {
    for (const value of NOT_COUNT) {
      expect(() => parse("done", { ...DONE, [name]: value })).toThrow(ProtocolError);
    }
  });

  test("done.denialCounts", () => {
    const lists = [undefined, null, 7, "7", {}, { length: 1 }, [-1], ["1"], [null], [[]], [0.5]];
    for (const denialCounts of [...lists, Array.from({ length: MAX_DENIALS + 1 }, () => 1)]) {
      expect(() => parse("done", { ...DONE, denialCounts })).toThrow(ProtocolError);
    }
    const most = Array.from({ length: MAX_DENIALS }, () => 1);
    expect(parse("done", { ...DONE, denialCounts: most })).toMatchObject({ denialCounts: most });
  });

  test("done.end", () => {
    for (const end of [
      undefined,
      null,
      "exit",
      [],
      {},
      { how: "explode" },
      { how: "toString" },
      { how: ["exit"], exitCode: 0 },
      { how: "exit" },
      { how: "exit", exitCode: "0" },
      { how: "exit", exitCode: 0.5 },
      { how: "exit", exitCode: null },
      { how: "trap" },
      { how: "trap", code: "unreachable" },
      { how: "trap", code: 7, message: "" },
      { how: "trap", code: "unreachable", message: 7 },
      { how: "load-failed" },
      { how: "load-failed", message: {} },
      // What only the host may decide.
      { how: "deadline" },
      { how: "cancelled", reason: "because" },
      { how: "cell-died", message: "oops" },
    ]) {
      expect(() => parse("done", { ...DONE, end })).toThrow(ProtocolError);
    }
  });

  test("done.end.stream", () => {
    for (const stream of [undefined, null, "stdin", "constructor", 1, {}]) {
      expect(() => parse("done", { ...DONE, end: { how: "output-limit", stream } })).toThrow(ProtocolError);
    }
  });
});

test("fields that no message has are dropped", () => {
  const message = parse("pull", { maxBytes: 1, evil: true, kind: "done", __proto__: { end: 1 } });
  expect(message).toEqual({ kind: "pull", maxBytes: 1 });
});

test("a key named __proto__ changes no prototype", () => {
  const json = '{"failed":null,"__proto__":{"polluted":true}}';
  const [frame] = readCell(rawFrame(CELL_KIND.ready, json));
  expect(frame?.message).toEqual({ kind: "ready", failed: null });
  expect(frame?.message).not.toHaveProperty("polluted");
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("texts about a guest's end are cut to a bounded length", () => {
  const long = "x".repeat(8_000);
  const message = parse("done", { ...DONE, end: { how: "trap", code: long, message: long } });
  expect(message?.kind === "done" && message.end).toEqual({
    how: "trap",
    code: "x".repeat(64),
    message: "x".repeat(1024),
  });
});

test("an exit code is read as the unsigned number that WASI has", () => {
  const message = parse("done", { ...DONE, end: { how: "exit", exitCode: -1 } });
  expect(message?.kind === "done" && message.end).toEqual({ how: "exit", exitCode: 0xffff_ffff });
});
