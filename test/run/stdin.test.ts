import { expect, test, vi } from "vitest";
import { MAX_ATTACHED_STDIN_BYTES, MAX_CHUNK_BYTES } from "../../src/run/protocol.ts";
import { openStdin, type Stdin } from "../../src/run/stdin.ts";

/** Everything that a guest would read, in the chunks in which it would get it. */
async function readAll(
  stdin: Stdin,
  maxBytes = MAX_CHUNK_BYTES,
): Promise<{ bytes: Buffer; sizes: number[] }> {
  const chunks = [stdin.attached];
  for (let end = stdin.mode === "attached"; !end; ) {
    const answer = await stdin.pull(maxBytes);
    chunks.push(answer.chunk);
    end = answer.end;
  }
  return { bytes: Buffer.concat(chunks), sizes: chunks.slice(1).map((chunk) => chunk.length) };
}

async function* streamOf(...chunks: Array<string | Uint8Array>): AsyncGenerator<string | Uint8Array> {
  yield* chunks;
}

test("nothing given is an empty stdin", async () => {
  const stdin = openStdin(undefined);
  expect(stdin.mode).toBe("attached");
  expect(stdin.attached.length).toBe(0);
});

test("text travels with the run as UTF-8", async () => {
  const stdin = openStdin("naïve 🦀");
  expect(stdin.mode).toBe("attached");
  expect(Buffer.from(stdin.attached).toString("utf8")).toBe("naïve 🦀");
});

test("bytes travel with the run as they are, whatever they lie in", async () => {
  const larger = Uint8Array.from([9, 9, 0, 255, 128, 9]);
  const stdin = openStdin(larger.subarray(2, 5));
  expect([...stdin.attached]).toEqual([0, 255, 128]);
});

test.each([
  ["under", MAX_ATTACHED_STDIN_BYTES - 1, "attached"],
  ["at", MAX_ATTACHED_STDIN_BYTES, "attached"],
  ["over", MAX_ATTACHED_STDIN_BYTES + 1, "pulled"],
] as const)("stdin %s the bound for attaching arrives whole", async (_, size, mode) => {
  const bytes = Buffer.alloc(size, "0123456789");
  const stdin = openStdin(bytes);
  expect(stdin.mode).toBe(mode);
  expect((await readAll(stdin)).bytes.equals(bytes)).toBe(true);
});

test("one pull gets no more than it asked for, nor more than a chunk", async () => {
  const { sizes } = await readAll(
    openStdin(Buffer.alloc(MAX_ATTACHED_STDIN_BYTES + 100)),
    Number.MAX_SAFE_INTEGER,
  );
  expect(Math.max(...sizes)).toBe(MAX_CHUNK_BYTES);
  const few = await readAll(openStdin(streamOf("0123456789")), 3);
  expect(few.sizes.every((size) => size <= 3)).toBe(true);
  expect(few.bytes.toString()).toBe("0123456789");
});

test("a pull after the end is an empty end again", async () => {
  for (const stdin of [openStdin(Buffer.alloc(MAX_ATTACHED_STDIN_BYTES + 1)), openStdin(streamOf("x"))]) {
    await readAll(stdin);
    const again = await stdin.pull(10);
    expect([again.chunk.length, again.end]).toEqual([0, true]);
  }
});

test("a stream of text and bytes arrives in order, and its empty chunks are no end", async () => {
  const { bytes } = await readAll(openStdin(streamOf("a", "", new Uint8Array(0), Buffer.from("bc"), "ü")));
  expect(bytes.toString("utf8")).toBe("abcü");
});

test("a web stream arrives as an async iterable does", async () => {
  const stream = new ReadableStream<string>({
    start(controller) {
      for (const chunk of ["one ", "two"]) controller.enqueue(chunk);
      controller.close();
    },
  });
  expect((await readAll(openStdin(stream))).bytes.toString()).toBe("one two");
});

test("a stream is read only as far as the guest reads", async () => {
  let produced = 0;
  async function* endless(): AsyncGenerator<string> {
    for (;;) {
      produced += 1;
      yield "line\n";
    }
  }
  const stdin = openStdin(endless());
  expect(produced).toBe(0);
  await stdin.pull(5);
  await stdin.pull(5);
  expect(produced).toBe(2);
});

test("what a stream throws is what the pull rejects with", async () => {
  const failure = new Error("the disk went away");
  async function* failing(): AsyncGenerator<string> {
    yield "before";
    throw failure;
  }
  const stdin = openStdin(failing());
  expect(Buffer.from((await stdin.pull(100)).chunk).toString()).toBe("before");
  await expect(async () => await stdin.pull(100)).rejects.toBe(failure);
});

test("a stream that yields something else than text or bytes is an error that says so", async () => {
  async function* numbers(): AsyncGenerator<string> {
    yield 7 as unknown as string;
  }
  await expect(async () => await openStdin(numbers()).pull(100)).rejects.toThrow(/string|Uint8Array/);
});

test("cancelling lets the source clean up", async () => {
  const cleanedUp = vi.fn();
  async function* guarded(): AsyncGenerator<string> {
    try {
      yield "one";
      yield "two";
    } finally {
      cleanedUp();
    }
  }
  const stdin = openStdin(guarded());
  await stdin.pull(100);
  stdin.cancel();
  await vi.waitFor(() => expect(cleanedUp).toHaveBeenCalledOnce());
});

test("a stream that nobody read is the caller's own until it is cancelled", async () => {
  const cancelled = vi.fn();
  const stream = new ReadableStream<string>({ cancel: cancelled });
  const stdin = openStdin(stream);
  expect(stream.locked).toBe(false);
  stdin.cancel();
  await vi.waitFor(() => expect(cancelled).toHaveBeenCalledOnce());
});

test("a source that was read to its end is not cancelled", async () => {
  const source = streamOf("x");
  const returned = vi.spyOn(source, "return");
  const stdin = openStdin(source);
  await readAll(stdin);
  stdin.cancel();
  expect(returned).not.toHaveBeenCalled();
});

test.each<[string, () => unknown]>([
  ["rejects", () => Promise.reject(new Error("no"))],
  [
    "throws",
    () => {
      throw new Error("no");
    },
  ],
  ["answers with nothing", () => undefined],
])("a source whose clean-up %s harms nobody", async (_, cleanUp) => {
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: false as const, value: "x" }),
      return: cleanUp as () => Promise<IteratorResult<string>>,
    }),
  };
  const stdin = openStdin(source);
  await stdin.pull(1);
  expect(() => stdin.cancel()).not.toThrow();
});
