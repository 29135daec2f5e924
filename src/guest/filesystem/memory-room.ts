import type { Failure } from "./errno.ts";

/**
 * What files in memory may take up, and what they do: bytes, and objects (nodes, further names and pieces of contents), since a
 * million empty files take memory as well.
 */
export interface Room {
  /** Bytes that are left. */
  left(): number;
  /** Takes all of it, or throws the failure that says which room is full. */
  take(bytes: number, objects: number): void;
  /** Takes up to `wanted` bytes for so many objects; says how many it took, 0 where there is no room at all. */
  takeUpTo(wanted: number, objects: number): number;
  give(bytes: number, objects: number): void;
  /** Throws what `take` would. */
  refuse(bytes: number, objects: number): never;
  /** The most bytes that were taken at a time. */
  peak(): number;
}

/** What a room holds, and what is said when it is full. */
export interface RoomOptions {
  bytes: number;
  objects: number;
  full: (what: "bytes" | "objects") => Failure;
  /** The room that this one is a part of: what is taken here is taken there too. */
  within?: Room;
}

export function createRoom({ bytes, objects, full, within }: RoomOptions): Room {
  let bytesLeft = bytes;
  let objectsLeft = objects;
  let peak = 0;
  const spend = (taken: number, takenObjects: number): void => {
    bytesLeft -= taken;
    objectsLeft -= takenObjects;
    peak = Math.max(peak, bytes - bytesLeft);
  };
  const room: Room = {
    left: () => Math.min(bytesLeft, within?.left() ?? bytesLeft),
    take(wanted, wantedObjects) {
      if (wanted > bytesLeft) throw full("bytes");
      if (wantedObjects > objectsLeft) throw full("objects");
      within?.take(wanted, wantedObjects);
      spend(wanted, wantedObjects);
    },
    takeUpTo(wanted, wantedObjects) {
      if (wantedObjects > objectsLeft) return 0;
      const possible = Math.min(wanted, bytesLeft);
      const taken = within === undefined ? possible : within.takeUpTo(possible, wantedObjects);
      if (taken <= 0) return 0;
      spend(taken, wantedObjects);
      return taken;
    },
    give(given, givenObjects) {
      bytesLeft += given;
      objectsLeft += givenObjects;
      within?.give(given, givenObjects);
    },
    refuse(wanted, wantedObjects) {
      if (wanted <= bytesLeft && wantedObjects <= objectsLeft && within !== undefined) {
        return within.refuse(wanted, wantedObjects);
      }
      throw full(wantedObjects > objectsLeft ? "objects" : "bytes");
    },
    peak: () => peak,
  };
  return room;
}
