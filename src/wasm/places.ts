/** Offsets in the bytes of a module, in a column that grows, because there may be millions: `at[0, count)`. */
export interface Places {
  at: Int32Array<ArrayBuffer>;
  count: number;
}

export function createPlaces(): Places {
  return { at: new Int32Array(1_024), count: 0 };
}

export function addPlace(places: Places, at: number): void {
  const { count } = places;
  if (count === places.at.length) grow(places);
  places.at[count] = at;
  places.count = count + 1;
}

function grow(places: Places): void {
  const larger = new Int32Array(2 * places.at.length);
  larger.set(places.at);
  places.at = larger;
}
