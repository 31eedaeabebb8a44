/** Places in one workspace: as many as an unsigned 32-bit integer counts. */
export const PLACES = 2 ** 32;

export function firstKey(ws: number): number {
  return ws * PLACES;
}

export function lastKey(ws: number): number {
  return ws * PLACES + PLACES - 1;
}

export function placeOf(key: number): number {
  return key % PLACES;
}
