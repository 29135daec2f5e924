import { describe, expect, test } from "vitest";
import { Errno } from "../../src/guest/filesystem/errno.ts";
import { trackDescriptors } from "../../src/guest/node-wasi-descriptors.ts";

const streamsOf = ({ stream }: ReturnType<typeof trackDescriptors>, upTo = 8): (number | undefined)[] =>
  Array.from({ length: upTo }, (_, fd) => stream(fd));

describe("the standard streams", () => {
  test("stand at 0 to 2 when a run begins", () => {
    expect(streamsOf(trackDescriptors(0), 5)).toEqual([0, 1, 2, undefined, undefined]);
  });

  test("go with their numbers when they are closed, whatever is opened there later", () => {
    const descriptors = trackDescriptors(1);
    descriptors.closed(1);
    descriptors.opened(1);
    expect(streamsOf(descriptors, 3)).toEqual([0, undefined, 2]);
  });

  test("move with a renumbering, and give way to what moves to their number", () => {
    const descriptors = trackDescriptors(2);
    descriptors.opened(5);
    descriptors.opened(6);
    descriptors.renumbered(1, 5);
    descriptors.renumbered(6, 2);
    expect(streamsOf(descriptors, 7)).toEqual([0, undefined, undefined, undefined, undefined, 1, undefined]);
    descriptors.renumbered(5, 0);
    expect(streamsOf(descriptors, 7)).toEqual([1, ...Array.from({ length: 6 }, () => undefined)]);
  });

  test("stay where they are when they are renumbered to where they are", () => {
    const descriptors = trackDescriptors(0);
    descriptors.renumbered(2, 2);
    expect(streamsOf(descriptors, 3)).toEqual([0, 1, 2]);
  });
});

describe("open files", () => {
  const refusal = expect.objectContaining({ errno: Errno.MFILE, target: "a/b", grant: "limits.openFiles" });
  const allowed = (descriptors: ReturnType<typeof trackDescriptors>): boolean => {
    try {
      descriptors.allowOne(() => "a/b");
      return true;
    } catch (error) {
      expect(error).toEqual(refusal);
      return false;
    }
  };

  test("are allowed up to the limit, and one more again when one was closed", () => {
    const descriptors = trackDescriptors(2);
    for (const fd of [4, 5]) {
      expect(allowed(descriptors)).toBe(true);
      descriptors.opened(fd);
    }
    expect(allowed(descriptors)).toBe(false);
    descriptors.closed(4);
    expect(allowed(descriptors)).toBe(true);
  });

  test("are none where the limit is none", () => {
    expect(allowed(trackDescriptors(0))).toBe(false);
  });

  test("are no more for closing a stream, a mount or nothing", () => {
    const descriptors = trackDescriptors(1);
    descriptors.opened(4);
    for (const fd of [0, 3, 99]) descriptors.closed(fd);
    expect(allowed(descriptors)).toBe(false);
  });

  test("are one less when one takes the number of another, and as many when it takes that of a stream", () => {
    const descriptors = trackDescriptors(2);
    descriptors.opened(4);
    descriptors.opened(5);
    descriptors.renumbered(5, 0);
    expect(allowed(descriptors)).toBe(false);
    descriptors.renumbered(0, 4);
    expect(allowed(descriptors)).toBe(true);
  });
});
